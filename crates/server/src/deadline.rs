//! Deadlines: the `grpc-timeout` of a call, capped, and the instant it leads to. The layer that enforces it is in
//! `edge`; a late call ends as DEADLINE_EXCEEDED, never as CANCELLED.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::limits;

/// The gRPC metadata key of the time a call may take.
pub const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The instant at which the caller stops waiting. In the extensions of every request behind the edge; a handler of
/// a server stream must look at it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until(pub Instant);

impl Until {
    /// What is left of the time; zero when it has passed.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Default and cap of deadlines.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Used when the caller names none.
    pub default: Duration,
    /// The most that a caller gets.
    pub cap: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { default: limits::DEADLINE, cap: limits::DEADLINE }
    }
}

impl Deadlines {
    /// How long the call with these headers may take. A `grpc-timeout` that does not parse counts as none.
    pub fn limit(&self, headers: &HeaderMap) -> Duration {
        asked(headers).unwrap_or(self.default).min(self.cap)
    }
}

/// The `grpc-timeout` of these headers; `None` when there is none or it is junk.
pub fn asked(headers: &HeaderMap) -> Option<Duration> {
    parse(headers.get(&GRPC_TIMEOUT)?.to_str().ok()?)
}

/// One to eight digits and a unit: H, M, S, m, u or n (gRPC over HTTP2, "Timeout").
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

/// The header value that says `left`, in the finest unit whose digits suffice, rounded up so that no time is lost.
pub fn render(left: Duration) -> HeaderValue {
    const MAX: u128 = 99_999_999;
    let (nanos, text) = (left.as_nanos(), |value: u128, unit: char| format!("{value}{unit}"));
    let text = [('u', 1_000), ('m', 1_000_000), ('S', 1_000_000_000), ('M', 60_000_000_000)]
        .into_iter()
        .map(|(unit, size)| (unit, nanos.div_ceil(size)))
        .find(|(_, value)| *value <= MAX)
        .map_or_else(|| text(MAX, 'H'), |(unit, value)| text(value, unit));
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("10S"))
}

/// The answer to a call that took too long.
pub fn exceeded() -> Status {
    crate::status::with_reason(Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "the deadline of the call has passed")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_parse_by_the_grpc_rule_and_junk_is_none() {
        for (text, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("250m", Some(Duration::from_millis(250))),
            ("99999999u", Some(Duration::from_micros(99_999_999))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("S", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
            ("123456789S", None),
            ("1X", None),
            ("1é", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_limit_is_capped_and_defaulted() {
        let deadlines = Deadlines { default: Duration::from_secs(2), cap: Duration::from_secs(5) };
        let headers = |text: &'static str| HeaderMap::from_iter([(GRPC_TIMEOUT, HeaderValue::from_static(text))]);
        assert_eq!(deadlines.limit(&HeaderMap::new()), Duration::from_secs(2));
        assert_eq!(deadlines.limit(&headers("1S")), Duration::from_secs(1));
        assert_eq!(deadlines.limit(&headers("99999999H")), Duration::from_secs(5));
        assert_eq!(deadlines.limit(&headers("soon")), Duration::from_secs(2));
    }

    #[test]
    fn a_rendered_timeout_reads_back_no_shorter() {
        for left in [0, 1, 999, 1_000_001, 120_000_000_000, 99_999_999_000, 7_200_000_000_001_u64] {
            let left = Duration::from_nanos(left);
            let again = parse(render(left).to_str().unwrap()).unwrap();
            assert!(again >= left && again <= left + Duration::from_secs(1), "{left:?} {again:?}");
        }
    }
}
