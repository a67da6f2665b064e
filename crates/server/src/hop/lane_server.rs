//! The service's end of lanes: each call in a batch goes to the same `Routes` that serve the port, so that edge and
//! handlers are the same on every way. A lane is opened by Karibu itself only; the edge before it sees to that.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use tonic::server::{Grpc, NamedService, StreamingService};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;
use tower::{Service, ServiceExt};

use super::wire::{self, BatchRequest, BatchResponse, Call, Reply};
use crate::deadline::{self, GRPC_TIMEOUT};
use crate::{Stop, limits, status};

/// Serves `karibu.hop.v1.LaneService` over the routes of this process.
#[derive(Clone, Debug)]
pub(crate) struct LaneServer {
    routes: Routes,
    stop: Stop,
}

impl LaneServer {
    /// A lane server. With `stop`, clients are told to send no more, and what they sent is still answered.
    pub(crate) fn new(routes: Routes, stop: Stop) -> Self {
        Self { routes, stop }
    }
}

impl NamedService for LaneServer {
    const NAME: &'static str = "karibu.hop.v1.LaneService";
}

impl Service<http::Request<axum::body::Body>> for LaneServer {
    type Response = http::Response<axum::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<axum::body::Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            if request.uri().path() != wire::BATCH_PATH {
                return Ok(Status::unimplemented("there is no such method").into_http());
            }
            let limit = Some(limits::MAX_LANE_MESSAGE_BYTES);
            let codec = ProstCodec::<BatchResponse, BatchRequest>::default();
            let mut grpc = Grpc::new(codec).apply_max_message_size_config(limit, limit);
            Ok(grpc.streaming(Batch(service), request).await.map(axum::body::Body::new))
        })
    }
}

/// The method behind the service.
struct Batch(LaneServer);

impl StreamingService<BatchRequest> for Batch {
    type Response = BatchResponse;
    type ResponseStream = Work;
    type Future = std::future::Ready<Result<Response<Work>, Status>>;

    fn call(&mut self, request: Request<Streaming<BatchRequest>>) -> Self::Future {
        std::future::ready(Ok(Response::new(Work {
            incoming: Some(request.into_inner()),
            running: FuturesUnordered::new(),
            routes: self.0.routes.clone(),
            stop: Some(Box::pin(self.0.stop.clone().cancelled_owned())),
        })))
    }
}

/// The calls of one lane, running side by side in its task.
struct Work {
    incoming: Option<Streaming<BatchRequest>>,
    running: FuturesUnordered<BoxFuture<'static, Reply>>,
    routes: Routes,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Stream for Work {
    type Item = Result<BatchResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut batch = BatchResponse::default();
        if let Some(stop) = &mut self.stop
            && stop.as_mut().poll(cx).is_ready()
        {
            self.stop = None;
            batch.draining = true;
        }
        self.take_in(cx);
        let mut bytes = 0;
        while batch.replies.len() < limits::MAX_LANE_BATCH && bytes < limits::MAX_LANE_BATCH_BYTES {
            let Poll::Ready(Some(reply)) = self.running.poll_next_unpin(cx) else { break };
            bytes += reply.body.len();
            batch.replies.push(reply);
        }
        if batch.draining || !batch.replies.is_empty() {
            return Poll::Ready(Some(Ok(batch)));
        }
        if self.incoming.is_none() && self.running.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

impl Work {
    fn take_in(&mut self, cx: &mut Context<'_>) {
        while self.running.len() < limits::MAX_LANE_RUNNING
            && let Some(incoming) = &mut self.incoming
        {
            match incoming.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(batch))) => {
                    for call in batch.calls {
                        self.running.push(Box::pin(answer(self.routes.clone(), call)));
                    }
                }
                // A lost client wants no replies, but what it asked for may be half done: let it end.
                Poll::Ready(Some(Err(_)) | None) => self.incoming = None,
                Poll::Pending => return,
            }
        }
    }
}

async fn answer(routes: Routes, call: Call) -> Reply {
    let id = call.id;
    let answered = match request(call) {
        Ok(request) => match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Err(status) => status.into_http(),
    };
    let (parts, body) = answered.into_parts();
    match body.collect().await {
        Ok(body) => {
            let trailers = body.trailers().map(wire::to_wire).unwrap_or_default();
            Reply { id, headers: wire::to_wire(&parts.headers), body: body.to_bytes(), trailers }
        }
        Err(status) => {
            let headers = wire::to_wire(status.into_http::<()>().headers());
            Reply { id, headers, ..Reply::default() }
        }
    }
}

fn request(call: Call) -> Result<http::Request<Full<Bytes>>, Status> {
    let mut request = http::Request::new(Full::new(call.body));
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = call.path.parse().map_err(|_| status::internal())?;
    *request.headers_mut() = wire::from_wire(call.headers);
    let left = Duration::from_millis(call.timeout_ms.into());
    request.headers_mut().insert(GRPC_TIMEOUT, deadline::render(left));
    Ok(request)
}
