//! Rows of stored roles, of the use of keys and of counts.

use std::collections::BTreeSet;

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json;
use crate::domain::{ApiKeyId, ApiKeyUse, Permission, Role, RoleId, Tally};

static ROLE: Table = Table::new(
    "role",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("deleted_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct RoleDoc {
    display_name: String,
    /// Numbers of the contract.
    permissions: Vec<i32>,
}

/// A row of `role`.
#[derive(sqlx::FromRow)]
pub struct RoleRow {
    id: Uuid,
    version: i64,
    code: String,
    created_at_us: i64,
    updated_at_us: i64,
    deleted_at_us: Option<i64>,
    doc: Json<RoleDoc>,
}

impl Aggregate for Role {
    const TABLE: &'static Table = &ROLE;
    const TYPE: &'static str = "role";
    type Row = RoleRow;

    fn from_row(row: RoleRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        // A number that this program does not know any more allows nothing.
        let permissions: BTreeSet<Permission> = doc.permissions.into_iter().filter_map(Permission::find).collect();
        Ok(Self {
            id: RoleId(row.id),
            version: row.version,
            code: row.code,
            display_name: doc.display_name,
            permissions,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            deleted_at_us: row.deleted_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let permissions = self.permissions.iter().map(|permission| permission.number()).collect();
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .int(self.deleted_at_us)
            .text(json(&RoleDoc { display_name: self.display_name.clone(), permissions }).as_str());
    }

    commit::identity!(id, version);
}

static API_KEY_USE: Table =
    Table::new("api_key_use", 1, &[("id", Kind::Uuid), ("last_used_at_us", Kind::Int)], OnConflict::Update);

/// A row of `api_key_use`.
#[derive(sqlx::FromRow)]
pub struct ApiKeyUseRow {
    id: Uuid,
    last_used_at_us: i64,
}

impl Aggregate for ApiKeyUse {
    const TABLE: &'static Table = &API_KEY_USE;
    const TYPE: &'static str = "api_key_use";
    type Row = ApiKeyUseRow;

    fn from_row(row: ApiKeyUseRow) -> Result<Self, Corrupt> {
        Ok(Self { id: ApiKeyId(row.id), last_used_at_us: row.last_used_at_us, version: 0 })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).int(self.last_used_at_us);
    }

    commit::identity!(id, version);
}

static TALLY: Table = Table::new("tally", 1, &[("id", Kind::Uuid), ("count", Kind::Int)], OnConflict::Update);

/// A row of `tally`.
#[derive(sqlx::FromRow)]
pub struct TallyRow {
    id: Uuid,
    count: i64,
}

impl Aggregate for Tally {
    const TABLE: &'static Table = &TALLY;
    const TYPE: &'static str = "tally";
    type Row = TallyRow;

    fn from_row(row: TallyRow) -> Result<Self, Corrupt> {
        Ok(Self { id: row.id, count: row.count, version: 0 })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.count);
    }

    commit::identity!(id, version);
}
