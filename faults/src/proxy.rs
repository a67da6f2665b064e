//! A small TCP proxy that breaks the connections it carries: latency, silence, resets. It knows no protocol.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Bytes that are carried at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// How the proxy treats what it carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weather {
    /// As if it were not there.
    #[default]
    Clear,
    /// Every chunk takes this much longer.
    Slow(Duration),
    /// Nothing comes through, and nobody is told.
    Silent,
}

#[derive(Clone, Copy, Debug, Default)]
struct Orders {
    weather: Weather,
    /// Connections that were made under another number are reset.
    resets: u64,
}

/// A proxy in front of one server. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    orders: watch::Sender<Orders>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Listens on a port of its own and carries everything to `server`.
    pub async fn start(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (orders, heard) = watch::channel(Orders::default());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, heard.clone()));
            }
        });
        Ok(Self { address, orders, task })
    }

    /// Where to connect instead of the server.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather for open connections and new ones.
    pub fn set(&self, weather: Weather) {
        self.orders.send_modify(|orders| orders.weather = weather);
    }

    /// Resets every open connection (RST, not an orderly end).
    pub fn reset(&self) {
        self.orders.send_modify(|orders| orders.resets += 1);
    }
}

/// Carries one connection until one side ends or a reset is ordered.
async fn carry(mut client: TcpStream, server: SocketAddr, orders: watch::Receiver<Orders>) {
    let mut reset = orders.clone();
    let born = reset.borrow_and_update().resets;
    // A server that is away: the client sees its connection closed.
    let Ok(mut upstream) = TcpStream::connect(server).await else { return };
    for stream in [&client, &upstream] {
        stream.set_nodelay(true).ok();
        // What is dropped is reset: to a peer it looks like a host that went away.
        stream.set_zero_linger().ok();
    }
    // Borrowed halves: owned ones would end the stream in good order when they are dropped, before the reset.
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = upstream.split();
    tokio::select! {
        () = pump(from_client, to_server, orders.clone()) => {}
        () = pump(from_server, to_client, orders) => {}
        _ = reset.wait_for(|orders| orders.resets != born) => {}
    }
}

async fn pump(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut orders: watch::Receiver<Orders>) {
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    loop {
        let Ok(length @ 1..) = from.read(&mut chunk).await else { return };
        if orders.wait_for(|orders| orders.weather != Weather::Silent).await.is_err() {
            return;
        }
        let weather = orders.borrow().weather;
        if let Weather::Slow(by) = weather {
            tokio::time::sleep(by).await;
        }
        if to.write_all(&chunk[..length]).await.is_err() {
            return;
        }
    }
}
