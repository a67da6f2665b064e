//! The envelope: CloudEvents 1.0 in binary mode over NATS headers, to and from an event of the log. What
//! comes in is hostile until it is read: nothing here panics and nothing is guessed.
//!
//! Formula sources: CloudEvents 1.0.2, NATS protocol binding (section 3.1, percent-encoding of values);
//! extensions `partitionkey`, `sequence`, `recordedtime` and distributed tracing.

use async_nats::HeaderMap;
use bytes::Bytes;
use commit::LogEvent;
use jiff::Timestamp;
use uuid::Uuid;

/// Longest header value that is read, in bytes after decoding.
const MAX_VALUE: usize = 8 * 1024;
/// The only kind of payload.
const PROTOBUF: &str = "application/protobuf";

const SPEC_VERSION: &str = "ce-specversion";
const ID: &str = "ce-id";
const SOURCE: &str = "ce-source";
const TYPE: &str = "ce-type";
const SUBJECT: &str = "ce-subject";
const TIME: &str = "ce-time";
const CONTENT_TYPE: &str = "ce-datacontenttype";
const RECORDED_TIME: &str = "ce-recordedtime";
const PARTITION_KEY: &str = "ce-partitionkey";
const SEQUENCE: &str = "ce-sequence";
const AGGREGATE_VERSION: &str = "ce-aggregateversion";
const BRANCH: &str = "ce-branch";
const CUSTOMER: &str = "ce-customer";
const TRACE_PARENT: &str = "ce-traceparent";
/// The trace of the hop, as any tracing subscriber expects it.
const HOP_TRACE_PARENT: &str = "traceparent";

/// An event on the bus: the event itself and the log it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The log it comes from, such as `ticketing`.
    pub log: String,
    /// The epoch of that log.
    pub epoch: i64,
    /// The event.
    pub event: LogEvent,
}

/// Why headers are not those of one of our events.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// A header that every event has is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// A header does not hold what it should.
    #[error("the header {0} is malformed")]
    Malformed(&'static str),
}

/// The headers of `event` in epoch `epoch` of `log`. The payload is the body as it is.
pub(crate) fn headers(log: &str, epoch: i64, event: &LogEvent) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(SPEC_VERSION, "1.0");
    headers.insert(ID, event.event_id.hyphenated().to_string());
    headers.insert(SOURCE, format!("//karibu/{}/{epoch}", encode(log)));
    headers.insert(TYPE, encode(&event.kind));
    headers.insert(SUBJECT, format!("{}/{}", encode(&event.aggregate_type), event.aggregate_id.hyphenated()));
    headers.insert(TIME, instant(event.occurred_at_us));
    headers.insert(CONTENT_TYPE, PROTOBUF);
    headers.insert(RECORDED_TIME, instant(event.recorded_at_us));
    headers.insert(PARTITION_KEY, event.aggregate_id.hyphenated().to_string());
    headers.insert(SEQUENCE, format!("{:020}", event.seq));
    headers.insert(AGGREGATE_VERSION, event.aggregate_version.to_string());
    if let Some(branch) = event.branch_id {
        headers.insert(BRANCH, branch.hyphenated().to_string());
    }
    if let Some(customer) = event.customer_id {
        headers.insert(CUSTOMER, customer.hyphenated().to_string());
    }
    if let Some(trace) = &event.trace_context {
        headers.insert(TRACE_PARENT, encode(trace));
        headers.insert(HOP_TRACE_PARENT, encode(trace));
    }
    headers
}

impl Envelope {
    /// Reads a message of the bus.
    pub(crate) fn from_message(headers: &HeaderMap, payload: Bytes) -> Result<Self, EnvelopeError> {
        if text(headers, SPEC_VERSION)? != "1.0" {
            return Err(EnvelopeError::Malformed(SPEC_VERSION));
        }
        if text(headers, CONTENT_TYPE)? != PROTOBUF {
            return Err(EnvelopeError::Malformed(CONTENT_TYPE));
        }
        let (log, epoch) = source(&text(headers, SOURCE)?).ok_or(EnvelopeError::Malformed(SOURCE))?;
        let subject = text(headers, SUBJECT)?;
        let (aggregate_type, aggregate_id) = subject.rsplit_once('/').ok_or(EnvelopeError::Malformed(SUBJECT))?;
        let event = LogEvent {
            seq: sequence(&text(headers, SEQUENCE)?).ok_or(EnvelopeError::Malformed(SEQUENCE))?,
            event_id: parse(headers, ID)?,
            kind: text(headers, TYPE)?,
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.parse().map_err(|_| EnvelopeError::Malformed(SUBJECT))?,
            aggregate_version: parse(headers, AGGREGATE_VERSION)?,
            branch_id: optional(headers, BRANCH)?,
            customer_id: optional(headers, CUSTOMER)?,
            occurred_at_us: microseconds(headers, TIME)?,
            recorded_at_us: microseconds(headers, RECORDED_TIME)?,
            trace_context: headers.get(TRACE_PARENT).map(|_| text(headers, TRACE_PARENT)).transpose()?,
            payload,
        };
        Ok(Self { log, epoch, event })
    }

    /// Reads an envelope from the headers of a message, in any order, and its payload.
    pub fn read<'a>(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        payload: Bytes,
    ) -> Result<Self, EnvelopeError> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            // What the client library takes for no header cannot come with a message.
            if let (Ok(name), Ok(value)) =
                (name.parse::<async_nats::HeaderName>(), value.parse::<async_nats::HeaderValue>())
            {
                map.insert(name, value);
            }
        }
        Self::from_message(&map, payload)
    }

    /// The headers of this envelope, in no order.
    pub fn headers(&self) -> Vec<(String, String)> {
        let headers = headers(&self.log, self.epoch, &self.event);
        let first = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
            values.first().map(|value| (name.to_string(), value.to_string()))
        };
        headers.iter().filter_map(first).collect()
    }
}

fn source(text: &str) -> Option<(String, i64)> {
    let (log, epoch) = text.strip_prefix("//karibu/")?.rsplit_once('/')?;
    Some((log.to_owned(), epoch.parse().ok()?))
}

fn sequence(text: &str) -> Option<i64> {
    let seq: i64 = if text.len() == 20 { text.parse().ok()? } else { return None };
    (seq > 0).then_some(seq)
}

/// An instant as RFC 3339; outside of the years -9999 to 9999 the nearest that can be written.
fn instant(us: i64) -> String {
    let limit = if us < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(us).unwrap_or(limit).to_string()
}

fn microseconds(headers: &HeaderMap, name: &'static str) -> Result<i64, EnvelopeError> {
    parse::<Timestamp>(headers, name).map(Timestamp::as_microsecond)
}

fn parse<T: std::str::FromStr>(headers: &HeaderMap, name: &'static str) -> Result<T, EnvelopeError> {
    text(headers, name)?.parse().map_err(|_| EnvelopeError::Malformed(name))
}

fn optional(headers: &HeaderMap, name: &'static str) -> Result<Option<Uuid>, EnvelopeError> {
    headers.get(name).map(|_| parse(headers, name)).transpose()
}

fn text(headers: &HeaderMap, name: &'static str) -> Result<String, EnvelopeError> {
    let value = headers.get(name).ok_or(EnvelopeError::Missing(name))?;
    decode(value.as_str()).ok_or(EnvelopeError::Malformed(name))
}

/// Percent-encodes what the binding asks for: space, `"`, `%`, and everything that is not printable ASCII.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, 0x21..=0x7e) && byte != b'"' && byte != b'%' {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Undoes [`encode`]; `None` when it is no text or too long. A `%` that begins no escape stands for itself,
/// as the binding asks.
fn decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| Some((digit(*bytes.get(at + 1)?)? << 4) | digit(*bytes.get(at + 2)?)?))
            .flatten();
        out.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    if out.len() > MAX_VALUE { None } else { String::from_utf8(out).ok() }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn example() -> LogEvent {
        LogEvent {
            seq: 42,
            event_id: Uuid::from_u128(1),
            kind: "karibu.ticketing.complaint.opened.v1".to_owned(),
            aggregate_type: "complaint".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            aggregate_version: 3,
            branch_id: Some(Uuid::from_u128(4)),
            customer_id: Some(Uuid::from_u128(5)),
            occurred_at_us: 1_700_000_000_123_456,
            recorded_at_us: 1_700_000_001_000_000,
            trace_context: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            payload: Bytes::from_static(b"\x0a\x01x"),
        }
    }

    /// Any event whose instants can be written as RFC 3339.
    pub(crate) fn any_event() -> impl Strategy<Value = LogEvent> {
        let ids = (any::<u128>(), any::<u128>(), any::<Option<u128>>(), any::<Option<u128>>());
        let times = (-62_000_000_000_000_000_i64..250_000_000_000_000_000, 0_i64..250_000_000_000_000_000);
        let texts = (".{0,60}", ".{0,20}", proptest::option::of(".{0,60}"));
        (ids, times, texts, 1..i64::MAX, any::<i64>(), any::<Vec<u8>>()).prop_map(
            |(ids, times, texts, seq, aggregate_version, payload)| LogEvent {
                seq,
                event_id: Uuid::from_u128(ids.0),
                kind: texts.0,
                aggregate_type: texts.1,
                aggregate_id: Uuid::from_u128(ids.1),
                aggregate_version,
                branch_id: ids.2.map(Uuid::from_u128),
                customer_id: ids.3.map(Uuid::from_u128),
                occurred_at_us: times.0,
                recorded_at_us: times.1,
                trace_context: texts.2,
                payload: payload.into(),
            },
        )
    }

    #[test]
    fn the_headers_of_an_event_are_these() {
        let envelope = Envelope { log: "ticketing".to_owned(), epoch: 1, event: example() };
        let mut headers = envelope.headers();
        headers.sort();
        let expected = [
            ("ce-aggregateversion", "3"),
            ("ce-branch", "00000000-0000-0000-0000-000000000004"),
            ("ce-customer", "00000000-0000-0000-0000-000000000005"),
            ("ce-datacontenttype", "application/protobuf"),
            ("ce-id", "00000000-0000-0000-0000-000000000001"),
            ("ce-partitionkey", "00000000-0000-0000-0000-000000000002"),
            ("ce-recordedtime", "2023-11-14T22:13:21Z"),
            ("ce-sequence", "00000000000000000042"),
            ("ce-source", "//karibu/ticketing/1"),
            ("ce-specversion", "1.0"),
            ("ce-subject", "complaint/00000000-0000-0000-0000-000000000002"),
            ("ce-time", "2023-11-14T22:13:20.123456Z"),
            ("ce-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("ce-type", "karibu.ticketing.complaint.opened.v1"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn percent_encoding_is_the_one_of_the_binding() {
        assert_eq!(encode("Euro € 😀"), "Euro%20%E2%82%AC%20%F0%9F%98%80");
        assert_eq!(encode("a\"b%c\r\n"), "a%22b%25c%0D%0A");
        assert_eq!(decode("%e2%82%ac").as_deref(), Some("€"));
        assert_eq!(decode("100%").as_deref(), Some("100%"));
        assert_eq!(decode("%zz%2").as_deref(), Some("%zz%2"));
        assert_eq!(decode("%FF"), None);
    }

    #[test]
    fn instants_that_cannot_be_written_are_cut_and_not_a_failure() {
        let mut event = example();
        (event.occurred_at_us, event.recorded_at_us) = (i64::MIN, i64::MAX);
        let headers = headers("x", 1, &event);
        let read = Envelope::from_message(&headers, Bytes::new()).unwrap().event;
        assert_eq!(read.occurred_at_us, Timestamp::MIN.as_microsecond());
        assert_eq!(read.recorded_at_us, Timestamp::MAX.as_microsecond());
    }

    proptest! {
        #[test]
        fn an_event_survives_the_bus(event in any_event(), log in ".{0,20}", epoch in any::<i64>()) {
            let headers = headers(&log, epoch, &event);
            for (_, values) in headers.iter() {
                for value in values {
                    prop_assert!(value.as_str().bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
                }
            }
            let read = Envelope::from_message(&headers, event.payload.clone());
            prop_assert_eq!(read, Ok(Envelope { log, epoch, event }));
        }

        #[test]
        fn hostile_headers_are_refused_and_never_panic(
            which in 0_usize..15, value in "[^\r\n]{0,40}", drop in any::<bool>(), payload in any::<Vec<u8>>(),
        ) {
            let mut good: Vec<(String, String)> =
                Envelope { log: "x".to_owned(), epoch: 1, event: example() }.headers();
            good.sort();
            let mut headers = HeaderMap::new();
            for (place, (name, was)) in good.iter().enumerate() {
                if place != which {
                    headers.insert(name.as_str(), was.as_str());
                } else if !drop {
                    headers.insert(name.as_str(), value.as_str());
                }
            }
            // Whatever it says, it says it without a panic; and what it accepts is an event that can be sent.
            if let Ok(read) = Envelope::from_message(&headers, payload.clone().into()) {
                prop_assert!(read.event.seq > 0);
                prop_assert_eq!(read.event.payload, payload);
            }
        }

        #[test]
        fn any_text_survives_percent_encoding(text in "\\PC{0,80}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }
    }
}
