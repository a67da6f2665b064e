//! Rows of branches and of what is counted below them.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt, known};
use kernel::Currency;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json;
use crate::domain::{Branch, BranchId, BranchKind, Children};

static BRANCH: Table = Table::new(
    "branch",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("parent_id", Kind::Uuid),
        ("code", Kind::Text),
        ("kind", Kind::Text),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("closed_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct BranchDoc {
    display_name: String,
    time_zone: String,
    currency: Currency,
    locale: String,
    #[serde(default)]
    suspended_at_us: Option<i64>,
}

/// A row of `branch`.
#[derive(sqlx::FromRow)]
pub struct BranchRow {
    id: Uuid,
    version: i64,
    parent_id: Option<Uuid>,
    code: String,
    kind: String,
    created_at_us: i64,
    updated_at_us: i64,
    closed_at_us: Option<i64>,
    doc: Json<BranchDoc>,
}

impl Aggregate for Branch {
    const TABLE: &'static Table = &BRANCH;
    const TYPE: &'static str = "branch";
    type Row = BranchRow;

    fn from_row(row: BranchRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let kind = known(BranchKind::find(&row.kind), &BRANCH, row.id, "kind", &row.kind)?;
        Ok(Self {
            id: BranchId(row.id),
            version: row.version,
            parent: row.parent_id.map(BranchId),
            code: row.code,
            kind,
            display_name: doc.display_name,
            time_zone: doc.time_zone,
            currency: doc.currency,
            locale: doc.locale,
            suspended_at_us: doc.suspended_at_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            closed_at_us: row.closed_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = json(&BranchDoc {
            display_name: self.display_name.clone(),
            time_zone: self.time_zone.clone(),
            currency: self.currency,
            locale: self.locale.clone(),
            suspended_at_us: self.suspended_at_us,
        });
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.parent.map(BranchId::uuid))
            .text(self.code.as_str())
            .text(self.kind.as_str())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .int(self.closed_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version, branch: id);
}

static CHILDREN: Table =
    Table::new("branch_children", 1, &[("id", Kind::Uuid), ("doc", Kind::Json)], OnConflict::Update);

/// A row of `branch_children`.
#[derive(sqlx::FromRow)]
pub struct ChildrenRow {
    id: Uuid,
    doc: Json<Vec<BranchId>>,
}

impl Aggregate for Children {
    const TABLE: &'static Table = &CHILDREN;
    const TYPE: &'static str = "branch_children";
    type Row = ChildrenRow;

    fn from_row(row: ChildrenRow) -> Result<Self, Corrupt> {
        let Json(ids) = row.doc;
        Ok(Self { id: BranchId(row.id), ids, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).text(json(&self.ids).as_str());
    }
    commit::identity!(id, version);
}
