//! Rows of teams, shifts and presence.

use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt, known};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json;
use crate::domain::{BranchId, Presence, PresenceState, Roster, Shift, ShiftId, StaffMemberId, Team, TeamId};

static TEAM: Table = Table::new(
    "team",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("dissolved_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct TeamDoc {
    display_name: String,
    member_ids: Vec<StaffMemberId>,
    lead_id: Option<StaffMemberId>,
}

/// A row of `team`.
#[derive(sqlx::FromRow)]
pub struct TeamRow {
    id: Uuid,
    version: i64,
    branch_id: Uuid,
    created_at_us: i64,
    updated_at_us: i64,
    dissolved_at_us: Option<i64>,
    doc: Json<TeamDoc>,
}

impl Aggregate for Team {
    const TABLE: &'static Table = &TEAM;
    const TYPE: &'static str = "team";
    type Row = TeamRow;

    fn from_row(row: TeamRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        Ok(Self {
            id: TeamId(row.id),
            version: row.version,
            branch: BranchId(row.branch_id),
            display_name: doc.display_name,
            members: doc.member_ids,
            lead: doc.lead_id,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            dissolved_at_us: row.dissolved_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc =
            TeamDoc { display_name: self.display_name.clone(), member_ids: self.members.clone(), lead_id: self.lead };
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.branch.uuid())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .int(self.dissolved_at_us)
            .text(json(&doc).as_str());
    }

    commit::identity!(id, version, branch: branch);
}

static SHIFT: Table = Table::new(
    "shift",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("staff_member_id", Kind::Uuid),
        ("branch_id", Kind::Uuid),
        ("starts_at_us", Kind::Int),
        ("ends_at_us", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("cancelled_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `shift`.
#[derive(sqlx::FromRow)]
pub struct ShiftRow {
    id: Uuid,
    version: i64,
    staff_member_id: Uuid,
    branch_id: Uuid,
    starts_at_us: i64,
    ends_at_us: i64,
    created_at_us: i64,
    updated_at_us: i64,
    cancelled_at_us: Option<i64>,
}

impl Aggregate for Shift {
    const TABLE: &'static Table = &SHIFT;
    const TYPE: &'static str = "shift";
    type Row = ShiftRow;

    fn from_row(row: ShiftRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: ShiftId(row.id),
            version: row.version,
            member: StaffMemberId(row.staff_member_id),
            branch: BranchId(row.branch_id),
            starts_at_us: row.starts_at_us,
            ends_at_us: row.ends_at_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
            cancelled_at_us: row.cancelled_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.member.uuid())
            .uuid(self.branch.uuid())
            .int(self.starts_at_us)
            .int(self.ends_at_us)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .int(self.cancelled_at_us);
    }

    commit::identity!(id, version, branch: branch);
}

static ROSTER: Table = Table::new("roster", 1, &[("id", Kind::Uuid), ("doc", Kind::Json)], OnConflict::Update);

/// A row of `roster`.
#[derive(sqlx::FromRow)]
pub struct RosterRow {
    id: Uuid,
    doc: Json<Vec<(ShiftId, i64, i64)>>,
}

impl Aggregate for Roster {
    const TABLE: &'static Table = &ROSTER;
    const TYPE: &'static str = "roster";
    type Row = RosterRow;

    fn from_row(row: RosterRow) -> Result<Self, Corrupt> {
        let Json(shifts) = row.doc;
        Ok(Self { id: StaffMemberId(row.id), shifts, version: 0 })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).text(json(&self.shifts).as_str());
    }

    commit::identity!(id, version);
}

static PRESENCE: Table = Table::new(
    "presence",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("state", Kind::Text),
        ("since_us", Kind::Int),
        ("until_us", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `presence`.
#[derive(sqlx::FromRow)]
pub struct PresenceRow {
    id: Uuid,
    version: i64,
    branch_id: Uuid,
    state: String,
    since_us: i64,
    until_us: Option<i64>,
    created_at_us: i64,
    updated_at_us: i64,
}

impl Aggregate for Presence {
    const TABLE: &'static Table = &PRESENCE;
    const TYPE: &'static str = "presence";
    type Row = PresenceRow;

    fn from_row(row: PresenceRow) -> Result<Self, Corrupt> {
        Ok(Self {
            id: StaffMemberId(row.id),
            version: row.version,
            branch: BranchId(row.branch_id),
            state: known(PresenceState::find(&row.state), &PRESENCE, row.id, "state", &row.state)?,
            since_us: row.since_us,
            until_us: row.until_us,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid())
            .int(self.version)
            .uuid(self.branch.uuid())
            .text(self.state.as_str())
            .int(self.since_us)
            .int(self.until_us)
            .int(self.created_at_us)
            .int(self.updated_at_us);
    }

    commit::identity!(id, version, branch: branch);
}
