//! The public port: tells gRPC, gRPC-Web and HTTP/JSON apart by their content type and brings them all the same way,
//! over admission to the service that answers. Nothing about any service is known here but what the contract says.

mod call;
mod cors;
mod json;
mod proxies;

pub use call::Shown;
pub use cors::Cors;
pub use proxies::{Network, Proxies};

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::{ALLOW, CONTENT_TYPE, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use server::PeerAddress;
use server::auth::{Minter, Rules};
use server::deadline::Deadlines;
use server::hop::{Peers, Upstream};
use tower::{Layer, Service, ServiceExt};

use crate::admission::Admission;
use crate::transcode::Routes;

/// The public port. Clones are the same door.
#[derive(Clone, Debug)]
pub struct Door(Arc<Parts>);

/// What a door is made of.
#[derive(Debug)]
pub struct Parts {
    /// Decides who may come in.
    pub admission: Admission,
    /// Addresses of HTTP/JSON.
    pub routes: Routes,
    /// The services behind the door.
    pub peers: Peers,
    /// The services of the gateway itself.
    pub own: Upstream,
    /// Makes the tokens that the services believe.
    pub minter: Minter,
    /// What each method asks of its caller.
    pub rules: Arc<Rules>,
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// Largest request message, bytes.
    pub max_request_bytes: usize,
    /// Pages of other origins that may call.
    pub cors: Cors,
    /// Proxies that are believed about where a call came from.
    pub proxies: Proxies,
}

/// What a content type says about the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Grpc,
    GrpcWeb,
    /// A kind of gRPC that is not spoken here.
    Foreign,
    Http,
}

fn protocol(headers: &HeaderMap) -> Protocol {
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return Protocol::Http };
    match kind {
        "application/grpc" | "application/grpc+proto" => Protocol::Grpc,
        "application/grpc-web"
        | "application/grpc-web+proto"
        | "application/grpc-web-text"
        | "application/grpc-web-text+proto" => Protocol::GrpcWeb,
        other if other.starts_with("application/grpc") => Protocol::Foreign,
        _ => Protocol::Http,
    }
}

impl Door {
    /// A door of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The whole port as one router.
    pub fn router(self) -> Router {
        Router::new().fallback_service(tower::service_fn(move |request: Request<Body>| {
            let answer = AssertUnwindSafe(self.clone().answer(request)).catch_unwind();
            async move {
                // A defect costs the one call, not all calls of its connection.
                Ok::<_, Infallible>(answer.await.unwrap_or_else(|_| {
                    tracing::error!("the door panicked");
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }))
            }
        }))
    }

    /// The address that a request came from; `None` for one that came by no port.
    fn origin(&self, headers: &HeaderMap, extensions: &http::Extensions) -> Option<IpAddr> {
        extensions.get::<PeerAddress>().map(|peer| self.0.proxies.origin(peer.0, headers))
    }

    /// Answers any request.
    async fn answer(self, request: Request<Body>) -> Response {
        if let Some(answer) = self.0.cors.preflight(&request) {
            return answer;
        }
        let origin = self.0.cors.allowed(request.headers());
        let mut response = match protocol(request.headers()) {
            Protocol::Grpc if request.version() < Version::HTTP_2 => {
                // A gRPC client never gets here; what does is told what is missing.
                (StatusCode::UPGRADE_REQUIRED, [(UPGRADE, "h2c")], "gRPC needs HTTP/2\n").into_response()
            }
            Protocol::Grpc | Protocol::GrpcWeb if request.method() != Method::POST => {
                (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "POST")], "gRPC calls are POST\n").into_response()
            }
            Protocol::Grpc => self.grpc(request.map(tonic::body::Body::new)).await.map(Body::new),
            Protocol::GrpcWeb => {
                let web = tonic_web::GrpcWebLayer::new().layer(Grpc(self.clone()));
                let answered = web.oneshot(request).await;
                answered.unwrap_or_else(|never| match never {}).map(Body::new)
            }
            Protocol::Foreign => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "only protobuf is spoken over gRPC here\n").into_response()
            }
            Protocol::Http => self.json(request).await,
        };
        if let Some(origin) = origin {
            self.0.cors.decorate(response.headers_mut(), origin);
        }
        response
            .headers_mut()
            .insert(http::HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
        response
    }
}

/// The gRPC side of the door as a service, for the layer that speaks gRPC-Web.
#[derive(Clone)]
struct Grpc(Door);

impl Service<Request<tonic::body::Body>> for Grpc {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let door = self.0.clone();
        Box::pin(async move { Ok(door.grpc(request).await) })
    }
}
