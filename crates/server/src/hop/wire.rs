//! The messages of a lane, as `karibu/hop/v1/lane.proto` describes them, and their way between HTTP and the wire.
//! Bodies are shared buffers here, which is why these few types are written by hand.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// gRPC path of the one method.
pub(super) const BATCH_PATH: &str = "/karibu.hop.v1.LaneService/Batch";

/// One header or trailer.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Metadata {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) value: Bytes,
}

/// One unary call.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Call {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(string, tag = "2")]
    pub(super) path: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) headers: Vec<Metadata>,
    #[prost(uint32, tag = "4")]
    pub(super) timeout_ms: u32,
    #[prost(bytes = "bytes", tag = "5")]
    pub(super) body: Bytes,
}

/// The answer to one call.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Reply {
    #[prost(uint64, tag = "1")]
    pub(super) id: u64,
    #[prost(message, repeated, tag = "2")]
    pub(super) headers: Vec<Metadata>,
    #[prost(bytes = "bytes", tag = "3")]
    pub(super) body: Bytes,
    #[prost(message, repeated, tag = "4")]
    pub(super) trailers: Vec<Metadata>,
}

/// Calls that were ready together.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct BatchRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) calls: Vec<Call>,
}

/// Replies that were ready together.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct BatchResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) replies: Vec<Reply>,
    #[prost(bool, tag = "2")]
    pub(super) draining: bool,
}

/// Headers as the wire has them.
pub(super) fn to_wire(headers: &HeaderMap) -> Vec<Metadata> {
    let value = |value: &HeaderValue| Bytes::copy_from_slice(value.as_bytes());
    headers.iter().map(|(key, v)| Metadata { key: key.as_str().to_owned(), value: value(v) }).collect()
}

/// Headers from the wire. An entry that is no valid header is left out: it cannot have come from one.
pub(super) fn from_wire(metadata: Vec<Metadata>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(metadata.len());
    for Metadata { key, value } in metadata {
        if let (Ok(key), Ok(value)) = (HeaderName::try_from(key), HeaderValue::from_maybe_shared(value)) {
            headers.append(key, value);
        }
    }
    headers
}

/// The response that a reply stands for.
pub(super) fn respond(reply: Reply) -> Response<Body> {
    let Reply { headers, body, trailers, .. } = reply;
    let mut response = if body.is_empty() && trailers.is_empty() {
        Response::new(Body::empty())
    } else {
        let body = Some(body).filter(|body| !body.is_empty());
        Response::new(Body::new(Answer { body, trailers: Some(trailers).filter(|trailers| !trailers.is_empty()) }))
    };
    *response.headers_mut() = from_wire(headers);
    response
}

/// One frame and trailers. Its length is never told: with one, HTTP would leave the trailers out.
struct Answer {
    body: Option<Bytes>,
    trailers: Option<Vec<Metadata>>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(body) = self.body.take() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(from_wire(trailers)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
