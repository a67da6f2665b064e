//! The yardstick of a hop: a typed tonic echo, and a typed tonic proxy before it, as processes of their own with one
//! thread each, as our services have. No authentication, no limits, no telemetry.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use axum::serve::ListenerExt;
use testkit::{Service, ServiceOptions};
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::client::Grpc;
use tonic::server::{Grpc as ServerGrpc, NamedService, UnaryService};
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::load::{Outcome, drive};

/// What is sent to and fro: 303 bytes, as a complaint or a customer has.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(crate) struct Ticket {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    text: String,
    #[prost(int64, tag = "3")]
    at_us: i64,
}

const PATH: &str = "/bench.v1.Echo/Get";
/// Argument by which this program becomes the echo, or the proxy of the address behind it.
pub(crate) const SERVE: &str = "serve-echo";
const LISTENING: &str = "listening on ";

fn ticket() -> Ticket {
    Ticket { id: "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000".to_owned(), text: "x".repeat(254), at_us: 1_700_000_000 }
}

/// Answers itself, or asks the one behind it.
#[derive(Clone, Debug)]
struct Echo(Option<Channel>);

async fn get(channel: Channel, ticket: Ticket) -> Result<Ticket, Status> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = http::uri::PathAndQuery::from_static(PATH);
    Ok(grpc.unary(Request::new(ticket), path, ProstCodec::<Ticket, Ticket>::default()).await?.into_inner())
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl NamedService for Echo {
    const NAME: &'static str = "bench.v1.Echo";
}

impl UnaryService<Ticket> for Echo {
    type Response = Ticket;
    type Future = Boxed<Result<Response<Ticket>, Status>>;
    fn call(&mut self, request: Request<Ticket>) -> Self::Future {
        let behind = self.0.clone();
        Box::pin(async move {
            let ticket = request.into_inner();
            Ok(Response::new(match behind {
                Some(channel) => get(channel, ticket).await?,
                None => ticket,
            }))
        })
    }
}

impl tower::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Self::Response, Infallible>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(
            async move { Ok(ServerGrpc::new(ProstCodec::<Ticket, Ticket>::default()).unary(service, request).await) },
        )
    }
}

/// The `main` of the echo (`behind` = None) and of the proxy.
pub(crate) fn serve(behind: Option<&str>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let channel = match behind {
            Some(address) => Some(Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true).connect().await?),
            None => None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{LISTENING}http://{}", listener.local_addr()?);
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, Routes::new(Echo(channel)).prepare().into_axum_router()).await?;
        Ok(())
    })
}

/// The two processes.
#[derive(Debug)]
pub(crate) struct Hop {
    /// The proxy.
    pub(crate) proxy: Service,
    /// The echo behind it.
    pub(crate) echo: Service,
    channels: Vec<Channel>,
}

impl Hop {
    /// Starts both.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (echo, address) = start(None).await?;
        let (proxy, address) = start(Some(&address)).await?;
        let endpoint = Endpoint::from_shared(address)?.tcp_nodelay(true);
        let mut channels = Vec::new();
        for _ in 0..crate::suite::CONNECTIONS {
            channels.push(endpoint.connect().await?);
        }
        Ok(Self { proxy, echo, channels })
    }

    /// Calls through the proxy for `span`.
    pub(crate) async fn call(&self, in_flight: u64, span: Duration) -> anyhow::Result<Outcome> {
        let channels = self.channels.clone();
        drive(in_flight, span, move |caller, _| {
            let channel = channels[caller as usize % channels.len()].clone();
            async move { Ok(get(channel, ticket()).await.map(drop)?) }
        })
        .await
    }
}

async fn start(behind: Option<&str>) -> anyhow::Result<(Service, String)> {
    let program = std::env::current_exe().context("this program")?;
    let options = ServiceOptions::new(if behind.is_some() { "proxy" } else { "echo" }, program).arg(SERVE);
    let service = match behind {
        Some(address) => options.arg(address).start(),
        None => options.start(),
    };
    let line = service.wait_line(LISTENING).await;
    let address = line.trim().trim_start_matches(LISTENING).to_owned();
    let _: SocketAddr = address.trim_start_matches("http://").parse().context("the address of the echo")?;
    Ok((service, address))
}
