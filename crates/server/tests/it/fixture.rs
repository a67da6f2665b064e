//! A process with the echo service, and the ways to call it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use kernel::{BranchScope, Clock};
use server::auth::{Kind, Minter, PermissionSet, Principal};
use server::config::{self, BaseConfig, NoConfig};
use server::hop::Dialler;
use server::{Drained, House, Kit, Process, Started, Stop, Upstream};
use tonic::body::Body;
use tonic::client::{Grpc, GrpcService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::echo::{self, Ask, Echo, SPEAK, Told};

pub fn settings(flags: &[&str]) -> BaseConfig {
    let mut arguments: Vec<OsString> = ["karibu-echo"].iter().chain(flags).map(OsString::from).collect();
    if !flags.contains(&"--listen") {
        arguments.extend(["--listen".into(), "127.0.0.1:0".into()]);
    }
    config::load::<NoConfig>("echo", &arguments).unwrap().base
}

/// Much longer than anything here takes: a limit for what went wrong.
pub const SOON: Duration = Duration::from_secs(30);

/// A staff member who may speak.
pub fn speaker() -> Principal {
    Principal {
        subject: "staff-1".into(),
        kind: Kind::Staff,
        permissions: PermissionSet::from_iter([SPEAK]),
        scope: BranchScope::All,
    }
}

/// A running process.
pub struct Running {
    pub address: SocketAddr,
    pub house: House,
    pub echo: Echo,
    pub started: Started,
    pub leave: Stop,
    pub served: tokio::task::JoinHandle<Drained>,
}

pub fn house() -> House {
    let mut house = House::embedded(Clock::system()).unwrap();
    house.rules = Arc::new(echo::rules());
    house
}

pub fn start_echo(kit: &Kit) -> (Echo, Started) {
    let echo = Echo::default();
    let started = kit.routes().with(echo.clone()).started(|| async { Ok(()) });
    (echo, started)
}

impl Running {
    pub async fn start(flags: &[&str]) -> Self {
        Self::start_in(house(), flags).await
    }

    pub async fn start_in(house: House, flags: &[&str]) -> Self {
        let (echo, started) = start_echo(&house.kit("echo", "sqlite:unused"));
        let process =
            Process::bind(&settings(flags), house.clone(), server::telemetry::Scrape::default()).await.unwrap();
        let (address, leave) = (process.address, Stop::new());
        let served = tokio::spawn(process.serve(vec![started.clone()], leave.clone().cancelled_owned()));
        Self { address, house, echo, started, leave, served }
    }

    pub fn minter(&self) -> Minter {
        self.house.minter.clone().unwrap()
    }

    pub fn bearer(&self) -> HeaderValue {
        self.minter().bearer(&speaker(), "echo").unwrap()
    }

    /// A plain tonic channel to the port.
    pub async fn channel(&self) -> tonic::transport::Channel {
        endpoint(self.address).connect().await.unwrap()
    }

    /// By lane, as a gateway goes.
    pub fn remote(&self) -> Upstream {
        dial(&self.house, self.address)
    }

    /// By function call, as an embedded gateway goes.
    pub fn local(&self) -> Upstream {
        Upstream::Local(self.started.routes.clone())
    }

    /// Asks it to stop and waits for the end.
    pub async fn end(self) -> Drained {
        self.leave.cancel();
        tokio::time::timeout(Duration::from_secs(60), self.served).await.expect("it ends").unwrap()
    }
}

pub fn endpoint(address: SocketAddr) -> tonic::transport::Endpoint {
    tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap()
}

pub fn dial(house: &House, address: SocketAddr) -> Upstream {
    dial_to(house, "echo", address)
}

pub fn dial_to(house: &House, peer: &str, address: SocketAddr) -> Upstream {
    let dialler = Dialler { minter: house.minter.clone().unwrap(), rules: house.rules.clone(), tls: house.tls.clone() };
    dialler.dial(peer, &[format!("http://{address}").parse().unwrap()])
}

pub fn ask(verb: &str, millis: u32) -> Ask {
    Ask { verb: verb.to_owned(), millis, payload: b"hello".to_vec() }
}

pub fn request(ask: Ask, bearer: &HeaderValue) -> Request<Ask> {
    let mut request = Request::new(ask);
    request.metadata_mut().as_mut().insert("authorization", bearer.clone());
    request.metadata_mut().insert("x-asked", "kindly".parse().unwrap());
    request
}

/// One unary call over any way.
pub async fn call<S>(service: S, path: &'static str, request: Request<Ask>) -> Result<Response<Told>, Status>
where
    S: GrpcService<Body>,
    S::Error: std::fmt::Debug,
    S::ResponseBody: tonic::transport::Body<Data = bytes::Bytes> + Send + 'static,
    <S::ResponseBody as tonic::transport::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
{
    let mut grpc = Grpc::new(service).max_decoding_message_size(server::limits::MAX_REPLY_BYTES);
    grpc.ready().await.map_err(|error| Status::unknown(format!("{:?}", error.into())))?;
    let path = http::uri::PathAndQuery::from_static(path);
    grpc.unary(request, path, ProstCodec::<Ask, Told>::default()).await
}
