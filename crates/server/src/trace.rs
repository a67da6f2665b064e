//! Trace context: W3C `traceparent` in, out and as a string to store beside an event, and the names of the spans.
//! The names are those of the OpenTelemetry RPC conventions and stand here only.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tonic::Code;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header that carries the trace between processes.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace context of the current span as a `traceparent` value; `None` when nothing is traced.
pub fn current() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}

/// Makes `span` a child of the trace in `traceparent`, which may come from a header, an event or a row. Call it
/// before the span is entered. A value that does not parse is ignored: a bad header must not fail a call.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(remote) = parse(traceparent) {
        // Fails only when nothing is traced or the span has begun, and then there is nothing to join.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(remote));
    }
}

/// Links `span` to the trace in `traceparent` without becoming part of it: for one span over many events.
pub fn link_to(span: &Span, traceparent: &str) {
    if let Some(remote) = parse(traceparent) {
        span.add_link(remote);
    }
}

/// Puts the current trace into the headers of a call to a peer. Without a current trace what is there stays, so
/// that a process that traces nothing still hands on what it got.
pub fn inject(headers: &mut HeaderMap) {
    if let Some(value) = current().and_then(|traceparent| HeaderValue::try_from(traceparent).ok()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// The `traceparent` of these headers, if it parses.
pub fn extract(headers: &HeaderMap) -> Option<&str> {
    headers.get(&TRACEPARENT)?.to_str().ok().filter(|text| parse(text).is_some())
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; versions after 00 may be longer (W3C Trace Context, section 3.2).
fn parse(traceparent: &str) -> Option<SpanContext> {
    let mut parts = traceparent.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let hex = |text: &str, len| text.len() == len && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !hex(version, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    if !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

/// Span of one call as the server sees it. `method` without the leading slash.
pub(crate) fn server_span(method: &str, service: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: "karibu_server::rpc",
        "rpc",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = tracing::field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = tracing::field::Empty,
        karibu.service = service,
    );
    if let Some(traceparent) = extract(headers) {
        continue_from(&span, traceparent);
    }
    span
}

/// Span of one call to a peer: part of the current trace, or else of the one in the headers.
pub(crate) fn client_span(method: &str, peer: &str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        target: "karibu_server::rpc",
        "call",
        otel.name = method,
        otel.kind = "client",
        otel.status_code = tracing::field::Empty,
        rpc.system.name = "grpc",
        rpc.method = method,
        rpc.response.status_code = tracing::field::Empty,
        server.address = peer,
    );
    if Span::current().is_none()
        && let Some(traceparent) = extract(headers)
    {
        continue_from(&span, traceparent);
    }
    span
}

/// Notes how the call ended.
pub(crate) fn record_code(span: &Span, code: Code, failed: bool) {
    span.record("rpc.response.status_code", code_name(code));
    if failed {
        span.record("otel.status_code", "ERROR");
    }
}

/// Codes that count as a failure of the server (conventions for gRPC); the others are answers to the caller.
pub(crate) fn is_server_failure(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

/// The name that the gRPC specification gives a code.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_parses_by_the_w3c_rule() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(parse(good).is_some());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later").is_some());
    }

    #[test]
    fn without_a_tracer_there_is_no_current_trace() {
        assert_eq!(current(), None);
    }
}
