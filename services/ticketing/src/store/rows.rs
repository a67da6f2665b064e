//! Rows of the ticketing tables and the way from domain types to them and back. What queries filter or sort
//! by stands in columns, the rest of a complaint in `doc`.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use calendar::CalendarSpec;
use commit::{Aggregate, Append, Corrupt, known};
use uuid::Uuid;

use super::clock_rows::calendar_text;
use crate::domain::branch::Branch;
use crate::domain::code::Channel;
use crate::domain::complaint::{Complaint, Story};
use crate::domain::follow_up::{FollowUp, FollowUpKind, FollowUpState};
use crate::domain::history::HistoryEntry;
use crate::domain::interaction::{Direction, Extras, Interaction, Words};
use crate::domain::lifecycle::State;
use crate::domain::number::Counter;
use crate::domain::{BranchId, ComplaintId, CustomerId, FollowUpId, InteractionId, StaffId};

/// What a flag that may be unknown is stored as: the names of `Ternary` in the contract.
const fn ternary(flag: Option<bool>) -> &'static str {
    match flag {
        Some(true) => "YES",
        Some(false) => "NO",
        None => "UNSPECIFIED",
    }
}

pub(crate) static COMPLAINT: Table = Table::new(
    "complaint",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("number", Kind::Text),
        ("state", Kind::Text),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("owner_staff_id", Kind::Uuid),
        ("channel", Kind::Text),
        ("opened_at_us", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("source_system", Kind::Text),
        ("product", Kind::Text),
        ("company_response", Kind::Text),
        ("timely", Kind::Text),
        ("disputed", Kind::Text),
        ("sla_state", Kind::Text),
        ("sla_due_at_us", Kind::Int),
        ("sla_next_at_us", Kind::Int),
        ("severity", Kind::Text),
        ("category", Kind::Text),
        ("cause", Kind::Text),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

/// A row of `complaint`. The columns that are there for statistics alone are written from `doc` and not read.
#[derive(Clone, sqlx::FromRow)]
pub struct ComplaintRow {
    pub(crate) id: Uuid,
    version: i64,
    number: String,
    state: String,
    branch_id: Uuid,
    customer_id: Option<Uuid>,
    owner_staff_id: Option<Uuid>,
    channel: Option<String>,
    opened_at_us: i64,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<Story>,
}

impl Aggregate for Complaint {
    const TABLE: &'static Table = &COMPLAINT;
    const TYPE: &'static str = "complaint";
    type Row = ComplaintRow;

    fn from_row(row: ComplaintRow) -> Result<Self, Corrupt> {
        let channel = row.channel.map(|code| known(Channel::find(&code), &COMPLAINT, row.id, "channel", &code));
        Ok(Self {
            id: ComplaintId(row.id),
            version: row.version,
            number: row.number,
            state: known(State::find(&row.state), &COMPLAINT, row.id, "state", &row.state)?,
            branch: BranchId(row.branch_id),
            customer: row.customer_id.map(CustomerId),
            owner: row.owner_staff_id.map(StaffId),
            channel: channel.transpose()?,
            opened_at_us: row.opened_at_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            story: row.doc.0,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let origin = self.story.origin.as_ref();
        // A story holds nothing that JSON cannot: no maps with odd keys, no floats.
        let doc = serde_json::to_string(&self.story).unwrap_or_default();
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.number.as_str())
            .text(self.state.code())
            .uuid(self.branch.uuid())
            .uuid(self.customer.map(CustomerId::uuid))
            .uuid(self.owner.map(StaffId::uuid))
            .text(self.channel.map(Channel::code))
            .int(self.opened_at_us)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(origin.map(|case| case.source_system.as_str()))
            .text(origin.map(|case| case.product.as_str()))
            .text(origin.map(|case| case.response.code()))
            .text(origin.map(|case| ternary(case.timely)))
            .text(origin.map(|case| ternary(case.disputed)))
            .text((!self.story.sla.is_empty()).then(|| self.story.sla.state.code()))
            .int(self.story.sla.due_at_us)
            .int(self.story.sla.next_at_us)
            .text(self.story.severity.code())
            .text(self.story.category.as_deref())
            .text(self.story.cause())
            .text(doc.as_str());
    }

    commit::identity!(id, version, branch: branch, customer?: customer);
}

static HISTORY: Table = Table::new(
    "complaint_history",
    2,
    &[
        ("complaint_id", Kind::Uuid),
        ("version", Kind::Int),
        ("kind", Kind::Text),
        ("actor", Kind::Text),
        ("from_state", Kind::Text),
        ("to_state", Kind::Text),
        ("code", Kind::Text),
        ("occurred_at_us", Kind::Int),
    ],
    OnConflict::Fail,
);

/// A row of `complaint_history`.
#[derive(sqlx::FromRow)]
pub struct HistoryRow {
    complaint_id: Uuid,
    version: i64,
    kind: String,
    actor: String,
    from_state: Option<String>,
    to_state: String,
    code: Option<String>,
    occurred_at_us: i64,
}

impl Append for HistoryEntry {
    const TABLE: &'static Table = &HISTORY;

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.complaint.uuid())
            .int(self.version)
            .text(self.kind.as_str())
            .text(self.actor.as_str())
            .text(self.from.map(State::code))
            .text(self.to.code())
            .text(self.code.as_deref())
            .int(self.occurred_at_us);
    }
}

impl TryFrom<HistoryRow> for HistoryEntry {
    type Error = Corrupt;

    fn try_from(row: HistoryRow) -> Result<Self, Corrupt> {
        let state = |code: &str| known(State::find(code), &HISTORY, row.complaint_id, "step", code);
        Ok(Self {
            complaint: ComplaintId(row.complaint_id),
            version: row.version,
            from: row.from_state.as_deref().map(state).transpose()?,
            to: state(&row.to_state)?,
            kind: row.kind,
            actor: row.actor,
            code: row.code,
            occurred_at_us: row.occurred_at_us,
        })
    }
}

static INTERACTION: Table = Table::new(
    "interaction",
    1,
    &[
        ("id", Kind::Uuid),
        ("complaint_id", Kind::Uuid),
        ("seq", Kind::Int),
        ("direction", Kind::Text),
        ("channel", Kind::Text),
        ("body", Kind::Text),
        ("external_message_id", Kind::Text),
        ("recorded_by", Kind::Text),
        ("occurred_at_us", Kind::Int),
        ("recorded_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Fail,
);

/// A row of `interaction`.
#[derive(sqlx::FromRow)]
pub struct InteractionRow {
    id: Uuid,
    complaint_id: Uuid,
    seq: i64,
    direction: String,
    channel: Option<String>,
    body: String,
    external_message_id: Option<String>,
    recorded_by: String,
    occurred_at_us: i64,
    recorded_at_us: i64,
    doc: Option<Json<Extras>>,
}

impl Aggregate for Interaction {
    const TABLE: &'static Table = &INTERACTION;
    const TYPE: &'static str = "interaction";
    type Row = InteractionRow;

    fn from_row(row: InteractionRow) -> Result<Self, Corrupt> {
        let channel = row.channel.map(|code| known(Channel::find(&code), &INTERACTION, row.id, "channel", &code));
        Ok(Self {
            id: InteractionId(row.id),
            complaint: ComplaintId(row.complaint_id),
            seq: row.seq,
            words: Words {
                direction: known(Direction::find(&row.direction), &INTERACTION, row.id, "direction", &row.direction)?,
                channel: channel.transpose()?,
                body: row.body,
                external_message_id: row.external_message_id,
                occurred_at_us: row.occurred_at_us,
                extras: row.doc.map(|extras| extras.0).unwrap_or_default(),
            },
            recorded_by: row.recorded_by,
            recorded_at_us: row.recorded_at_us,
            version: 1,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let extras = &self.words.extras;
        let extras = (!extras.is_empty()).then(|| serde_json::to_string(extras).unwrap_or_default());
        row.uuid(self.id.uuid())
            .uuid(self.complaint.uuid())
            .int(self.seq)
            .text(self.words.direction.code())
            .text(self.words.channel.map(Channel::code))
            .text(self.words.body.as_str())
            .text(self.words.external_message_id.as_deref())
            .text(self.recorded_by.as_str())
            .int(self.words.occurred_at_us)
            .int(self.recorded_at_us)
            .text(extras.as_deref());
    }

    commit::identity!(id, version);
}

static FOLLOW_UP: Table = Table::new(
    "follow_up",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("complaint_id", Kind::Uuid),
        ("complaint_number", Kind::Text),
        ("branch_id", Kind::Uuid),
        ("customer_id", Kind::Uuid),
        ("kind", Kind::Text),
        ("state", Kind::Text),
        ("attempt", Kind::Int),
        ("due_at_us", Kind::Int),
        ("completed_at_us", Kind::Int),
        ("note", Kind::Text),
    ],
    OnConflict::Update,
);

/// A row of `follow_up`.
#[derive(sqlx::FromRow)]
pub struct FollowUpRow {
    id: Uuid,
    version: i64,
    complaint_id: Uuid,
    complaint_number: String,
    branch_id: Uuid,
    customer_id: Option<Uuid>,
    kind: String,
    state: String,
    attempt: i64,
    due_at_us: i64,
    completed_at_us: Option<i64>,
    note: String,
}

impl Aggregate for FollowUp {
    const TABLE: &'static Table = &FOLLOW_UP;
    const TYPE: &'static str = "follow_up";
    type Row = FollowUpRow;

    fn from_row(row: FollowUpRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: FollowUpId(row.id),
            version: row.version,
            complaint: ComplaintId(row.complaint_id),
            complaint_number: row.complaint_number,
            branch: BranchId(row.branch_id),
            customer: row.customer_id.map(CustomerId),
            kind: known(FollowUpKind::find(&row.kind), &FOLLOW_UP, row.id, "kind", &row.kind)?,
            state: known(FollowUpState::find(&row.state), &FOLLOW_UP, row.id, "state", &row.state)?,
            attempt: i32::try_from(row.attempt).unwrap_or(i32::MAX),
            due_at_us: row.due_at_us,
            completed_at_us: row.completed_at_us,
            note: row.note,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.complaint.uuid())
            .text(self.complaint_number.as_str())
            .uuid(self.branch.uuid())
            .uuid(self.customer.map(CustomerId::uuid))
            .text(self.kind.code())
            .text(self.state.code())
            .int(i64::from(self.attempt))
            .int(self.due_at_us)
            .int(self.completed_at_us)
            .text(self.note.as_str());
    }

    commit::identity!(id, version);
}

static BRANCH: Table = Table::new(
    "branch",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("time_zone", Kind::Text),
        ("currency", Kind::Text),
        ("closed", Kind::Int),
        ("parent_id", Kind::Uuid),
        ("calendar", Kind::Json),
    ],
    OnConflict::Update,
);

/// A row of `branch`.
#[derive(sqlx::FromRow)]
pub struct BranchRow {
    id: Uuid,
    version: i64,
    code: String,
    time_zone: String,
    currency: String,
    closed: i64,
    parent_id: Option<Uuid>,
    calendar: Option<Json<CalendarSpec>>,
}

impl Aggregate for Branch {
    const TABLE: &'static Table = &BRANCH;
    const TYPE: &'static str = "branch";
    type Row = BranchRow;

    fn from_row(row: BranchRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: BranchId(row.id),
            version: row.version,
            code: row.code,
            time_zone: row.time_zone,
            currency: known(row.currency.parse().ok(), &BRANCH, row.id, "currency", &row.currency)?,
            closed: row.closed == 1,
            parent: row.parent_id.map(BranchId),
            calendar: row.calendar.map(|calendar| calendar.0),
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .text(self.time_zone.as_str())
            .text(self.currency.code())
            .flag(self.closed)
            .uuid(self.parent.map(BranchId::uuid))
            .text(calendar_text(self.calendar.as_ref()).as_deref());
    }

    commit::identity!(id, version);
}

static COUNTER: Table = Table::new(
    "number_counter",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("name", Kind::Text), ("last", Kind::Int)],
    OnConflict::Update,
);

/// A row of `number_counter`.
#[derive(sqlx::FromRow)]
pub struct CounterRow {
    id: Uuid,
    version: i64,
    name: String,
    last: i64,
}

impl Aggregate for Counter {
    const TABLE: &'static Table = &COUNTER;
    const TYPE: &'static str = "number_counter";
    type Row = CounterRow;

    fn from_row(row: CounterRow) -> Result<Self, Corrupt> {
        let CounterRow { id, version, name, last } = row;
        Ok(Self { id, version, name, last })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).text(self.name.as_str()).int(self.last);
    }

    commit::identity!(id, version);
}
