//! Complaints, budgets and history as rows.

use commit::{Aggregate, Append, Corrupt};
use serde::{Deserialize, Serialize};
use store::{Json, Kind, OnConflict, Rows, Table, Uuid};

/// Where a complaint stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Nobody has proposed anything.
    Open,
    /// Something was proposed, and its cost is reserved.
    Proposed,
    /// Done.
    Closed,
}

impl Status {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Open, "open"), (Self::Proposed, "proposed"), (Self::Closed, "closed")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(status, _)| *status == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Result<Self, Corrupt> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found.map(|(status, _)| *status).ok_or_else(|| Corrupt(format!("status {word}")))
    }
}

/// The part of a complaint that nobody searches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// What happened, in the customer's words.
    pub(crate) story: String,
    /// How it came in.
    pub(crate) channel: String,
    /// What the customer wants.
    pub(crate) wish: String,
    /// Amounts proposed so far, minor units.
    pub(crate) proposals: Vec<i64>,
}

/// A complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its version.
    pub(crate) version: i64,
    /// Where it happened.
    pub(crate) branch_id: Uuid,
    /// Whose it is.
    pub(crate) customer_id: Uuid,
    /// Where it stands.
    pub(crate) status: Status,
    /// What it is about.
    pub(crate) category: String,
    /// Who works on it.
    pub(crate) assignee_id: Option<Uuid>,
    /// What is reserved for it, minor units.
    pub(crate) amount: i64,
    /// When it was opened.
    pub(crate) opened_at_us: i64,
    /// When an answer is due.
    pub(crate) due_at_us: i64,
    /// When it was closed.
    pub(crate) closed_at_us: Option<i64>,
    /// The rest.
    pub(crate) document: Document,
}

static COMPLAINT: Table = Table::new(
    "complaint",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("status", Kind::Text),
        ("category", Kind::Text),
        ("assignee_id", Kind::Uuid),
        ("amount", Kind::Int),
        ("opened_at_us", Kind::Int),
        ("due_at_us", Kind::Int),
        ("closed_at_us", Kind::Int),
        ("document", Kind::Json),
    ],
    OnConflict::Update,
);

/// A complaint as read.
#[derive(sqlx::FromRow)]
pub(crate) struct ComplaintRow {
    id: Uuid,
    version: i64,
    branch_id: Uuid,
    customer_id: Uuid,
    status: String,
    category: String,
    assignee_id: Option<Uuid>,
    amount: i64,
    opened_at_us: i64,
    due_at_us: i64,
    closed_at_us: Option<i64>,
    document: Json<Document>,
}

impl Aggregate for Complaint {
    const TABLE: &'static Table = &COMPLAINT;
    const TYPE: &'static str = "complaint";
    type Row = ComplaintRow;

    fn from_row(row: ComplaintRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: row.id,
            version: row.version,
            branch_id: row.branch_id,
            customer_id: row.customer_id,
            status: Status::parse(&row.status)?,
            category: row.category,
            assignee_id: row.assignee_id,
            amount: row.amount,
            opened_at_us: row.opened_at_us,
            due_at_us: row.due_at_us,
            closed_at_us: row.closed_at_us,
            document: row.document.0,
        })
    }
    fn to_row(&self, row: &mut Rows) {
        let document = serde_json::to_string(&self.document).unwrap_or_default();
        row.uuid(self.id)
            .int(self.version)
            .uuid(self.branch_id)
            .uuid(self.customer_id)
            .text(self.status.word())
            .text(self.category.as_str())
            .uuid(self.assignee_id)
            .int(self.amount)
            .int(self.opened_at_us)
            .int(self.due_at_us)
            .int(self.closed_at_us)
            .text(document.as_str());
    }
    fn id(&self) -> Uuid {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
    fn branch(&self) -> Option<Uuid> {
        Some(self.branch_id)
    }
    fn customer(&self) -> Option<Uuid> {
        Some(self.customer_id)
    }
}

/// What a branch may give away.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Budget {
    /// The branch.
    pub(crate) id: Uuid,
    /// Its version.
    pub(crate) version: i64,
    /// The most, minor units.
    pub(crate) most: i64,
    /// What is reserved, minor units.
    pub(crate) reserved: i64,
}

static BUDGET: Table = Table::new(
    "budget",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("most", Kind::Int), ("reserved", Kind::Int)],
    OnConflict::Update,
);

impl Aggregate for Budget {
    const TABLE: &'static Table = &BUDGET;
    const TYPE: &'static str = "budget";
    type Row = Self;

    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.most).int(self.reserved);
    }
    fn id(&self) -> Uuid {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
}

/// One change of a complaint.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Of which complaint.
    pub(crate) complaint_id: Uuid,
    /// Its version after the change.
    pub(crate) version: i64,
    /// When.
    pub(crate) at_us: i64,
    /// Who did it.
    pub(crate) by: String,
    /// What was done.
    pub(crate) kind: &'static str,
    /// Amount, minor units.
    pub(crate) amount: i64,
}

static HISTORY: Table = Table::new(
    "history",
    2,
    &[
        ("complaint_id", Kind::Uuid),
        ("version", Kind::Int),
        ("at_us", Kind::Int),
        ("by_whom", Kind::Text),
        ("kind", Kind::Text),
        ("amount", Kind::Int),
    ],
    OnConflict::Fail,
);

impl Append for Entry {
    const TABLE: &'static Table = &HISTORY;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.complaint_id)
            .int(self.version)
            .int(self.at_us)
            .text(self.by.as_str())
            .text(self.kind)
            .int(self.amount);
    }
}
