//! Rows of the ledger: added, never changed.

use ::store::{Kind, OnConflict, Rows, Table};
use commit::{Append, Corrupt};
use kernel::Points;
use uuid::Uuid;

use crate::domain::{AccountId, BranchId, Cause, CompensationId, Entry, EntryId, EntryKind, LedgerAccount, PurchaseId};

static LEDGER_ENTRY: Table = Table::new(
    "ledger_entry",
    2,
    &[
        ("account_id", Kind::Uuid),
        ("seq", Kind::Int),
        ("id", Kind::Uuid),
        ("kind", Kind::Text),
        ("debit", Kind::Text),
        ("credit", Kind::Text),
        ("points", Kind::Int),
        ("purchase_id", Kind::Uuid),
        ("compensation_id", Kind::Uuid),
        ("reason_code", Kind::Text),
        ("branch_id", Kind::Uuid),
        ("actor", Kind::Text),
        ("rule_version", Kind::Int),
        ("reverses_id", Kind::Uuid),
        ("occurred_at_us", Kind::Int),
        ("recorded_at_us", Kind::Int),
        ("seal", Kind::Uuid),
    ],
    OnConflict::Fail,
);

/// A row of `ledger_entry`.
#[derive(sqlx::FromRow)]
pub(super) struct EntryRow {
    account_id: Uuid,
    seq: i64,
    id: Uuid,
    kind: String,
    debit: String,
    credit: String,
    points: i64,
    purchase_id: Option<Uuid>,
    compensation_id: Option<Uuid>,
    reason_code: String,
    branch_id: Option<Uuid>,
    actor: String,
    rule_version: i64,
    reverses_id: Option<Uuid>,
    occurred_at_us: i64,
    recorded_at_us: i64,
    seal: Uuid,
}

impl Append for Entry {
    const TABLE: &'static Table = &LEDGER_ENTRY;

    fn to_row(&self, row: &mut Rows) {
        let cause = &self.cause;
        row.uuid(self.account.uuid())
            .int(self.seq)
            .uuid(self.id.uuid())
            .text(self.kind.as_str())
            .text(self.debit.as_str())
            .text(self.credit.as_str())
            .int(self.points.0)
            .uuid(cause.purchase.map(PurchaseId::uuid))
            .uuid(cause.compensation.map(CompensationId::uuid))
            .text(cause.reason_code.as_str())
            .uuid(cause.branch.map(BranchId::uuid))
            .text(self.actor.as_str())
            .int(cause.rule_version)
            .uuid(cause.reverses.map(EntryId::uuid))
            .int(cause.occurred_at_us)
            .int(self.recorded_at_us)
            .uuid(self.seal);
    }
}

impl TryFrom<EntryRow> for Entry {
    type Error = Corrupt;

    fn try_from(row: EntryRow) -> Result<Self, Corrupt> {
        let corrupt = |what: &str| Corrupt(format!("ledger entry {} of {}: {what}", row.seq, row.account_id));
        let ledger = |word: &str| LedgerAccount::find(word).ok_or_else(|| corrupt(word));
        Ok(Self {
            id: EntryId(row.id),
            account: AccountId(row.account_id),
            seq: row.seq,
            kind: EntryKind::find(&row.kind).ok_or_else(|| corrupt(&row.kind))?,
            debit: ledger(&row.debit)?,
            credit: ledger(&row.credit)?,
            points: Points(row.points),
            cause: Cause {
                purchase: row.purchase_id.map(PurchaseId),
                compensation: row.compensation_id.map(CompensationId),
                reason_code: row.reason_code,
                branch: row.branch_id.map(BranchId),
                rule_version: row.rule_version,
                reverses: row.reverses_id.map(EntryId),
                occurred_at_us: row.occurred_at_us,
            },
            actor: row.actor,
            recorded_at_us: row.recorded_at_us,
            seal: row.seal,
        })
    }
}
