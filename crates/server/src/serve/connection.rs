//! One connection, from its first bytes to its end.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use super::Bounds;
use super::address::{Addressed, PeerAddress};
use super::guarded::Guarded;
use crate::tls::Acceptor;
use crate::{Stop, limits};

/// What all connections of one listener share.
pub(super) struct Server {
    bounds: Bounds,
    acceptor: Acceptor,
    router: axum::Router,
    http: auto::Builder<TokioExecutor>,
    stop: Stop,
}

impl Server {
    pub(super) fn new(bounds: Bounds, acceptor: Acceptor, router: axum::Router, stop: Stop) -> Self {
        Self { http: builder(&bounds), bounds, acceptor, router, stop }
    }

    /// Serves one connection to its end.
    pub(super) async fn talk(&self, stream: TcpStream, address: IpAddr) {
        // Small frames of many calls share a connection: waiting to fill a packet would cost tens of milliseconds.
        let _ = stream.set_nodelay(true);
        match self.acceptor.current() {
            None => self.converse(stream, address).await,
            Some(config) => self.greet(config, stream, address).await,
        }
    }

    /// The handshake, which ends the connection of whoever takes too long or shows the wrong certificate.
    async fn greet(&self, config: Arc<ServerConfig>, stream: TcpStream, address: IpAddr) {
        match timeout(self.bounds.head_timeout, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, address).await,
            Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
        }
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, address: IpAddr) {
        let io = TokioIo::new(Guarded::new(stream, self.bounds.head_timeout));
        let service = Addressed { router: self.router.clone(), address: PeerAddress(address) };
        let mut connection = pin!(self.http.serve_connection(io, TowerToHyperService::new(service)));
        // Spread over a tenth, so that connections that came together do not leave together.
        let age = self.bounds.connection_age.mul_f64(1.0 + rand::random::<f64>() / 10.0);
        let mut aged = pin!(sleep(age));
        let mut going = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%address, error, "connection failed");
                    }
                    return;
                }
                () = self.stop.cancelled(), if !going => {}
                () = aged.as_mut(), if !going => {}
            }
            going = true;
            connection.as_mut().graceful_shutdown();
        }
    }
}

fn builder(bounds: &Bounds) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head_timeout)
        .max_headers(limits::MAX_HEADERS)
        .max_buf_size(usize::try_from(bounds.header_bytes).unwrap_or(usize::MAX))
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(bounds.streams)
        .max_header_list_size(bounds.header_bytes)
        .max_pending_accept_reset_streams(limits::MAX_PENDING_RESETS)
        .max_local_error_reset_streams(limits::MAX_LOCAL_RESETS)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .keep_alive_interval(limits::KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEP_ALIVE_TIMEOUT);
    builder
}
