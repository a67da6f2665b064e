//! What stands around every method of every service, on whatever way a call comes: span and metrics, identity and
//! permission, size and deadline, and the wall that turns a panic into INTERNAL. Health and reflection are added
//! outside of it and are the only methods that need no credential.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use kernel::PageKeys;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument, Span};

use crate::auth::{Access, Kind, Principal, Rule, Rules, Verifier};
use crate::deadline::{self, Deadlines, Until};
use crate::origin::{Origin, Via};
use crate::read_audit::ReadAudit;
use crate::{Pages, limits, metrics, status, trace};

/// Bytes that gRPC puts before a message.
const FRAME_HEAD_BYTES: usize = 5;

/// What the edge found out about a call. In the extensions of every request behind it.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who calls.
    pub principal: Principal,
    /// When the caller stops waiting.
    pub until: Until,
    /// Rule of the method, with its full path.
    pub rule: Rule,
    /// Trace of the caller, as it came.
    pub traceparent: Option<String>,
    /// Pages of what the caller lists.
    pub pages: Pages,
    /// Where from, by which method.
    pub via: Via,
}

/// The rules of one service.
#[derive(Debug)]
pub struct Guard {
    /// Name of the service, for spans.
    pub service: &'static str,
    /// What each method asks of its caller.
    pub rules: Arc<Rules>,
    /// Who is believed.
    pub verifier: Verifier,
    /// How long a call may take.
    pub deadlines: Deadlines,
    /// Largest message of a unary request, bytes.
    pub max_request_bytes: usize,
    /// Secrets behind page tokens.
    pub page_keys: PageKeys,
    /// Notes who reads personal data, where that is wanted.
    pub reads: Option<ReadAudit>,
    /// One place for each call that may run at once.
    pub places: Semaphore,
}

/// Span and metrics of one call, for whoever answers calls: the edge of a service, and a door before services.
#[derive(Debug)]
pub struct Observed {
    span: Span,
    service: &'static str,
    method: &'static str,
    begun: std::time::Instant,
    _active: metrics::Active,
}

impl Observed {
    /// The call begins. A method without a rule is unknown; its name is not repeated anywhere.
    pub fn begin(service: &'static str, rule: Option<&Rule>, headers: &HeaderMap) -> Self {
        let method = rule.map_or("_OTHER", |rule| rule.path.trim_start_matches('/'));
        let span = trace::server_span(method, service, headers);
        let begun = std::time::Instant::now();
        Self { span, service, method, begun, _active: metrics::calls().begin() }
    }

    /// Waits for the answer inside of the span; a failure becomes a response.
    pub async fn end<B: Default>(self, answer: impl Future<Output = Result<Response<B>, Status>>) -> Response<B> {
        let answered = answer.instrument(self.span.clone()).await;
        let response = answered.unwrap_or_else(|status| status.into_http());
        let code = code_of(&response);
        trace::record_code(&self.span, code, trace::is_server_failure(code));
        metrics::calls().ended(self.service, self.method, code, self.begun.elapsed());
        response
    }
}

/// Puts a [`Guard`] before a service.
#[derive(Clone, Debug)]
pub struct EdgeLayer(pub Arc<Guard>);

impl<S> Layer<S> for EdgeLayer {
    type Service = Edge<S>;
    fn layer(&self, inner: S) -> Edge<S> {
        Edge { guard: self.0.clone(), inner }
    }
}

/// A guarded service.
#[derive(Clone, Debug)]
pub struct Edge<S> {
    guard: Arc<Guard>,
    inner: S,
}

impl<S> Service<Request<Body>> for Edge<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The service that was made ready is the one to call; its clone is for the next request.
        let next = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, next);
        let guard = self.guard.clone();
        Box::pin(async move { Ok(guard.answer(request, ready).await) })
    }
}

impl Guard {
    async fn answer<S>(&self, request: Request<Body>, inner: S) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        let rule = self.rules.find(request.uri().path()).copied();
        let observed = Observed::begin(self.service, rule.as_ref(), request.headers());
        observed.end(self.pass(request, rule, inner)).await
    }

    async fn pass<S>(&self, request: Request<Body>, rule: Option<Rule>, mut inner: S) -> Result<Response<Body>, Status>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    {
        // Shedding comes first: a flood must not buy signature checks.
        let _place = self.places.try_acquire().map_err(|_| status::overloaded())?;
        let principal = self.verifier.principal(request.headers()).ok_or_else(status::unauthenticated)?;
        let rule = rule.ok_or_else(|| Status::unimplemented("there is no such method"))?;
        permit(&principal, &rule)?;

        let (mut parts, body) = request.into_parts();
        let limit = self.deadlines.limit(&parts.headers);
        let late = Instant::now() + limit;
        let until = match deadline::asked(&parts.headers) {
            // A stream ends when its caller says so; only its first answer is bound by the default.
            None if rule.streaming => Instant::now() + limits::STREAM_DEADLINE,
            Some(asked) if rule.streaming => Instant::now() + asked.min(limits::STREAM_DEADLINE),
            _ => late,
        };
        let traceparent = trace::extract(&parts.headers).map(str::to_owned);
        let pages = Pages::new(self.page_keys.clone(), principal.scope.clone());
        let via = Via::new(Origin::read(&parts.headers), rule.path);
        parts.extensions.insert(Admitted { principal, until: Until(until), rule, traceparent, pages, via });
        if let Some(reads) = self.reads.clone().filter(|_| rule.read_only) {
            parts.extensions.insert(reads);
        }
        // The token was for the edge; a handler that logs its metadata must not find it.
        parts.headers.remove(AUTHORIZATION);
        let body = if rule.streaming { body } else { bounded(body, self.max_request_bytes + FRAME_HEAD_BYTES)? };

        let answer = AssertUnwindSafe(timeout_at(late, inner.call(Request::from_parts(parts, body)))).catch_unwind();
        match answer.await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Err(_)) => Err(deadline::exceeded()),
            Err(_) => {
                tracing::error!(method = rule.path, "a handler panicked");
                Err(status::internal())
            }
        }
    }
}

fn permit(principal: &Principal, rule: &Rule) -> Result<(), Status> {
    match rule.access {
        Access::Public => Ok(()),
        Access::Internal if principal.kind == Kind::System => Ok(()),
        Access::Internal => Err(status::permission_denied("PERMISSION_INTERNAL")),
        Access::Permission { number, .. } if principal.may(number) => Ok(()),
        Access::Permission { name, .. } => Err(status::permission_denied(name)),
    }
}

/// The code in the headers: that of a failure. A success, and a stream that fails later, has it in the trailers.
fn code_of<B>(response: &Response<B>) -> Code {
    match response.headers().get(Status::GRPC_STATUS) {
        Some(code) => Code::from_bytes(code.as_bytes()),
        None if response.status().is_success() => Code::Ok,
        None => Code::Unknown,
    }
}

/// Refuses a body over `limit` bytes: at once when its size is known, else when it passes the limit.
pub fn bounded(body: Body, limit: usize) -> Result<Body, Status> {
    let (least, most) = (body.size_hint().lower(), body.size_hint().upper());
    let limit_bytes = u64::try_from(limit).unwrap_or(u64::MAX);
    if least > limit_bytes {
        return Err(status::request_too_large());
    }
    if most.is_some_and(|most| most <= limit_bytes) {
        return Ok(body);
    }
    Ok(Body::new(Bounded { body, left: limit }))
}

struct Bounded {
    body: Body,
    left: usize,
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref) {
            match self.left.checked_sub(data.len()) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(axum::Error::new(status::request_too_large())))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
