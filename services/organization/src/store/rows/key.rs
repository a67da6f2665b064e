//! Rows of API keys.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{json, reach};
use crate::domain::{ApiKey, ApiKeyId, FormerSecret, StaffMemberId};

static API_KEY: Table = Table::new(
    "api_key",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("secret_hash", Kind::Bytes),
        ("previous_hash", Kind::Bytes),
        ("previous_until_us", Kind::Int),
        ("rotated_at_us", Kind::Int),
        ("all_branches", Kind::Int),
        ("expires_at_us", Kind::Int),
        ("revoked_at_us", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct ApiKeyDoc {
    display_name: String,
    roles: Vec<String>,
    branch_ids: Vec<Uuid>,
    staff_member_id: Option<Uuid>,
}

/// A row of `api_key`.
#[derive(sqlx::FromRow)]
pub struct ApiKeyRow {
    id: Uuid,
    version: i64,
    secret_hash: Vec<u8>,
    previous_hash: Option<Vec<u8>>,
    previous_until_us: Option<i64>,
    rotated_at_us: Option<i64>,
    all_branches: i64,
    expires_at_us: Option<i64>,
    revoked_at_us: Option<i64>,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<ApiKeyDoc>,
}

impl Aggregate for ApiKey {
    const TABLE: &'static Table = &API_KEY;
    const TYPE: &'static str = "api_key";
    type Row = ApiKeyRow;

    fn from_row(row: ApiKeyRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let former = match (row.previous_hash, row.previous_until_us) {
            (Some(previous), Some(until_us)) => Some(FormerSecret { hash: hash(row.id, previous)?, until_us }),
            _ => None,
        };
        Ok(Self {
            id: ApiKeyId(row.id),
            version: row.version,
            secret_hash: hash(row.id, row.secret_hash)?,
            former,
            rotated_at_us: row.rotated_at_us,
            display_name: doc.display_name,
            roles: doc.roles,
            reach: reach(row.id, row.all_branches == 1, &doc.branch_ids)?,
            staff_member: doc.staff_member_id.map(StaffMemberId),
            expires_at_us: row.expires_at_us,
            revoked_at_us: row.revoked_at_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = json(&ApiKeyDoc {
            display_name: self.display_name.clone(),
            roles: self.roles.clone(),
            branch_ids: self.reach.branches().to_vec(),
            staff_member_id: self.staff_member.map(StaffMemberId::uuid),
        });
        row.uuid(self.id.uuid())
            .int(self.version)
            .bytes(self.secret_hash.as_slice())
            .bytes(self.former.as_ref().map(|former| former.hash.as_slice()))
            .int(self.former.as_ref().map(|former| former.until_us))
            .int(self.rotated_at_us)
            .flag(self.reach.is_all())
            .int(self.expires_at_us)
            .int(self.revoked_at_us)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version);
}

fn hash(id: Uuid, bytes: Vec<u8>) -> Result<[u8; 32], Corrupt> {
    bytes.try_into().map_err(|_| Corrupt(format!("api key {id}: a hash has another length")))
}
