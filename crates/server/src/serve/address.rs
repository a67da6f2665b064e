//! Tells handlers where a request came from: the address of the socket, which a caller cannot choose as it can a header.

use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::future::RouteFuture;
use http::Request;
use hyper::body::Incoming;
use tower::Service;

/// The address at the other end of the connection. In the extensions of every request that came by a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// The router of a port, for one connection.
#[derive(Clone)]
pub(super) struct Addressed {
    pub(super) router: Router,
    pub(super) address: PeerAddress,
}

impl Service<Request<Incoming>> for Addressed {
    type Response = axum::response::Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(self.address);
        self.router.call(request)
    }
}
