//! Rows of policies, of the count of their changes, and of the hours of branches.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use calendar::CalendarSpec;
use commit::{Aggregate, Append, Corrupt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::SlaPolicyId;
use crate::domain::sla::policy::Scope;
use crate::domain::sla::rules::{BranchHours, RuleBook};
use crate::domain::sla::{SlaPolicy, Terms};

static SLA_POLICY: Table = Table::new(
    "sla_policy",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("position", Kind::Int),
        ("retired", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

/// A row of `sla_policy`.
#[derive(sqlx::FromRow)]
pub struct SlaPolicyRow {
    id: Uuid,
    version: i64,
    code: String,
    position: i64,
    retired: i64,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<Content>,
}

/// What of a policy is only read with it.
#[derive(Serialize, Deserialize)]
struct Content {
    scope: Scope,
    terms: Terms,
}

impl Aggregate for SlaPolicy {
    const TABLE: &'static Table = &SLA_POLICY;
    const TYPE: &'static str = "sla_policy";
    type Row = SlaPolicyRow;

    fn from_row(row: SlaPolicyRow) -> Result<Self, Corrupt> {
        let Content { scope, terms } = row.doc.0;
        Ok(Self {
            id: SlaPolicyId(row.id),
            version: row.version,
            code: row.code,
            position: row.position,
            scope,
            terms,
            retired: row.retired == 1,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let content = Content { scope: self.scope.clone(), terms: self.terms.clone() };
        let doc = serde_json::to_string(&content).unwrap_or_default();
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .int(self.position)
            .flag(self.retired)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version);
}

static RULE_BOOK: Table = Table::new(
    "rule_book",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("revision", Kind::Int), ("swept", Kind::Int)],
    OnConflict::Update,
);

/// A row of `rule_book`.
#[derive(sqlx::FromRow)]
pub struct RuleBookRow {
    id: Uuid,
    version: i64,
    revision: i64,
    swept: i64,
}

impl Aggregate for RuleBook {
    const TABLE: &'static Table = &RULE_BOOK;
    const TYPE: &'static str = "rule_book";
    type Row = RuleBookRow;

    fn from_row(row: RuleBookRow) -> Result<Self, Corrupt> {
        let RuleBookRow { id, version, revision, swept } = row;
        Ok(Self { id, version, revision, swept })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.revision).int(self.swept);
    }

    commit::identity!(id, version);
}

static BRANCH_HOURS: Table = Table::new(
    "branch_hours",
    2,
    &[("branch_id", Kind::Uuid), ("since_us", Kind::Int), ("calendar", Kind::Json)],
    OnConflict::Update,
);

impl Append for BranchHours {
    const TABLE: &'static Table = &BRANCH_HOURS;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.branch.uuid()).int(self.since_us).text(calendar_text(self.calendar.as_ref()).as_deref());
    }
}

/// A row of `branch_hours`.
#[derive(sqlx::FromRow)]
pub(super) struct BranchHoursRow {
    pub(super) branch_id: Uuid,
    pub(super) since_us: i64,
    pub(super) calendar: Option<Json<CalendarSpec>>,
}

/// Opening hours as they are stored.
pub(super) fn calendar_text(calendar: Option<&CalendarSpec>) -> Option<String> {
    calendar.map(|calendar| serde_json::to_string(calendar).unwrap_or_default())
}
