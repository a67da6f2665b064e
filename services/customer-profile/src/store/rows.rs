//! Rows and what they mean: how each thing of the domain lies in its table.

use std::collections::BTreeMap;
use std::str::FromStr;

use ::store::{Json, Kind, OnConflict, Rows, Seen, Table};
use commit::{Aggregate, Append, Corrupt, known};
use kernel::{BranchScope, Currency, Money};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{
    Branch, BranchId, Customer, CustomerId, CustomerKind, CustomerState, Details, Line, Presence, Purchase, PurchaseId,
    PurchaseKind, Tally, TimelineEntry, Totals, Visit, VisitId,
};

static BRANCH: Table = Table::new(
    "branch",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("locale", Kind::Text), ("closed", Kind::Int)],
    OnConflict::Update,
);
static CUSTOMER: Table = Table::new(
    "customer",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("kind", Kind::Text),
        ("state", Kind::Text),
        ("home_branch_id", Kind::Uuid),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);
static TALLY: Table = Table::new(
    "tally",
    1,
    &[("customer_id", Kind::Uuid), ("version", Kind::Int), ("first_seen_at_us", Kind::Int), ("doc", Kind::Json)],
    OnConflict::Update,
);
static PRESENCE: Table =
    Table::new("presence", 2, &[("customer_id", Kind::Uuid), ("branch_id", Kind::Uuid)], OnConflict::Fail);
static VISIT: Table = Table::new(
    "visit",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("customer_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("channel", Kind::Text),
        ("touchpoint_code", Kind::Text),
        ("occurred_at_us", Kind::Int),
        ("recorded_at_us", Kind::Int),
    ],
    OnConflict::Update,
);
static PURCHASE: Table = Table::new(
    "purchase",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("source_system", Kind::Text),
        ("source_ref", Kind::Text),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("occurred_at_us", Kind::Int),
        ("recorded_at_us", Kind::Int),
        ("currency", Kind::Text),
        ("total_minor", Kind::Int),
        ("earning_minor", Kind::Int),
        ("line_count", Kind::Int),
        ("fingerprint", Kind::Int),
        ("original_source_ref", Kind::Text),
        ("lines", Kind::Json),
    ],
    OnConflict::Update,
);
static TIMELINE_ENTRY: Table = Table::new(
    "timeline_entry",
    3,
    &[
        ("customer_id", Kind::Uuid),
        ("occurred_at_us", Kind::Int),
        ("id", Kind::Uuid),
        ("service", Kind::Text),
        ("kind", Kind::Text),
        ("subject_type", Kind::Text),
        ("subject_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("facts", Kind::Json),
    ],
    OnConflict::Fail,
);

/// The JSON of a value of ours, none of which can fail: their keys are texts and their numbers whole.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[derive(FromRow)]
pub struct BranchRow {
    id: Uuid,
    version: i64,
    locale: String,
    closed: i64,
}

impl Aggregate for Branch {
    const TABLE: &'static Table = &BRANCH;
    const TYPE: &'static str = "branch";
    type Row = BranchRow;

    fn from_row(row: BranchRow) -> Result<Self, Corrupt> {
        Ok(Self { id: BranchId(row.id), version: row.version, locale: row.locale, closed: row.closed != 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).int(self.version).text(self.locale.as_str()).flag(self.closed);
    }
    commit::identity!(id, version);
}

#[derive(FromRow)]
pub struct CustomerRow {
    id: Uuid,
    version: i64,
    kind: String,
    state: String,
    home_branch_id: Uuid,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<Details>,
}

/// A customer as reads find it: with the instant at which it was first seen.
#[derive(Clone, Debug, FromRow)]
pub struct CustomerView {
    pub(super) id: Uuid,
    version: i64,
    kind: String,
    state: String,
    home_branch_id: Uuid,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<Details>,
    pub(super) first_seen_at_us: i64,
}

impl Seen for CustomerView {
    /// Where a customer was stands in another table: only who sees every branch is answered from the row alone.
    fn is_within(&self, scope: &BranchScope) -> bool {
        scope.is_all()
    }
}

pub(super) fn customer(view: CustomerView) -> Result<Customer, Corrupt> {
    let CustomerView { id, version, kind, state, home_branch_id, created_at_us, updated_at_us, doc, .. } = view;
    Customer::from_row(CustomerRow { id, version, kind, state, home_branch_id, created_at_us, updated_at_us, doc })
}

impl Aggregate for Customer {
    const TABLE: &'static Table = &CUSTOMER;
    const TYPE: &'static str = "customer";
    type Row = CustomerRow;

    fn from_row(row: CustomerRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: CustomerId(row.id),
            version: row.version,
            kind: known(CustomerKind::find(&row.kind), &CUSTOMER, row.id, "kind", &row.kind)?,
            state: known(CustomerState::find(&row.state), &CUSTOMER, row.id, "state", &row.state)?,
            home_branch: BranchId(row.home_branch_id),
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            details: row.doc.0,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.kind.code())
            .text(self.state.code())
            .uuid(self.home_branch.uuid())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(json(&self.details).as_str());
    }
    commit::identity!(id, version, branch: home_branch, customer: id);
}

#[derive(FromRow)]
pub struct TallyRow {
    customer_id: Uuid,
    version: i64,
    first_seen_at_us: i64,
    doc: Json<Totals>,
}

impl Aggregate for Tally {
    const TABLE: &'static Table = &TALLY;
    const TYPE: &'static str = "tally";
    type Row = TallyRow;

    fn from_row(row: TallyRow) -> Result<Self, Corrupt> {
        Ok(Self {
            customer: CustomerId(row.customer_id),
            version: row.version,
            first_seen_at_us: row.first_seen_at_us,
            totals: row.doc.0,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer.uuid()).int(self.version).int(self.first_seen_at_us).text(json(&self.totals).as_str());
    }
    commit::identity!(customer, version);
}

impl Append for Presence {
    const TABLE: &'static Table = &PRESENCE;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer.uuid()).uuid(self.branch.uuid());
    }
}

#[derive(FromRow)]
pub struct VisitRow {
    id: Uuid,
    version: i64,
    customer_id: Uuid,
    branch_id: Uuid,
    channel: String,
    touchpoint_code: String,
    occurred_at_us: i64,
    recorded_at_us: i64,
}

impl Aggregate for Visit {
    const TABLE: &'static Table = &VISIT;
    const TYPE: &'static str = "visit";
    type Row = VisitRow;

    fn from_row(row: VisitRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: VisitId(row.id),
            version: row.version,
            customer: CustomerId(row.customer_id),
            branch: BranchId(row.branch_id),
            channel: row.channel,
            touchpoint_code: row.touchpoint_code,
            occurred_at_us: row.occurred_at_us,
            recorded_at_us: row.recorded_at_us,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.customer.uuid())
            .uuid(self.branch.uuid())
            .text(self.channel.as_str())
            .text(self.touchpoint_code.as_str())
            .int(self.occurred_at_us)
            .int(self.recorded_at_us);
    }
    commit::identity!(id, version, branch: branch, customer: customer);
}

/// A purchase or return as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct PurchaseRow {
    pub(super) id: Uuid,
    version: i64,
    source_system: String,
    source_ref: String,
    branch_id: Uuid,
    customer_id: Option<Uuid>,
    kind: String,
    pub(super) occurred_at_us: i64,
    recorded_at_us: i64,
    currency: String,
    total_minor: i64,
    earning_minor: i64,
    fingerprint: i64,
    original_source_ref: String,
    lines: Json<Vec<Line>>,
}

impl Aggregate for Purchase {
    const TABLE: &'static Table = &PURCHASE;
    const TYPE: &'static str = "purchase";
    type Row = PurchaseRow;

    fn from_row(row: PurchaseRow) -> Result<Self, Corrupt> {
        let currency = known(Currency::from_str(&row.currency).ok(), &PURCHASE, row.id, "currency", &row.currency)?;
        Ok(Self {
            id: PurchaseId(row.id),
            version: row.version,
            source_system: row.source_system,
            source_ref: row.source_ref,
            branch: BranchId(row.branch_id),
            customer: row.customer_id.map(CustomerId),
            kind: known(PurchaseKind::find(&row.kind), &PURCHASE, row.id, "kind", &row.kind)?,
            occurred_at_us: row.occurred_at_us,
            recorded_at_us: row.recorded_at_us,
            total: Money::new(currency, row.total_minor),
            earning_total: Money::new(currency, row.earning_minor),
            fingerprint: row.fingerprint,
            original_source_ref: row.original_source_ref,
            lines: row.lines.0,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.source_system.as_str())
            .text(self.source_ref.as_str())
            .uuid(self.branch.uuid())
            .uuid(self.customer.map(CustomerId::uuid))
            .text(self.kind.code())
            .int(self.occurred_at_us)
            .int(self.recorded_at_us)
            .text(self.total.currency.code())
            .int(self.total.minor)
            .int(self.earning_total.minor)
            .int(self.lines.len() as i64)
            .int(self.fingerprint)
            .text(self.original_source_ref.as_str())
            .text(json(&self.lines).as_str());
    }
    commit::identity!(id, version, branch: branch, customer?: customer);
}

/// A line of the timeline as it is stored.
#[derive(Clone, Debug, FromRow)]
pub struct EntryRow {
    pub(super) id: Uuid,
    customer_id: Uuid,
    pub(super) occurred_at_us: i64,
    service: String,
    kind: String,
    subject_type: String,
    subject_id: Uuid,
    branch_id: Option<Uuid>,
    facts: Json<BTreeMap<String, String>>,
}

impl From<EntryRow> for TimelineEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            customer: CustomerId(row.customer_id),
            occurred_at_us: row.occurred_at_us,
            id: row.id,
            service: row.service,
            kind: row.kind,
            subject_type: row.subject_type,
            subject_id: row.subject_id,
            branch: row.branch_id.map(BranchId),
            facts: row.facts.0,
        }
    }
}

impl Append for TimelineEntry {
    const TABLE: &'static Table = &TIMELINE_ENTRY;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer.uuid())
            .int(self.occurred_at_us)
            .uuid(self.id)
            .text(self.service.as_str())
            .text(self.kind.as_str())
            .text(self.subject_type.as_str())
            .uuid(self.subject_id)
            .uuid(self.branch.map(BranchId::uuid))
            .text(json(&self.facts).as_str());
    }
}
