//! Rows of the tables that hold programmes, accounts and the rest, and the way from domain types to them and back. What
//! queries filter, sort or sum stands in columns, the rest in `doc`. The ledger stands in `ledger.rs`.

use ::store::{Json, Kind, OnConflict, Rows, Seen, Table};
use commit::{Aggregate, Append, Corrupt, known};
use kernel::{BranchScope, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{
    Account, AccountId, AccountKind, AccountState, Balances, Branch, BranchId, ComplaintGoodwill, ComplaintId,
    CustomerId, Earning, LedgerAccount, Presence, Program, ProgramId, ProgramState, Remainders, Returned, Sale, Terms,
};

static PROGRAM: Table = Table::new(
    "program",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("state", Kind::Text),
        ("rule_version", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

/// A row of `program`.
#[derive(sqlx::FromRow)]
pub struct ProgramRow {
    id: Uuid,
    version: i64,
    code: String,
    state: String,
    rule_version: i64,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<Terms>,
}

const ACTIVE: &str = "active";
const CLOSED: &str = "closed";

impl Aggregate for Program {
    const TABLE: &'static Table = &PROGRAM;
    const TYPE: &'static str = "program";
    type Row = ProgramRow;

    fn from_row(row: ProgramRow) -> Result<Self, Corrupt> {
        let state = match row.state.as_str() {
            ACTIVE => ProgramState::Active,
            CLOSED => ProgramState::Closed,
            other => return Err(Corrupt(format!("program {}: state {other}", row.id))),
        };
        Ok(Self {
            id: ProgramId(row.id),
            version: row.version,
            code: row.code,
            state,
            rule_version: row.rule_version,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            terms: row.doc.0,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let state = match self.state {
            ProgramState::Active => ACTIVE,
            ProgramState::Closed => CLOSED,
        };
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .text(state)
            .int(self.rule_version)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(json(&self.terms).as_str());
    }

    commit::identity!(id, version);
}

/// Where accounts are stored.
pub(crate) static ACCOUNT: Table = Table::new(
    "account",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("program_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("home_branch_id", Kind::Uuid),
        ("state", Kind::Text),
        ("issued", Kind::Int),
        ("debt", Kind::Int),
        ("pending", Kind::Int),
        ("available", Kind::Int),
        ("held", Kind::Int),
        ("redeemed", Kind::Int),
        ("expired", Kind::Int),
        ("reversed", Kind::Int),
        ("earned", Kind::Int),
        ("last_seq", Kind::Int),
        ("seal", Kind::Uuid),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Clone, Serialize, Deserialize)]
struct AccountDoc {
    kind: AccountKind,
    #[serde(default)]
    branches: Vec<BranchId>,
    card_number: String,
    #[serde(default, skip_serializing_if = "Remainders::is_empty")]
    spent_remainders: Remainders,
    #[serde(default, skip_serializing_if = "Remainders::is_empty")]
    returned_remainders: Remainders,
}

/// A row of `account`.
#[derive(Clone, sqlx::FromRow)]
pub struct AccountRow {
    pub(crate) id: Uuid,
    version: i64,
    program_id: Uuid,
    customer_id: Uuid,
    home_branch_id: Option<Uuid>,
    state: String,
    issued: i64,
    debt: i64,
    pending: i64,
    available: i64,
    held: i64,
    redeemed: i64,
    expired: i64,
    reversed: i64,
    earned: i64,
    last_seq: i64,
    seal: Uuid,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<AccountDoc>,
}

impl Seen for AccountRow {
    fn is_within(&self, scope: &BranchScope) -> bool {
        scope.is_all() || self.doc.branches.iter().any(|branch| scope.allows(branch.uuid()))
    }
}

impl Aggregate for Account {
    const TABLE: &'static Table = &ACCOUNT;
    const TYPE: &'static str = "account";
    type Row = AccountRow;

    fn from_row(row: AccountRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let state = known(AccountState::find(&row.state), &ACCOUNT, row.id, "state", &row.state)?;
        Ok(Self {
            id: AccountId(row.id),
            version: row.version,
            program: ProgramId(row.program_id),
            customer: CustomerId(row.customer_id),
            home_branch: row.home_branch_id.map(BranchId),
            branches: doc.branches,
            kind: doc.kind,
            state,
            card_number: doc.card_number,
            balances: Balances::stored([
                row.issued,
                row.debt,
                row.pending,
                row.available,
                row.held,
                row.redeemed,
                row.expired,
                row.reversed,
            ]),
            earned: Points(row.earned),
            last_seq: row.last_seq,
            seal: row.seal,
            spent_remainders: doc.spent_remainders,
            returned_remainders: doc.returned_remainders,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = AccountDoc {
            kind: self.kind,
            branches: self.branches.clone(),
            card_number: self.card_number.clone(),
            spent_remainders: self.spent_remainders.clone(),
            returned_remainders: self.returned_remainders.clone(),
        };
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.program.uuid())
            .uuid(self.customer.uuid())
            .uuid(self.home_branch.map(BranchId::uuid))
            .text(self.state.as_str());
        for ledger in LedgerAccount::ALL {
            row.int(self.balances.of(ledger).0);
        }
        row.int(self.earned.0)
            .int(self.last_seq)
            .uuid(self.seal)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(json(&doc).as_str());
    }

    commit::identity!(id, version, branch?: home_branch, customer: customer);
}

static ACCOUNT_BRANCH: Table =
    Table::new("account_branch", 2, &[("account_id", Kind::Uuid), ("branch_id", Kind::Uuid)], OnConflict::Fail);

impl Append for Presence {
    const TABLE: &'static Table = &ACCOUNT_BRANCH;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.account.uuid()).uuid(self.branch.uuid());
    }
}

static EARNING: Table = Table::new(
    "earning",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("program_id", Kind::Uuid), ("doc", Kind::Json)],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct EarningDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sale: Option<Sale>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    returns: Vec<Returned>,
}

/// A row of `earning`.
#[derive(sqlx::FromRow)]
pub struct EarningRow {
    id: Uuid,
    version: i64,
    program_id: Uuid,
    doc: Json<EarningDoc>,
}

impl Aggregate for Earning {
    const TABLE: &'static Table = &EARNING;
    const TYPE: &'static str = "earning";
    type Row = EarningRow;

    fn from_row(row: EarningRow) -> Result<Self, Corrupt> {
        let Json(EarningDoc { sale, returns }) = row.doc;
        Ok(Self { id: row.id, version: row.version, program: ProgramId(row.program_id), sale, returns })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = EarningDoc { sale: self.sale.clone(), returns: self.returns.clone() };
        row.uuid(self.id).int(self.version).uuid(self.program.uuid()).text(json(&doc).as_str());
    }

    commit::identity!(id, version);
}

static COMPLAINT_GOODWILL: Table = Table::new(
    "complaint_goodwill",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("granted", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `complaint_goodwill`.
#[derive(sqlx::FromRow)]
pub struct ComplaintGoodwillRow {
    id: Uuid,
    version: i64,
    branch_id: Option<Uuid>,
    customer_id: Option<Uuid>,
    granted: i64,
}

impl Aggregate for ComplaintGoodwill {
    const TABLE: &'static Table = &COMPLAINT_GOODWILL;
    const TYPE: &'static str = "complaint_goodwill";
    type Row = ComplaintGoodwillRow;

    fn from_row(row: ComplaintGoodwillRow) -> Result<Self, Corrupt> {
        Ok(Self {
            complaint: ComplaintId(row.id),
            version: row.version,
            branch: row.branch_id.map(BranchId),
            customer: row.customer_id.map(CustomerId),
            granted: Points(row.granted),
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.complaint.uuid())
            .int(self.version)
            .uuid(self.branch.map(BranchId::uuid))
            .uuid(self.customer.map(CustomerId::uuid))
            .int(self.granted.0);
    }

    commit::identity!(complaint, version, branch?: branch, customer?: customer);
}

static BRANCH: Table = Table::new(
    "branch",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("time_zone", Kind::Text), ("closed", Kind::Int)],
    OnConflict::Update,
);

/// A row of `branch`.
#[derive(sqlx::FromRow)]
pub struct BranchRow {
    id: Uuid,
    version: i64,
    time_zone: String,
    closed: i64,
}

impl Aggregate for Branch {
    const TABLE: &'static Table = &BRANCH;
    const TYPE: &'static str = "branch";
    type Row = BranchRow;

    fn from_row(row: BranchRow) -> Result<Self, Corrupt> {
        Ok(Self { id: BranchId(row.id), version: row.version, time_zone: row.time_zone, closed: row.closed == 1 })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).int(self.version).text(self.time_zone.as_str()).flag(self.closed);
    }

    commit::identity!(id, version);
}

/// Documents are plain data with text keys: they always become JSON.
fn json<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}
