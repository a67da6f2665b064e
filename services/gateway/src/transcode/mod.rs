//! HTTP/JSON to gRPC and back, driven by the descriptors of the contract: no generated code and no knowledge of any
//! service. Who may call is not asked here.

pub mod frame;
pub mod input;
pub mod output;
mod percent;
pub mod routes;
pub mod sse;

pub use routes::{Found, Missing, RouteDefect, Routes};

use http::header::{HeaderName, IF_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use server::{limits, status};
use tonic::{Code, Status};

use frame::Frames;
use output::Failing;

/// The header that makes a repeat of a request safe: `request_id` of the request.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Where a reader of Server-Sent Events goes on: `resume_token` of the request.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A failure and how it looks over HTTP.
#[derive(Debug)]
pub struct Refused {
    /// What is wrong.
    pub status: Status,
    /// How it looks.
    pub failing: Failing,
    /// The methods that the address takes, when it was called with another one.
    pub allow: Option<HeaderValue>,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        Self { status, failing: Failing::default(), allow: None }
    }
}

impl Refused {
    fn with_code(http: StatusCode, status: Status) -> Self {
        Self { status, failing: Failing { http: Some(http), ..Failing::default() }, allow: None }
    }
}

/// A JSON request as a gRPC message.
#[derive(Debug)]
pub struct Call {
    /// The request message.
    pub message: DynamicMessage,
    /// How a failure of the call looks.
    pub failing: Failing,
}

/// The route of the request.
pub fn find<'r>(routes: &'r Routes, parts: &http::request::Parts) -> Result<Found<'r>, Refused> {
    routes.find(&parts.method, parts.uri.path()).map_err(no_route)
}

/// Reads the request. `max_body_bytes` bounds the body.
pub async fn read(
    found: &Found<'_>,
    parts: &http::request::Parts,
    body: axum::body::Body,
    max_body_bytes: usize,
) -> Result<Call, Refused> {
    let body = match Limited::new(body, max_body_bytes).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(status::request_too_large().into()),
        Err(_) => return Err(status::invalid([("", "the body ended early")]).into()),
    };
    if !body.is_empty() && !is_json(&parts.headers) {
        let status = status::invalid([("", "the body must be application/json in UTF-8, not encoded further")]);
        return Err(Refused::with_code(StatusCode::UNSUPPORTED_MEDIA_TYPE, status));
    }
    let mut headers = Vec::new();
    for (header, field) in [(IDEMPOTENCY_KEY, "request_id"), (LAST_EVENT_ID, "resume_token")] {
        if let Some(value) = text(&parts.headers, &header, field)? {
            headers.push((field, value));
        }
    }
    let etag = text(&parts.headers, &IF_MATCH, "etag")?.map(|tag| entity_tag(&tag)).filter(|tag| tag != "*");
    let failing = Failing { if_match: etag.is_some(), http: None };
    headers.extend(etag.map(|etag| ("etag", etag)));
    let parts = input::Parts { query: parts.uri.query(), body: &body, headers };
    Ok(Call { message: input::request(found, &parts)?, failing })
}

fn no_route(missing: Missing) -> Refused {
    match missing {
        Missing::Path => status::with_reason(Code::NotFound, "NO_SUCH_PATH", "there is nothing at this address").into(),
        Missing::Method(allowed) => {
            let allowed: Vec<&str> = allowed.iter().map(http::Method::as_str).collect();
            let allowed = allowed.join(", ");
            let message = format!("this address takes {allowed} only");
            let status = status::with_reason(Code::Unimplemented, "NO_SUCH_METHOD", message);
            let refused = Refused::with_code(StatusCode::METHOD_NOT_ALLOWED, status);
            Refused { allow: HeaderValue::try_from(allowed).ok(), ..refused }
        }
        Missing::Garbled => status::invalid([("", "the path holds a broken escape or is not UTF-8")]).into(),
    }
}

/// A header that stands for a field, as text.
fn text(headers: &HeaderMap, name: &HeaderName, field: &str) -> Result<Option<String>, Status> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(_) => Err(status::invalid([(field, format!("the header {name} is not plain text"))])),
    }
}

/// The version inside an entity tag: `"3"` and `W/"3"` are 3.
fn entity_tag(tag: &str) -> String {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned()
}

fn is_json(headers: &HeaderMap) -> bool {
    let plain = headers.get(http::header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    let Some(kind) = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let (kind, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let charset = parameters.trim().strip_prefix("charset=").map(|charset| charset.trim_matches('"'));
    plain
        && kind.trim().eq_ignore_ascii_case("application/json")
        && charset.is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
}

/// The answer to a unary call: the message, or the status of the failure.
pub async fn answer(
    response: http::Response<tonic::body::Body>,
    message: MessageDescriptor,
) -> Result<DynamicMessage, Status> {
    let (parts, body) = response.into_parts();
    begun(&parts.headers)?;
    let body = Limited::new(body, limits::MAX_REPLY_BYTES + 1024).collect().await;
    let body = body.map_err(|error| match error.downcast::<Status>() {
        Ok(status) => *status,
        Err(_) => status::unavailable("the service"),
    })?;
    match body.trailers().and_then(Status::from_header_map) {
        Some(status) if status.code() != Code::Ok => return Err(status),
        Some(_) => {}
        None => return Err(status::unavailable("the service")),
    }
    let mut frames = Frames::default();
    frames.push(&body.to_bytes());
    let bytes = frames.next_message()?.ok_or_else(status::internal)?;
    DynamicMessage::decode(message, bytes).map_err(|_| status::internal())
}

/// Whether the answer began well: a failure that was known at once stands in the headers.
pub fn begun(headers: &HeaderMap) -> Result<(), Status> {
    match Status::from_header_map(headers) {
        Some(status) if status.code() != Code::Ok => Err(status),
        _ => Ok(()),
    }
}
