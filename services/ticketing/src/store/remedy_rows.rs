//! Rows of what is promised and given to make good: mandates, budgets and their ledger, tallies, deadlines, staff.
//! What nobody searches by stands in `doc` as a whole.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Append, Corrupt, known};
use uuid::Uuid;

use crate::domain::ComplaintId;
use crate::domain::budget::{Account, Budget, BudgetEntry};
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::mandate::Mandate;
use crate::domain::routing::{Affinity, Roster};
use crate::domain::staff::Staff;
use crate::domain::tally::Tally;
use crate::domain::template::Template;

/// Declares aggregates that are stored as a document: `Type "table" id_field RowName { column: kind = value }`. The
/// columns are there for queries; they are written and not read.
macro_rules! documents {
    ($($type:ident $table:literal $id:ident $row:ident $static:ident { $($column:literal $kind:ident = |$it:ident| $value:expr),* })+) => {$(
        static $static: Table = Table::new(
            $table,
            1,
            &[("id", Kind::Uuid), ("version", Kind::Int), $(($column, documents!(kind $kind)),)* ("doc", Kind::Json)],
            OnConflict::Update,
        );

        #[doc = concat!("A row of `", $table, "`.")]
        #[derive(sqlx::FromRow)]
        pub struct $row {
            version: i64,
            doc: Json<$type>,
        }

        impl Aggregate for $type {
            const TABLE: &'static Table = &$static;
            const TYPE: &'static str = $table;
            type Row = $row;

            fn from_row(row: $row) -> Result<Self, Corrupt> {
                Ok(Self { version: row.version, ..row.doc.0 })
            }

            fn to_row(&self, row: &mut Rows) {
                // Documents hold nothing that JSON cannot: no maps with odd keys, no floats.
                let doc = serde_json::to_string(self).unwrap_or_default();
                row.uuid(Uuid::from(self.$id)).int(self.version);
                $({ let $it = self; row.$kind($value); })*
                row.text(doc.as_str());
            }

            commit::identity!($id, version);
        }
    )+};
    (kind uuid) => { Kind::Uuid };
    (kind text) => { Kind::Text };
}

documents! {
    Mandate "mandate" branch MandateRow MANDATE {}
    Budget "budget" id BudgetRow BUDGET {
        "branch_id" uuid = |budget| budget.branch.uuid(),
        "period" text = |budget| budget.period.as_str()
    }
    Tally "tally" id TallyRow TALLY {}
    Staff "staff" id StaffRow STAFF {}
    Template "template" id TemplateRow TEMPLATE {}
    Roster "roster" branch RosterRow ROSTER {}
    Affinity "affinity" customer AffinityRow AFFINITY {}
}

static BUDGET_ENTRY: Table = Table::new(
    "budget_entry",
    1,
    &[
        ("id", Kind::Uuid),
        ("budget_id", Kind::Uuid),
        ("from_account", Kind::Text),
        ("to_account", Kind::Text),
        ("amount", Kind::Int),
        ("complaint_id", Kind::Uuid),
        ("moved_by", Kind::Text),
        ("at_us", Kind::Int),
    ],
    OnConflict::Fail,
);

impl Append for BudgetEntry {
    const TABLE: &'static Table = &BUDGET_ENTRY;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id)
            .uuid(self.budget)
            .text(Account::code(self.from))
            .text(Account::code(self.to))
            .int(self.amount)
            .uuid(self.complaint.uuid())
            .text(self.by.as_str())
            .int(self.at_us);
    }
}

static DEADLINE: Table = Table::new(
    "deadline",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("complaint_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("subject_id", Kind::Uuid),
        ("due_at_us", Kind::Int),
        ("done", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `deadline`.
#[derive(sqlx::FromRow)]
pub struct DeadlineRow {
    id: Uuid,
    version: i64,
    complaint_id: Uuid,
    kind: String,
    subject_id: Uuid,
    due_at_us: i64,
    done: i64,
}

impl Aggregate for Deadline {
    const TABLE: &'static Table = &DEADLINE;
    const TYPE: &'static str = "deadline";
    type Row = DeadlineRow;

    fn from_row(row: DeadlineRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: row.id,
            version: row.version,
            complaint: ComplaintId(row.complaint_id),
            kind: known(DeadlineKind::find(&row.kind), &DEADLINE, row.id, "kind", &row.kind)?,
            subject: row.subject_id,
            due_at_us: row.due_at_us,
            done: row.done == 1,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id)
            .int(self.version)
            .uuid(self.complaint.uuid())
            .text(self.kind.code())
            .uuid(self.subject)
            .int(self.due_at_us)
            .flag(self.done);
    }

    commit::identity!(id, version);
}
