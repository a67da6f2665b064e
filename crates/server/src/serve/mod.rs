//! One way to serve HTTP for gateway and services: gRPC over HTTP/2 and anything over HTTP/1 on one port, with the
//! limits that a server on the open net needs, and a drain that lets open calls end.

mod address;
mod connection;
mod guarded;
mod seats;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use crate::tls::Acceptor;
use crate::{Stop, limits};

pub use address::PeerAddress;
use connection::Server;
use seats::Seats;

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open when the time for draining was over.
    pub cut: usize,
}

/// What one listener bears.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// All headers of a request together, bytes.
    pub header_bytes: u32,
    /// Streams open at once on one HTTP/2 connection.
    pub streams: u32,
    /// Connections open at once; more wait in the kernel's backlog.
    pub connections: usize,
    /// Connections open at once from one address; more are closed.
    pub connections_per_address: usize,
    /// Time for the TLS handshake, for the first bytes of a connection, and for the head of an HTTP/1 request.
    pub head_timeout: Duration,
    /// Age at which an HTTP/2 connection gets GOAWAY.
    pub connection_age: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            header_bytes: limits::MAX_HEADER_BYTES,
            streams: limits::MAX_STREAMS,
            connections: limits::MAX_CONNECTIONS,
            connections_per_address: limits::MAX_CONNECTIONS_PER_ADDRESS,
            head_timeout: limits::HEAD_TIMEOUT,
            connection_age: limits::CONNECTION_AGE,
        }
    }
}

/// Serves `router` in plaintext until `stop`, then refuses new connections, sends GOAWAY, and waits up to `drain` for
/// open calls.
pub async fn serve(listener: TcpListener, router: axum::Router, stop: Stop, drain: Duration) -> Drained {
    serve_with(Bounds::default(), Acceptor::plaintext(), listener, router, stop, drain).await
}

/// [`serve`] within other bounds, and over TLS if `acceptor` says so.
pub(crate) async fn serve_with(
    bounds: Bounds,
    acceptor: Acceptor,
    listener: TcpListener,
    router: axum::Router,
    stop: Stop,
    drain: Duration,
) -> Drained {
    let connections = TaskTracker::new();
    let kill = Stop::new();
    let places = Arc::new(Semaphore::new(bounds.connections));
    let seats = Seats::new(bounds.connections_per_address);
    let server = Arc::new(Server::new(bounds, acceptor, router, stop.clone()));
    loop {
        let accepted = async {
            // The semaphore is never closed; a connection waits in the backlog until there is a place.
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (stream, address, place) = tokio::select! {
            () = stop.cancelled() => break,
            (accepted, place) = accepted => match accepted {
                Ok((stream, address)) => (stream, address.ip(), place),
                Err(error) => {
                    pause_after(&error).await;
                    continue;
                }
            },
        };
        let Some(seat) = seats.take(address) else {
            tracing::debug!(%address, "too many connections from one address, one more is closed");
            continue;
        };
        let (server, kill) = (server.clone(), kill.clone());
        connections.spawn(async move {
            let _held = (place, seat);
            tokio::select! {
                () = kill.cancelled() => {}
                () = server.talk(stream, address) => {}
            }
        });
    }
    drop(listener);
    connections.close();
    if timeout(drain, connections.wait()).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = connections.len();
    tracing::warn!(cut, "the time for draining is over, the last connections are cut");
    kill.cancel();
    connections.wait().await;
    Drained { cut }
}

/// Out of files: accepting again at once would spin. Other errors concern one connection that is gone already.
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "cannot accept connections");
        sleep(Duration::from_millis(200)).await;
    }
}
