//! A server stream as Server-Sent Events (HTML standard, section 9.2): one event per message, whose id is the
//! `resume_token` of the message if it has one. A failure on the way is an event of its own, since HTTP has no
//! trailers that a browser shows.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use http_body_util::BodyExt;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use server::status;
use tonic::{Code, Status};

use super::frame::Frames;
use super::output;

/// Name of the event that carries a failure; its data is a `google.rpc.Status`.
pub const ERROR_EVENT: &str = "error";
/// Asks proxies of the nginx kind to hand on every event at once.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The answer of the service as an event stream. It must be a stream that began well.
pub fn stream_of(body: tonic::body::Body, message: MessageDescriptor) -> Response {
    let events = Events { body, frames: Frames::default(), message, ended: false };
    let chunks = stream::unfold(events, |mut events| async move {
        let chunk = events.next().await?;
        Some((Ok::<_, Infallible>(chunk), events))
    });
    let mut response = Response::new(Body::from_stream(chunks));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(UNBUFFERED, HeaderValue::from_static("no"));
    response
}

struct Events {
    body: tonic::body::Body,
    frames: Frames,
    message: MessageDescriptor,
    ended: bool,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        match self.advance().await {
            Ok(chunk) => chunk,
            Err(status) => {
                self.ended = true;
                Some(event(Some(ERROR_EVENT), None, &output::status_json(&status)))
            }
        }
    }

    async fn advance(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.frames.next_message()? {
                return self.render(message).map(Some);
            }
            let Some(frame) = self.body.frame().await.transpose()? else {
                return Err(status::unavailable("the service"));
            };
            match frame.into_data() {
                Ok(data) => self.frames.push(&data),
                Err(frame) => {
                    let ended = frame.trailers_ref().and_then(Status::from_header_map);
                    return match ended {
                        Some(status) if status.code() != Code::Ok => Err(status),
                        _ => Ok(None),
                    };
                }
            }
        }
    }

    fn render(&self, message: Bytes) -> Result<Bytes, Status> {
        let message = DynamicMessage::decode(self.message.clone(), message).map_err(|_| status::internal())?;
        let id = message.get_field_by_name("resume_token").and_then(|token| token.as_str().map(str::to_owned));
        Ok(event(None, id.as_deref().filter(|id| !id.is_empty()), &output::message(&message)?))
    }
}

/// One event. Canonical JSON is one line, so one `data` line is enough.
fn event(name: Option<&str>, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(data.len() + 64);
    for (field, value) in [("event", name), ("id", id)] {
        if let Some(value) = value {
            event.extend_from_slice(format!("{field}: {value}\n").as_bytes());
        }
    }
    event.extend_from_slice(b"data: ");
    event.extend_from_slice(data);
    event.extend_from_slice(b"\n\n");
    event.into()
}
