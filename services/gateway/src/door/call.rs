//! One call on its way in: admission, the token for the service, the time that is left, and the hop. gRPC comes here
//! as it is, HTTP/JSON after it was transcoded.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use prost_reflect::DynamicMessage;
use proto::MethodInfo;
use server::auth::Principal;
use server::deadline::{self, GRPC_TIMEOUT};
use server::hop::Upstream;
use server::{ORIGIN, Observed, Origin, bounded, status, trace};
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::ServiceExt;

use super::Door;
use crate::NAME;
use crate::admission::{Credential, presented};
use crate::transcode::frame::Frames;

/// Bytes that gRPC puts before a message.
const FRAME_HEAD_BYTES: usize = 5;
/// The headers that a service gets to see, beside those that the door itself sets. Whatever else a caller sends ends
/// here, first of all what would say who it is.
const FORWARDED: [HeaderName; 6] = [
    CONTENT_TYPE,
    TE,
    USER_AGENT,
    HeaderName::from_static("grpc-encoding"),
    HeaderName::from_static("grpc-accept-encoding"),
    trace::TRACEPARENT,
];
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// What the gateway's own services are told about a call, in its extensions.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The credential, to be checked again while a stream is open.
    pub credential: Credential,
    /// The caller reads JSON.
    pub json: bool,
}

/// When a call must be answered, and what its service is told about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    /// The first answer must be there. For a unary call that is the whole of it.
    pub(super) late: Instant,
    /// The end that the caller named for a stream.
    stream_end: Option<Instant>,
}

/// A call that was let in.
pub(super) struct Entered {
    pub(super) method: &'static MethodInfo,
    pub(super) principal: Principal,
    /// Name of the service that answers.
    pub(super) service: String,
    pub(super) time: Time,
    pub(super) body: Body,
    pub(super) json: bool,
    /// Where it came from.
    pub(super) from: Option<IpAddr>,
}

impl Door {
    /// Answers a gRPC call; a failure is a status inside the response.
    pub(super) async fn grpc(&self, request: Request<Body>) -> Response<Body> {
        let rule = self.0.rules.find(request.uri().path());
        let observed = Observed::begin(NAME, rule, request.headers());
        observed.end(self.pass(request)).await
    }

    async fn pass(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let method = self.method(request.uri().path())?;
        let time = self.time(method, request.headers())?;
        let answer = async {
            let (parts, body) = request.into_parts();
            let from = self.origin(&parts.headers, &parts.extensions);
            let body = bounded(axum::body::Body::new(body), self.0.max_request_bytes + FRAME_HEAD_BYTES)?;
            let needs_message = self.0.admission.needs_message(method);
            let early = if needs_message {
                None
            } else {
                Some(self.0.admission.admit(method, &parts.headers, None, from).await?)
            };
            // No method for callers from outside takes a stream, so the whole request is one message: it is read here,
            // so that a slow or broken sender occupies no service.
            let body = Body::new(body).collect().await?.to_bytes();
            let message = if needs_message || method.route_by.is_some() { Some(one_message(&body)?) } else { None };
            let principal = match early {
                Some(principal) => principal,
                None => self.0.admission.admit(method, &parts.headers, message.clone(), from).await?,
            };
            let service = match message.filter(|_| method.route_by.is_some()) {
                None => method.service.clone(),
                Some(message) => {
                    let message = DynamicMessage::decode(method.descriptor.input(), message)
                        .map_err(|_| status::invalid([("", "the message cannot be read")]))?;
                    self.routed(method, &message)?
                }
            };
            let body = Body::new(Full::new(body));
            let entered = Entered { method, principal, service, time, body, json: false, from };
            self.forward(entered, &parts.headers).await
        };
        timeout_at(time.late, answer).await.unwrap_or_else(|_| Err(deadline::exceeded()))
    }

    /// The method at this gRPC path, if it is one for callers from outside.
    fn method(&self, path: &str) -> Result<&'static MethodInfo, Status> {
        let known = proto::methods().find(path).filter(|method| !method.is_internal());
        known.ok_or_else(|| status::with_reason(Code::Unimplemented, "NO_SUCH_METHOD", "there is no such method"))
    }

    /// The time of a call: what the caller asks for, within the limits.
    pub(super) fn time(&self, method: &MethodInfo, headers: &HeaderMap) -> Result<Time, Status> {
        let (now, asked) = (Instant::now(), deadline::asked(headers));
        if asked.is_some_and(|asked| asked.is_zero()) {
            return Err(deadline::exceeded());
        }
        let stream_end = match asked {
            Some(asked) if !method.is_unary() => Some(now + asked.min(server::limits::STREAM_DEADLINE)),
            _ => None,
        };
        Ok(Time { late: now + self.0.deadlines.limit(headers), stream_end })
    }

    /// The service that answers a method which several serve: the request says which.
    pub(super) fn routed(&self, method: &MethodInfo, message: &DynamicMessage) -> Result<String, Status> {
        let Some(field) = method.route_by.as_deref() else { return Ok(method.service.clone()) };
        let name = message.get_field_by_name(field).and_then(|name| name.as_str().map(str::to_owned));
        let name = name.unwrap_or_default();
        if self.0.peers.find(&name).is_none() {
            return Err(status::invalid([(field, "there is no such service")]));
        }
        Ok(name)
    }

    /// Hands the call to its service.
    pub(super) async fn forward(&self, call: Entered, headers: &HeaderMap) -> Result<Response<Body>, Status> {
        let own = call.service == NAME;
        let upstream = if own { Some(self.0.own.clone()) } else { self.0.peers.find(&call.service) };
        let upstream: Upstream = upstream.ok_or_else(|| status::unavailable(&call.service))?;

        let mut request = Request::new(call.body);
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        *request.uri_mut() = call.method.path.parse().map_err(|_| status::internal())?;
        if own && let Ok(credential) = presented(headers) {
            request.extensions_mut().insert(Shown { credential, json: call.json });
        }
        let sent = request.headers_mut();
        for name in FORWARDED {
            if let Some(value) = headers.get(&name) {
                sent.insert(name, value.clone());
            }
        }
        if call.json {
            sent.insert(CONTENT_TYPE, GRPC);
            sent.insert(TE, HeaderValue::from_static("trailers"));
        }
        sent.insert(ORIGIN, Origin::of(call.from).header());
        sent.insert(AUTHORIZATION, self.0.minter.bearer(&call.principal, &call.service)?);
        let end = if call.method.is_unary() { Some(call.time.late) } else { call.time.stream_end };
        if let Some(end) = end {
            sent.insert(GRPC_TIMEOUT, deadline::render(end.saturating_duration_since(Instant::now())));
        }
        let answered = upstream.oneshot(request).await;
        Ok(answered.unwrap_or_else(|never| match never {}))
    }
}

/// The one message of a body.
fn one_message(body: &Bytes) -> Result<Bytes, Status> {
    let mut frames = Frames::default();
    frames.push(body);
    let message = frames.next_message()?.filter(|_| frames.is_empty());
    message.ok_or_else(|| status::invalid([("", "the body must be one whole message")]))
}
