//! What the write path itself loads and saves beside the world of a service: how far a consumer has
//! read, which aggregates of a source are parked, and the dead letters.

use sqlx::FromRow;
use store::{Kind, OnConflict, Rows, Table};
use uuid::Uuid;

use crate::aggregate::{Aggregate, Append, Corrupt};
use crate::audit::Noted;
use crate::chore::Chores;
use crate::slot::{Log, Slot};

/// The move of a consumer over events of a source log, in the transaction of their effect. It succeeds
/// only when the cursor stands right before `from_seq`: this is what makes effects exactly once.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The consumer, usually the name of the reading service.
    pub consumer: &'static str,
    /// The log that is read.
    pub source_log: String,
    /// The epoch of that log; a change of it means that its history forked.
    pub epoch: i64,
    /// The first event covered.
    pub from_seq: i64,
    /// The last event covered.
    pub to_seq: i64,
}

impl Advance {
    pub(crate) fn cursor_id(&self) -> Uuid {
        cursor_id(self.consumer, &self.source_log)
    }

    pub(crate) fn parked_id(&self, aggregate: Uuid) -> Uuid {
        crate::key(&[self.consumer.as_bytes(), self.source_log.as_bytes(), aggregate.as_bytes()])
    }
}

pub(crate) fn cursor_id(consumer: &str, source_log: &str) -> Uuid {
    crate::key(&[consumer.as_bytes(), source_log.as_bytes()])
}

crate::world! {
    /// The rooms of the write path itself.
    pub(crate) struct Base {
        pub(crate) cursors: Slot<Cursor>,
        pub(crate) parked: Slot<ParkedKey>,
        pub(crate) dead: Slot<DeadLetter>,
        pub(crate) requests: Log<Answered>,
        pub(crate) log: Log<LogRow>,
        pub(crate) notes: Log<Noted>,
        pub(crate) chores: Chores,
    }
}

/// How far a consumer has read a source log.
#[derive(Clone, Debug)]
pub(crate) struct Cursor {
    pub id: Uuid,
    pub consumer: String,
    pub source_log: String,
    pub epoch: i64,
    pub cursor: i64,
    pub updated_at_us: i64,
    pub version: i64,
}

static CONSUMER: Table = Table::new(
    "consumer",
    1,
    &[
        ("id", Kind::Uuid),
        ("consumer", Kind::Text),
        ("source_log", Kind::Text),
        ("epoch", Kind::Int),
        ("cursor", Kind::Int),
        ("state", Kind::Text),
        ("updated_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

#[derive(FromRow)]
pub(crate) struct CursorRow {
    id: Uuid,
    consumer: String,
    source_log: String,
    epoch: i64,
    cursor: i64,
    updated_at_us: i64,
}

impl Aggregate for Cursor {
    const TABLE: &'static Table = &CONSUMER;
    const TYPE: &'static str = "consumer";
    type Row = CursorRow;

    fn from_row(row: CursorRow) -> Result<Self, Corrupt> {
        let CursorRow { id, consumer, source_log, epoch, cursor, updated_at_us } = row;
        Ok(Self { id, consumer, source_log, epoch, cursor, updated_at_us, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id)
            .text(self.consumer.as_str())
            .text(self.source_log.as_str())
            .int(self.epoch)
            .int(self.cursor)
            .text("live")
            .int(self.updated_at_us);
    }
    crate::identity!(id, version);
}

/// An aggregate of a source whose events wait, because one of them could not be applied.
#[derive(Clone, Debug)]
pub(crate) struct ParkedKey {
    pub id: Uuid,
    pub consumer: String,
    pub source_log: String,
    pub aggregate_id: Uuid,
    pub first_seq: i64,
    /// Dead letters that still wait; 0 = not parked any more.
    pub parked: i64,
    pub version: i64,
}

static PARKED_KEY: Table = Table::new(
    "parked_key",
    1,
    &[
        ("id", Kind::Uuid),
        ("consumer", Kind::Text),
        ("source_log", Kind::Text),
        ("aggregate_id", Kind::Uuid),
        ("first_seq", Kind::Int),
        ("parked", Kind::Int),
    ],
    OnConflict::Update,
);

#[derive(FromRow)]
pub(crate) struct ParkedRow {
    id: Uuid,
    consumer: String,
    source_log: String,
    aggregate_id: Uuid,
    first_seq: i64,
    parked: i64,
}

impl Aggregate for ParkedKey {
    const TABLE: &'static Table = &PARKED_KEY;
    const TYPE: &'static str = "parked_key";
    type Row = ParkedRow;

    fn from_row(row: ParkedRow) -> Result<Self, Corrupt> {
        let ParkedRow { id, consumer, source_log, aggregate_id, first_seq, parked } = row;
        Ok(Self { id, consumer, source_log, aggregate_id, first_seq, parked, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id)
            .text(self.consumer.as_str())
            .text(self.source_log.as_str())
            .uuid(self.aggregate_id)
            .int(self.first_seq)
            .int(self.parked);
    }
    crate::identity!(id, version);
}

/// An event that could not be applied, or that waits behind one of the same aggregate.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Its own id.
    pub id: Uuid,
    /// Who could not apply it.
    pub consumer: String,
    /// The log it comes from.
    pub source_log: String,
    /// Its sequence in that log.
    pub seq: i64,
    /// The aggregate it is about.
    pub aggregate_id: Uuid,
    /// Its full type.
    pub kind: String,
    /// The event as it was read, encoded by [`crate::LogEvent::to_bytes`].
    pub event: Vec<u8>,
    /// Why it is here.
    pub reason: String,
    /// `parked`, `redriven` or `discarded`.
    pub status: String,
    /// When it was parked, microseconds since the Unix epoch.
    pub parked_at_us: i64,
    pub(crate) version: i64,
}

static DEAD_LETTER: Table = Table::new(
    "dead_letter",
    1,
    &[
        ("id", Kind::Uuid),
        ("consumer", Kind::Text),
        ("source_log", Kind::Text),
        ("seq", Kind::Int),
        ("aggregate_id", Kind::Uuid),
        ("type", Kind::Text),
        ("event", Kind::Bytes),
        ("reason", Kind::Text),
        ("status", Kind::Text),
        ("parked_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

#[derive(FromRow)]
pub struct DeadRow {
    id: Uuid,
    consumer: String,
    source_log: String,
    seq: i64,
    aggregate_id: Uuid,
    #[sqlx(rename = "type")]
    kind: String,
    event: Vec<u8>,
    reason: String,
    status: String,
    parked_at_us: i64,
}

impl Aggregate for DeadLetter {
    const TABLE: &'static Table = &DEAD_LETTER;
    const TYPE: &'static str = "dead_letter";
    type Row = DeadRow;

    fn from_row(row: DeadRow) -> Result<Self, Corrupt> {
        let DeadRow { id, consumer, source_log, seq, aggregate_id, kind, event, reason, status, parked_at_us } = row;
        Ok(Self { id, consumer, source_log, seq, aggregate_id, kind, event, reason, status, parked_at_us, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id)
            .text(self.consumer.as_str())
            .text(self.source_log.as_str())
            .int(self.seq)
            .uuid(self.aggregate_id)
            .text(self.kind.as_str())
            .bytes(self.event.as_slice())
            .text(self.reason.as_str())
            .text(self.status.as_str())
            .int(self.parked_at_us);
    }
    crate::identity!(id, version);
}

/// The reply that a key got.
#[derive(Debug)]
pub(crate) struct Answered {
    pub key: Uuid,
    pub fingerprint: i64,
    pub reply: Vec<u8>,
    pub created_at_us: i64,
}

static REQUEST: Table = Table::new(
    "request",
    1,
    &[("key", Kind::Uuid), ("fingerprint", Kind::Int), ("reply", Kind::Bytes), ("created_at_us", Kind::Int)],
    OnConflict::Fail,
);

impl Append for Answered {
    const TABLE: &'static Table = &REQUEST;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.key).int(self.fingerprint).bytes(self.reply.as_slice()).int(self.created_at_us);
    }
}

/// An event on its way into the log.
#[derive(Debug)]
pub(crate) struct LogRow {
    pub event: std::sync::Arc<crate::LogEvent>,
    /// Who caused it and by what, see [`crate::Cause`]: for auditors, never told to consumers.
    pub caused_by: Option<std::sync::Arc<str>>,
}

static EVENT_LOG: Table = Table::new(
    "event_log",
    1,
    &[
        ("seq", Kind::Int),
        ("event_id", Kind::Uuid),
        ("type", Kind::Text),
        ("aggregate_type", Kind::Text),
        ("aggregate_id", Kind::Uuid),
        ("aggregate_version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("occurred_at_us", Kind::Int),
        ("recorded_at_us", Kind::Int),
        ("trace_context", Kind::Text),
        ("payload", Kind::Bytes),
        ("caused_by", Kind::Text),
    ],
    OnConflict::Fail,
);

impl Append for LogRow {
    const TABLE: &'static Table = &EVENT_LOG;
    fn to_row(&self, row: &mut Rows) {
        let event = &self.event;
        row.int(event.seq)
            .uuid(event.event_id)
            .text(event.kind.as_str())
            .text(event.aggregate_type.as_str())
            .uuid(event.aggregate_id)
            .int(event.aggregate_version)
            .uuid(event.branch_id)
            .uuid(event.customer_id)
            .int(event.occurred_at_us)
            .int(event.recorded_at_us)
            .text(event.trace_context.as_deref())
            .bytes(event.payload.as_ref())
            .text(self.caused_by.as_deref());
    }
}
