//! The way from one part of Karibu to another: a function call inside one process, a lane (unary) or a channel
//! (streams, long bodies) between processes. Only `Upstream` knows which.

mod dial;
mod lane;
mod lane_server;
mod lanes;
mod peers;
mod wire;

use std::convert::Infallible;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::Channel;
use tower::{Service, ServiceExt};
use tracing::Instrument;

pub use dial::Dialler;

pub(crate) use lane_server::LaneServer;
pub use lanes::Lanes;
pub use peers::Peers;

use crate::auth::{Minter, Principal};
use crate::deadline::{self, GRPC_TIMEOUT};
use crate::{limits, status, trace};

/// One service of the installation, wherever it runs. Failures are a status inside the response.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// In this process: a function call.
    Local(Routes),
    /// In other processes.
    Remote {
        /// For unary calls.
        lanes: Lanes,
        /// For streams and for bodies that are too long for a lane.
        stream: Channel,
    },
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.clone() {
            Self::Local(routes) => {
                trace::inject(request.headers_mut());
                Box::pin(routes.oneshot(request))
            }
            Self::Remote { lanes, stream } => {
                let span = {
                    let method = request.uri().path().trim_start_matches('/');
                    trace::client_span(method, lanes.peer(), request.headers())
                };
                let call = async move {
                    let mut request = request;
                    trace::inject(request.headers_mut());
                    let answer = remote(&lanes, stream, request).await;
                    if let Err(status) = &answer {
                        trace::record_code(&tracing::Span::current(), status.code(), true);
                    }
                    Ok(answer.unwrap_or_else(|status| status.into_http()))
                };
                Box::pin(call.instrument(span))
            }
        }
    }
}

async fn remote(lanes: &Lanes, stream: Channel, request: Request<Body>) -> Result<Response<Body>, Status> {
    let asked = deadline::asked(request.headers());
    if lanes.is_streaming(request.uri().path()) {
        return forward(stream, request, asked.map(|asked| Instant::now() + asked)).await;
    }
    let until = Instant::now() + asked.unwrap_or(limits::DEADLINE);
    let answer = async {
        let (parts, body) = request.into_parts();
        match gather(body).await? {
            Gathered::Whole(body) => lanes.call(parts, body, until).await,
            Gathered::Long(body) => forward(stream, Request::from_parts(parts, body), Some(until)).await,
        }
    };
    timeout_at(until, answer).await.unwrap_or_else(|_| Err(deadline::exceeded()))
}

enum Gathered {
    /// Short enough for a lane.
    Whole(Bytes),
    /// What was read already, and the rest.
    Long(Body),
}

async fn gather(mut body: Body) -> Result<Gathered, Status> {
    if body.size_hint().lower() > limits::MAX_LANE_BODY_BYTES as u64 {
        return Ok(Gathered::Long(body));
    }
    let mut first = Bytes::new();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.is_empty() && read.is_empty() {
            // Nearly every body is one piece: it travels without being copied.
            first = data;
        } else {
            read.extend_from_slice(&std::mem::take(&mut first));
            read.extend_from_slice(&data);
        }
        if first.len() + read.len() > limits::MAX_LANE_BODY_BYTES {
            let read = if first.is_empty() { read.freeze() } else { first };
            return Ok(Gathered::Long(Body::new(Resumed { read: Some(read), rest: body })));
        }
    }
    Ok(Gathered::Whole(if first.is_empty() { read.freeze() } else { first }))
}

/// A body of which a part was read.
struct Resumed {
    read: Option<Bytes>,
    rest: Body,
}

impl HttpBody for Resumed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.read.take() {
            Some(read) => Poll::Ready(Some(Ok(Frame::data(read)))),
            None => std::pin::Pin::new(&mut self.rest).poll_frame(cx),
        }
    }
}

/// Sends the request as it is over a stream of its own.
async fn forward(
    mut stream: Channel,
    mut request: Request<Body>,
    until: Option<Instant>,
) -> Result<Response<Body>, Status> {
    clean(request.headers_mut());
    if let Some(until) = until {
        let left = until.saturating_duration_since(Instant::now());
        request.headers_mut().insert(GRPC_TIMEOUT, deadline::render(left));
    }
    let answer = async { stream.ready().await?.call(request).await };
    // Binds the head of the answer only: without it a call would wait for ever while no replica is known.
    let head_until = until.unwrap_or_else(|| Instant::now() + limits::DEADLINE);
    match timeout_at(head_until, answer).await {
        Ok(Ok(response)) => Ok(response),
        // The channel ends a late call as CANCELLED, which would read as if the caller had left.
        Ok(Err(error)) if cause::<tonic::TimeoutExpired>(&error).is_some() => Err(deadline::exceeded()),
        Ok(Err(error)) => {
            tracing::debug!(%error, "call to a peer failed");
            // When the body itself failed on its way in, as one that is too large, that is what the caller must hear.
            Err(cause::<Status>(&error).cloned().unwrap_or_else(|| status::unavailable("the service")))
        }
        Err(_) => Err(deadline::exceeded()),
    }
}

/// The first error of this type in the chain of causes.
fn cause<'e, E: std::error::Error + 'static>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

/// Takes off what belongs to the one connection that the request came by.
fn clean(headers: &mut HeaderMap) {
    for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, GRPC_TIMEOUT] {
        headers.remove(name);
    }
}

/// An upstream that is called in the name of one principal: what a typed client of a peer is built on.
#[derive(Clone, Debug)]
pub struct Acting {
    upstream: Upstream,
    minter: Minter,
    principal: Principal,
    audience: String,
}

impl Upstream {
    /// This upstream, called in the name of `principal`; `audience` is the name of the service.
    pub fn acting_as(self, principal: Principal, minter: Minter, audience: impl Into<String>) -> Acting {
        Acting { upstream: self, minter, principal, audience: audience.into() }
    }
}

impl Service<Request<Body>> for Acting {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.upstream.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        match self.minter.bearer(&self.principal, &self.audience) {
            Ok(bearer) => {
                request.headers_mut().insert(AUTHORIZATION, bearer);
                self.upstream.call(request)
            }
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
