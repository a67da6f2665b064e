//! The audit trail: every change, read back from the event log with its cause, and the notes of what leaves no event
//! (reads of personal data, dead letters, keys, retention). Only ever added to; nothing here changes a row.

use std::sync::Arc;

use kernel::BranchScope;
use sqlx::FromRow;
use store::{Db, Kind, OnConflict, Rows, Table, args};
use uuid::Uuid;

use crate::aggregate::Append;
use crate::cause::Cause;
use crate::log::LogBounds;
use crate::sql;

/// Most events that one page of changes looks through. A page may be shorter than asked, even empty, and still have a
/// next one: a search of the trail costs the writers nothing in indexes, and no call can hold a connection for long.
const MAX_SCANNED: i64 = 50_000;

/// Which entries to read. Text that is empty and ids that are `None` select everything.
#[derive(Clone, Debug)]
pub struct AuditFilter {
    /// Where the reader works; entries without a branch are for readers of every branch.
    pub scope: BranchScope,
    /// Only what this subject did.
    pub who: String,
    /// Only what was done to this record.
    pub record: Option<Uuid>,
    /// Only what concerned this customer.
    pub customer: Option<Uuid>,
    /// Only from this instant on, microseconds since the Unix epoch.
    pub start_us: i64,
    /// Only before this instant, microseconds since the Unix epoch.
    pub end_us: i64,
}

/// One change of one record: an event with its cause.
#[derive(Clone, Debug, FromRow)]
pub struct Change {
    /// Its place in the log.
    pub seq: i64,
    /// The full type of the event.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// What kind of record it is.
    pub aggregate_type: String,
    /// The record.
    pub aggregate_id: Uuid,
    /// Its version after the change; the one before stands one lower.
    pub aggregate_version: i64,
    /// The branch, if any.
    pub branch_id: Option<Uuid>,
    /// The customer, if it is about one.
    pub customer_id: Option<Uuid>,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
    /// See [`Cause`].
    pub caused_by: Option<String>,
    /// The W3C `traceparent` of the call.
    pub trace_context: Option<String>,
}

/// Something that was done without an event.
#[derive(Clone, Debug)]
pub struct AuditNote {
    /// Who, from where, by which act.
    pub cause: Cause,
    /// What kind of record it was done to, such as `customer` or `dead_letter`.
    pub record_type: String,
    /// The record, if it was one.
    pub record_id: Option<Uuid>,
    /// The customer, if it concerned one.
    pub customer: Option<Uuid>,
    /// The branch, if any.
    pub branch: Option<Uuid>,
    /// How many records it concerned.
    pub items: i64,
    /// Why, in the words of whoever did it; stored encrypted.
    pub reason: Option<String>,
    /// The W3C `traceparent` of the call.
    pub trace: Option<Arc<str>>,
}

/// A note as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct NoteRow {
    /// Its id (UUIDv7 of its time).
    pub id: Uuid,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
    /// See [`Cause`].
    pub caused_by: String,
    /// What kind of record it was done to.
    pub record_type: String,
    /// The record, if it was one.
    pub record_id: Option<Uuid>,
    /// The customer, if it concerned one.
    pub customer_id: Option<Uuid>,
    /// The branch, if any.
    pub branch_id: Option<Uuid>,
    /// How many records it concerned.
    pub items: i64,
    /// Why, encrypted under the key of the customer, or of the service when there is none.
    pub reason: Option<Vec<u8>>,
    /// The W3C `traceparent` of the call.
    pub trace_context: Option<String>,
}

/// A note on its way into the table.
#[derive(Debug)]
pub(crate) struct Noted {
    pub id: Uuid,
    pub recorded_at_us: i64,
    pub note: AuditNote,
}

pub(crate) static AUDIT_LOG: Table = Table::new(
    "audit_log",
    1,
    &[
        ("id", Kind::Uuid),
        ("recorded_at_us", Kind::Int),
        ("caused_by", Kind::Text),
        ("record_type", Kind::Text),
        ("record_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("items", Kind::Int),
        ("reason", Kind::Bytes),
        ("trace_context", Kind::Text),
    ],
    OnConflict::Fail,
);

impl Append for Noted {
    const TABLE: &'static Table = &AUDIT_LOG;

    fn to_row(&self, row: &mut Rows) {
        let Self { id, recorded_at_us, note } = self;
        row.uuid(*id)
            .int(*recorded_at_us)
            .text(note.cause.as_str())
            .text(note.record_type.as_str())
            .uuid(note.record_id)
            .uuid(note.customer)
            .uuid(note.branch)
            .int(note.items);
        match &note.reason {
            Some(reason) => row.sealed(note.customer.unwrap_or_default(), *id, reason),
            None => row.bytes(None),
        };
        row.text(note.trace.as_deref());
    }
}

/// The audit trail of one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuditLog(Db);

impl AuditLog {
    /// The trail in `db`.
    pub const fn new(db: Db) -> Self {
        Self(db)
    }

    /// Up to `limit` changes before the sequence `before` (`None`: from the newest), newest first, and where the next
    /// page begins; `None` when there is nothing older to look at.
    pub async fn changes(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: i64,
    ) -> store::Result<(Vec<Change>, Option<i64>)> {
        let LogBounds { floor_seq, last_seq, .. } = self.0.fetch_one(sql::BOUNDS, &[]).await?;
        let least = self.first_at(floor_seq, last_seq, filter.start_us).await?;
        let most = match before {
            Some(before) => before.min(last_seq + 1),
            None => self.first_at(floor_seq, last_seq, filter.end_us).await?,
        };
        let from = least.max(most - MAX_SCANNED);
        let rows: Vec<Change> = self
            .0
            .fetch_all(
                sql::CHANGES,
                args![
                    filter.scope.is_all(),
                    filter.scope.branches(),
                    from,
                    most,
                    &filter.who,
                    filter.record.is_some(),
                    filter.record,
                    filter.customer.is_some(),
                    filter.customer,
                    filter.start_us,
                    filter.end_us,
                    limit,
                ],
            )
            .await?;
        let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
        let next = if is_full { rows.last().map(|last| last.seq) } else { (from > least).then_some(from) };
        Ok((rows, next))
    }

    /// Up to `limit` notes before the note `before`, newest first.
    pub async fn notes(&self, filter: &AuditFilter, before: Option<Uuid>, limit: i64) -> store::Result<Vec<NoteRow>> {
        self.0
            .fetch_all(
                sql::NOTES,
                args![
                    filter.scope.is_all(),
                    filter.scope.branches(),
                    before.unwrap_or(Uuid::max()),
                    &filter.who,
                    filter.record.is_some(),
                    filter.record,
                    filter.customer.is_some(),
                    filter.customer,
                    filter.start_us,
                    filter.end_us,
                    limit,
                ],
            )
            .await
    }

    /// The first sequence recorded at or after `at_us`; one past the last when there is none. The times in the log
    /// rise with its sequence, so a handful of look-ups find it without an index on time.
    async fn first_at(&self, floor_seq: i64, last_seq: i64, at_us: i64) -> store::Result<i64> {
        let (mut low, mut high) = (floor_seq, last_seq + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let found: Option<(i64,)> = self.0.fetch_optional(sql::RECORDED_AT, args![middle]).await?;
            if found.is_some_and(|(recorded_at_us,)| recorded_at_us < at_us) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }
}
