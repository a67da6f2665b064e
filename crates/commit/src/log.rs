//! The event log of a service: append-only, gap-free, in commit order. Reading it, and being told when it
//! grows. Writing to it is the committer's alone.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use sqlx::FromRow;
use store::{Db, args};
use tokio::sync::watch;
use uuid::Uuid;

use crate::base::cursor_id;
use crate::sql;

/// Newest events kept in memory, so that the relay and live readers need no query.
const RECENT_EVENTS: usize = 8_192;
/// Most events of one read.
const MAX_READ: usize = 1_000;

/// One event as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// Its place in the log: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// Its id (UUIDv7).
    pub event_id: Uuid,
    /// The full type, such as `karibu.ticketing.complaint.opened.v1`.
    pub kind: String,
    /// What it is about, such as `complaint`.
    pub aggregate_type: String,
    /// The id of what it is about: the partition key of ordering.
    pub aggregate_id: Uuid,
    /// The version of the aggregate after the event; rises within an aggregate.
    pub aggregate_version: i64,
    /// The branch, for routing and scope.
    pub branch_id: Option<Uuid>,
    /// The customer, if it is about one.
    pub customer_id: Option<Uuid>,
    /// When it happened, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
    /// The W3C `traceparent` of the call that caused it.
    pub trace_context: Option<String>,
    /// The protobuf payload.
    pub payload: Bytes,
}

/// The event as protobuf, for dead letters: the fields above in their order.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(int64, tag = "1")]
    seq: i64,
    #[prost(bytes = "vec", tag = "2")]
    event_id: Vec<u8>,
    #[prost(string, tag = "3")]
    kind: String,
    #[prost(string, tag = "4")]
    aggregate_type: String,
    #[prost(bytes = "vec", tag = "5")]
    aggregate_id: Vec<u8>,
    #[prost(int64, tag = "6")]
    aggregate_version: i64,
    #[prost(bytes = "vec", optional, tag = "7")]
    branch_id: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "8")]
    customer_id: Option<Vec<u8>>,
    #[prost(int64, tag = "9")]
    occurred_at_us: i64,
    #[prost(int64, tag = "10")]
    recorded_at_us: i64,
    #[prost(string, optional, tag = "11")]
    trace_context: Option<String>,
    #[prost(bytes = "bytes", tag = "12")]
    payload: Bytes,
}

impl LogEvent {
    /// The whole event as bytes, to be kept with a dead letter.
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |id: Uuid| id.as_bytes().to_vec();
        prost::Message::encode_to_vec(&Stored {
            seq: self.seq,
            event_id: bytes(self.event_id),
            kind: self.kind.clone(),
            aggregate_type: self.aggregate_type.clone(),
            aggregate_id: bytes(self.aggregate_id),
            aggregate_version: self.aggregate_version,
            branch_id: self.branch_id.map(bytes),
            customer_id: self.customer_id.map(bytes),
            occurred_at_us: self.occurred_at_us,
            recorded_at_us: self.recorded_at_us,
            trace_context: self.trace_context.clone(),
            payload: self.payload.clone(),
        })
    }

    /// The event that [`Self::to_bytes`] gave; `None` when the bytes are not one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = prost::Message::decode(bytes).ok()?;
        let id = |bytes: Vec<u8>| Uuid::from_slice(&bytes).ok();
        let maybe = |bytes: Option<Vec<u8>>| bytes.map_or(Some(None), |bytes| id(bytes).map(Some));
        Some(Self {
            seq: stored.seq,
            event_id: id(stored.event_id)?,
            kind: stored.kind,
            aggregate_type: stored.aggregate_type,
            aggregate_id: id(stored.aggregate_id)?,
            aggregate_version: stored.aggregate_version,
            branch_id: maybe(stored.branch_id)?,
            customer_id: maybe(stored.customer_id)?,
            occurred_at_us: stored.occurred_at_us,
            recorded_at_us: stored.recorded_at_us,
            trace_context: stored.trace_context,
            payload: stored.payload,
        })
    }
}

/// What a log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct LogBounds {
    /// Changes only when the history of the database forked.
    pub epoch: i64,
    /// The oldest event still kept.
    pub floor_seq: i64,
    /// The newest event; 0 = none yet.
    pub last_seq: i64,
}

/// The log of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventLog {
    name: &'static str,
    db: Db,
    head: Arc<watch::Sender<i64>>,
    recent: Arc<Mutex<VecDeque<Arc<LogEvent>>>>,
    /// Counts the times that it was found to have gone back.
    setbacks: Arc<AtomicU64>,
}

impl EventLog {
    pub(crate) fn new(name: &'static str, db: Db, last_seq: i64) -> Self {
        let head = Arc::new(watch::channel(last_seq).0);
        Self { name, db, head, recent: Arc::default(), setbacks: Arc::default() }
    }

    /// The name of the log, which is the short name of its service.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The newest sequence that this process knows of. Another replica may have written more: readers
    /// look into the table from time to time, whatever this says.
    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    /// What the log holds now.
    pub async fn bounds(&self) -> store::Result<LogBounds> {
        self.db.fetch_one(sql::BOUNDS, &[]).await
    }

    /// Up to `max` (at most 1 000) events behind `after`, in order and without a gap among them. From
    /// memory when they are the newest, else from the table. Events below the floor are gone: compare
    /// [`Self::bounds`] when the first one is not `after + 1`.
    pub async fn read(&self, after: i64, max: usize) -> store::Result<Vec<Arc<LogEvent>>> {
        let max = max.min(MAX_READ);
        let recent = self.read_recent(after, max);
        if !recent.is_empty() {
            return Ok(recent);
        }
        self.read_stored(after, max).await
    }

    /// [`Self::read`] from the table, whatever stands in memory: for whoever doubts that both tell the same.
    pub async fn read_stored(&self, after: i64, max: usize) -> store::Result<Vec<Arc<LogEvent>>> {
        let max = max.min(MAX_READ);
        let rows: Vec<EventRow> = self.db.fetch_all(sql::READ_LOG, args![after, max as i64]).await?;
        Ok(rows.into_iter().map(|row| Arc::new(row.into())).collect())
    }

    /// How far `consumer` of this service's database has read `source_log`: (epoch, cursor).
    pub async fn cursor(&self, consumer: &str, source_log: &str) -> store::Result<Option<(i64, i64)>> {
        self.db.fetch_optional(sql::CURSOR, args![cursor_id(consumer, source_log)]).await
    }

    /// The committer has committed `events`: they can be read. Gives the last of them, to be announced.
    pub(crate) fn remember(&self, events: Vec<Arc<LogEvent>>) -> Option<i64> {
        let last_seq = events.last()?.seq;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        // Another replica wrote between: what is kept must stay without a gap.
        if let Some(newest) = recent.back().filter(|newest| newest.seq + 1 != events[0].seq) {
            if events[0].seq <= newest.seq {
                self.setbacks.fetch_add(1, Ordering::AcqRel);
            }
            recent.clear();
        }
        recent.extend(events);
        let surplus = recent.len().saturating_sub(RECENT_EVENTS);
        recent.drain(..surplus);
        Some(last_seq)
    }

    /// Wakes the readers.
    pub(crate) fn announce(&self, last_seq: Option<i64>) {
        let Some(last_seq) = last_seq else { return };
        // Never back: the sweep may have seen what another replica wrote behind these.
        self.head.send_modify(|head| *head = last_seq.max(*head));
    }

    /// The sweep found events of another replica.
    pub fn saw(&self, last_seq: i64) {
        self.head.send_if_modified(|head| {
            let newer = last_seq > *head;
            if newer {
                *head = last_seq;
            }
            newer
        });
    }

    /// The table holds no more than this, though more was known of: the database was restored to an older state under
    /// this process. What stands in memory of it is not true any more.
    pub fn went_back(&self, last_seq: i64) {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.setbacks.fetch_add(1, Ordering::AcqRel);
        self.head.send_replace(last_seq);
    }

    /// How often the log was found to have gone back; whoever compared it with something else must do so again then.
    pub fn setbacks(&self) -> u64 {
        self.setbacks.load(Ordering::Acquire)
    }

    fn read_recent(&self, after: i64, max: usize) -> Vec<Arc<LogEvent>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = recent.front().map(|event| event.seq) else { return Vec::new() };
        match usize::try_from(after + 1 - first) {
            Ok(skip) => recent.iter().skip(skip).take(max).cloned().collect(),
            Err(_) => Vec::new(),
        }
    }
}

#[derive(FromRow)]
struct EventRow {
    seq: i64,
    event_id: Uuid,
    #[sqlx(rename = "type")]
    kind: String,
    aggregate_type: String,
    aggregate_id: Uuid,
    aggregate_version: i64,
    branch_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    occurred_at_us: i64,
    recorded_at_us: i64,
    trace_context: Option<String>,
    payload: Vec<u8>,
}

impl From<EventRow> for LogEvent {
    fn from(row: EventRow) -> Self {
        Self {
            seq: row.seq,
            event_id: row.event_id,
            kind: row.kind,
            aggregate_type: row.aggregate_type,
            aggregate_id: row.aggregate_id,
            aggregate_version: row.aggregate_version,
            branch_id: row.branch_id,
            customer_id: row.customer_id,
            occurred_at_us: row.occurred_at_us,
            recorded_at_us: row.recorded_at_us,
            trace_context: row.trace_context,
            payload: row.payload.into(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_event_survives_its_bytes() {
        let event = LogEvent {
            seq: 7,
            event_id: Uuid::from_u128(1),
            kind: "karibu.x.y.z.v1".into(),
            aggregate_type: "y".into(),
            aggregate_id: Uuid::from_u128(2),
            aggregate_version: 3,
            branch_id: None,
            customer_id: Some(Uuid::from_u128(4)),
            occurred_at_us: 5,
            recorded_at_us: 6,
            trace_context: None,
            payload: Bytes::from_static(b"\x01\x02"),
        };
        assert_eq!(LogEvent::from_bytes(&event.to_bytes()).unwrap(), event);
        assert_eq!(LogEvent::from_bytes(b"nonsense"), None);
    }
}
