//! From answers to HTTP/JSON: canonical JSON of messages, and failures as `google.rpc.Status` with the HTTP code that
//! fits. Nothing is left out of a failure but what the service did not say either.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage, SerializeOptions};
use serde_json::{Value as Json, json};
use server::status::reason;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// What a JSON answer says of itself.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The message as canonical JSON: 64-bit numbers as strings, bytes in base64. Fields without presence are written
/// out also when they are empty, so that a reader sees the whole shape.
pub fn message(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    let mut bytes = Vec::with_capacity(512);
    let mut out = serde_json::Serializer::new(&mut bytes);
    let options = SerializeOptions::new().skip_default_fields(false);
    message.serialize_with_options(&mut out, &options).map_err(|error| {
        tracing::error!(%error, message = message.descriptor().full_name(), "an answer has no JSON form");
        server::status::internal()
    })?;
    Ok(bytes)
}

/// A 200 with this message. The `etag` of the one resource in it becomes the header.
pub fn success(answer: &DynamicMessage) -> Result<Response, Status> {
    let mut response = Response::new(Body::from(message(answer)?));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if let Some(etag) = etag(answer).and_then(|etag| HeaderValue::try_from(format!("\"{etag}\"")).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

/// The `etag` of the message, or of the only message in it that has one.
fn etag(answer: &DynamicMessage) -> Option<String> {
    let own = |message: &DynamicMessage| {
        let etag = message.get_field_by_name("etag")?.as_str()?.to_owned();
        Some(etag).filter(|etag| !etag.is_empty())
    };
    if let Some(etag) = own(answer) {
        return Some(etag);
    }
    let mut etags = answer.fields().filter_map(|(_, value)| own(value.as_message()?));
    let only = etags.next()?;
    etags.next().is_none().then_some(only)
}

/// How a failure looks over HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Failing {
    /// The caller demanded a version by `If-Match`: another version is then 412.
    pub if_match: bool,
    /// Another HTTP code than the one of the status.
    pub http: Option<StatusCode>,
}

/// The answer for a failure.
pub fn failure(status: &Status, failing: Failing) -> Response {
    let code = failing.http.unwrap_or_else(|| http_code(status, failing.if_match));
    let mut response = Response::new(Body::from(status_json(status)));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    if let Some(after) = retry_after(status) {
        headers.insert(RETRY_AFTER, HeaderValue::from(after));
    }
    if code == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"karibu\""));
    }
    response
}

/// Whole seconds, at least one: HTTP knows nothing finer.
fn retry_after(status: &Status) -> Option<u64> {
    let delay = status.get_details_retry_info()?.retry_delay.unwrap_or(Duration::ZERO);
    Some(delay.as_millis().div_ceil(1_000).max(1).try_into().unwrap_or(u64::MAX))
}

/// The HTTP code of a status, as google.rpc.Code lists them, and three that say more.
fn http_code(status: &Status, if_match: bool) -> StatusCode {
    let reason = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    match (status.code(), reason.as_str()) {
        (Code::ResourceExhausted, reason::REQUEST_TOO_LARGE) => return StatusCode::PAYLOAD_TOO_LARGE,
        (Code::Aborted, "VERSION_MISMATCH") if if_match => return StatusCode::PRECONDITION_FAILED,
        _ => {}
    }
    match status.code() {
        Code::Ok => StatusCode::OK,
        Code::Cancelled => StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The status as JSON of `google.rpc.Status`. Details that cannot be read are left out: code and message still help.
pub fn status_json(status: &Status) -> Vec<u8> {
    let details = details(status.details()).unwrap_or_default();
    let json = json!({ "code": status.code() as i32, "message": status.message(), "details": details });
    json.to_string().into_bytes()
}

fn details(bytes: &[u8]) -> Option<Vec<Json>> {
    let pool = details_pool()?;
    let descriptor = pool.get_message_by_name("google.rpc.Status")?;
    let status = DynamicMessage::decode(descriptor, Bytes::copy_from_slice(bytes)).ok()?;
    let details = status.get_field_by_name("details")?;
    // One by one: a type that is unknown here must not hide the others.
    let rendered = details.as_list()?.iter().filter_map(|any| serde_json::to_value(any.as_message()?).ok());
    Some(rendered.collect())
}

/// `google.rpc.Status` and the standard details.
fn details_pool() -> Option<&'static DescriptorPool> {
    static POOL: OnceLock<Option<DescriptorPool>> = OnceLock::new();
    POOL.get_or_init(|| DescriptorPool::decode(tonic_types::pb::FILE_DESCRIPTOR_SET).ok()).as_ref()
}
