//! A gateway on a real port with the desk behind it, and the ways to call it that are not ours: HTTP/1 by hand.

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use karibu_gateway::Config;
use kernel::Clock;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use server::config::{self, BaseConfig, NoConfig};
use server::hop::{Dialler, Peers};
use server::{House, Process, Stop, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt;

use crate::desk::Desk;

/// Much longer than anything here takes.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Stage {
    pub address: SocketAddr,
    pub desk: Desk,
    pub house: House,
    leave: Stop,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.leave.cancel();
    }
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(unhurried()).await
    }

    pub async fn with(config: Config) -> Self {
        Self::in_house(House::embedded(Clock::system()).unwrap(), config).await
    }

    /// With the desk in the same process, and with the desk behind lanes as a process of its own would be.
    pub async fn both() -> [Self; 2] {
        let house = House::embedded(Clock::system()).unwrap();
        [Self::new().await, Self::apart(house, unhurried()).await]
    }

    pub async fn in_house(house: House, config: Config) -> Self {
        let desk = Desk::default();
        let started = desk.start(&house.kit("organization", "sqlite:unused"));
        house.peers.put("organization", Upstream::Local(started.routes));
        Self::before(desk, house, config, Stop::new()).await
    }

    async fn apart(house: House, config: Config) -> Self {
        let (desk, leave) = (Desk::default(), Stop::new());
        let mut own = house.clone();
        (own.peers, own.stop, own.tasks) = (Peers::default(), Stop::new(), TaskTracker::new());
        let started = desk.start(&own.kit("organization", "sqlite:unused"));
        let process = Process::bind(&settings(), own, server::telemetry::Scrape::default()).await.unwrap();
        let url = format!("http://{}", process.address).parse().unwrap();
        tokio::spawn(process.serve(vec![started], leave.clone().cancelled_owned()));
        let dialler =
            Dialler { minter: house.minter.clone().unwrap(), rules: house.rules.clone(), tls: house.tls.clone() };
        house.peers.put("organization", dialler.dial("organization", &[url]));
        Self::before(desk, house, config, leave).await
    }

    async fn before(desk: Desk, house: House, config: Config, leave: Stop) -> Self {
        let gateway = karibu_gateway::start(&house.kit(karibu_gateway::NAME, "sqlite:unused"), config).await.unwrap();
        let process = Process::bind(&settings(), house.clone(), server::telemetry::Scrape::default()).await.unwrap();
        let address = process.address;
        tokio::spawn(process.serve(vec![gateway], leave.clone().cancelled_owned()));
        Self { address, desk, house, leave }
    }

    pub async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub async fn organization(&self) -> OrganizationServiceClient<Channel> {
        OrganizationServiceClient::new(self.channel().await)
    }

    /// A JSON request with a key.
    pub async fn json(&self, method: &str, path: &str, key: &str, body: &str) -> Answer {
        self.send(method, path, &[("x-api-key", key), ("content-type", "application/json")], body.as_bytes()).await
    }

    /// Any HTTP/1.1 request.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !headers.iter().any(|(name, _)| *name == "content-length") {
            head += &format!("content-length: {}\r\n", body.len());
        }
        self.raw(&[(head + "\r\n").as_bytes(), body].concat()).await
    }

    /// Any bytes, and all that comes back until the connection is closed.
    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // A server that has heard enough may close before everything is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.expect("an answer in time");
        Answer::read(&answer)
    }
}

/// Tests make many calls at once; only those about rates are bounded.
fn unhurried() -> Config {
    Config { rate_limits: "off".parse().unwrap(), ..Config::default() }
}

fn settings() -> BaseConfig {
    let arguments: Vec<OsString> = ["karibu", "--listen", "127.0.0.1:0"].iter().map(OsString::from).collect();
    config::load::<NoConfig>("gateway", &arguments).unwrap().base
}

/// Time passes for whoever watches it, while sockets stay what they are.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The request with a key.
pub fn keyed<T>(message: T, key: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let bearer = MetadataValue::try_from(format!("Bearer {key}")).unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

/// The reason in the `ErrorInfo` of a status.
pub fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// An HTTP/1.1 answer.
#[derive(Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Self::default() };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
        let headers: HashMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let body = &bytes[end + 4..];
        let chunked = headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked");
        let body = if chunked { dechunk(body) } else { body.to_vec() };
        Self { status, headers, body }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The reason in the JSON of a `google.rpc.Status`.
    pub fn reason(&self) -> String {
        let json = self.json();
        let details = json["details"].as_array().cloned().unwrap_or_default();
        details.iter().find_map(|detail| detail["reason"].as_str().map(str::to_owned)).unwrap_or_default()
    }
}

fn dechunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 2 + size + 2..];
    }
    body
}
