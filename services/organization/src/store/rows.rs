//! Rows of the organization's tables and the way from domain types to them and back. What queries filter or sort by
//! stands in columns, the rest in `doc`.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt, known};
use kernel::Currency;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    ApiKey, ApiKeyId, Branch, BranchId, BranchKind, Children, Reach, RoleGrant, StaffMember, StaffMemberId,
};

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
    Table::new("branch_children", 1, &[("id", Kind::Uuid), ("working", Kind::Int)], OnConflict::Update);

/// A row of `branch_children`.
#[derive(sqlx::FromRow)]
pub struct ChildrenRow {
    id: Uuid,
    working: i64,
}

impl Aggregate for Children {
    const TABLE: &'static Table = &CHILDREN;
    const TYPE: &'static str = "branch_children";
    type Row = ChildrenRow;

    fn from_row(row: ChildrenRow) -> Result<Self, Corrupt> {
        Ok(Self { id: BranchId(row.id), working: row.working, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).int(self.working);
    }
    commit::identity!(id, version);
}

static STAFF_MEMBER: Table = Table::new(
    "staff_member",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("home_branch_id", Kind::Uuid),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct GrantDoc {
    role: String,
    all_branches: bool,
    branch_ids: Vec<Uuid>,
}

#[derive(Serialize, Deserialize)]
struct StaffMemberDoc {
    display_name: String,
    grants: Vec<GrantDoc>,
}

/// A row of `staff_member`.
#[derive(sqlx::FromRow)]
pub struct StaffMemberRow {
    id: Uuid,
    version: i64,
    home_branch_id: Option<Uuid>,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<StaffMemberDoc>,
}

impl Aggregate for StaffMember {
    const TABLE: &'static Table = &STAFF_MEMBER;
    const TYPE: &'static str = "staff_member";
    type Row = StaffMemberRow;

    fn from_row(row: StaffMemberRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let grants = doc
            .grants
            .into_iter()
            .map(|grant| {
                Ok(RoleGrant { role: grant.role, reach: reach(row.id, grant.all_branches, &grant.branch_ids)? })
            })
            .collect::<Result<_, Corrupt>>()?;
        Ok(Self {
            id: StaffMemberId(row.id),
            version: row.version,
            display_name: doc.display_name,
            grants,
            home: row.home_branch_id.map(BranchId),
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let grants = self.grants.iter().map(|grant| GrantDoc {
            role: grant.role.clone(),
            all_branches: grant.reach.is_all(),
            branch_ids: grant.reach.branches().to_vec(),
        });
        let doc = json(&StaffMemberDoc { display_name: self.display_name.clone(), grants: grants.collect() });
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.home.map(BranchId::uuid))
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version, branch?: home);
}

static API_KEY: Table = Table::new(
    "api_key",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("secret_hash", Kind::Bytes),
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
        let secret_hash = row
            .secret_hash
            .try_into()
            .map_err(|_| Corrupt(format!("api key {}: its hash has another length", row.id)))?;
        Ok(Self {
            id: ApiKeyId(row.id),
            version: row.version,
            secret_hash,
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
            .flag(self.reach.is_all())
            .int(self.expires_at_us)
            .int(self.revoked_at_us)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(doc.as_str());
    }

    commit::identity!(id, version);
}

fn reach(id: Uuid, all_branches: bool, branch_ids: &[Uuid]) -> Result<Reach, Corrupt> {
    Reach::read(all_branches, branch_ids).map_err(|_| Corrupt(format!("{id}: neither all branches nor some")))
}

/// Documents are plain data with text keys: they always become JSON.
fn json<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}
