//! Pages of other origins that may call the gateway from a browser (Fetch standard, CORS protocol). None may unless it
//! is named, and never with cookies: there are none.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, x-api-key, content-type, x-grpc-web, x-user-agent, grpc-timeout, idempotency-key, if-match, \
     last-event-id, traceparent",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("grpc-status, grpc-message, grpc-status-details-bin, etag, retry-after");
const MAX_AGE_SECONDS: HeaderValue = HeaderValue::from_static("600");

/// The origins that may call, such as `https://console.example.com`.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<HeaderValue>);

impl Cors {
    /// Only these origins, compared letter by letter.
    pub fn new(origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        Self(origins.into_iter().collect())
    }

    /// The answer to a preflight; `None` for any other request.
    pub(super) fn preflight(&self, request: &Request<Body>) -> Option<Response> {
        let headers = request.headers();
        let asks = request.method() == Method::OPTIONS
            && headers.contains_key(ORIGIN)
            && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !asks {
            return None;
        }
        let Some(origin) = self.allowed(headers) else { return Some(StatusCode::FORBIDDEN.into_response()) };
        let mut response = StatusCode::NO_CONTENT.into_response();
        let answer = response.headers_mut();
        self.decorate(answer, origin);
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        answer.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECONDS);
        Some(response)
    }

    /// The origin of the request, if it may call.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(ORIGIN).filter(|origin| self.0.contains(origin)).cloned()
    }

    /// Lets the page of `origin` read the answer.
    pub(super) fn decorate(&self, headers: &mut HeaderMap, origin: HeaderValue) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}
