//! Rows of opening hours and sets of holidays.

use ::calendar::{DateHours, Holiday, Shift};
use ::store::{Json, Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::json;
use crate::domain::{BranchCalendar, BranchId, HolidaySet, HolidaySetId, HolidayUse, OpeningHours};

static BRANCH_CALENDAR: Table = Table::new(
    "branch_calendar",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct HoursDoc {
    weekly: [Vec<Shift>; 7],
    holidays: Vec<Holiday>,
    overrides: Vec<DateHours>,
    set_ids: Vec<HolidaySetId>,
}

#[derive(Serialize, Deserialize)]
struct CalendarDoc {
    hours: Option<HoursDoc>,
}

/// A row of `branch_calendar`.
#[derive(sqlx::FromRow)]
pub struct BranchCalendarRow {
    id: Uuid,
    version: i64,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<CalendarDoc>,
}

impl Aggregate for BranchCalendar {
    const TABLE: &'static Table = &BRANCH_CALENDAR;
    const TYPE: &'static str = "branch_calendar";
    type Row = BranchCalendarRow;

    fn from_row(row: BranchCalendarRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        let hours =
            |HoursDoc { weekly, holidays, overrides, set_ids }| OpeningHours { weekly, holidays, overrides, set_ids };
        Ok(Self {
            id: BranchId(row.id),
            version: row.version,
            hours: doc.hours.map(hours),
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let hours = self.hours.clone().map(|OpeningHours { weekly, holidays, overrides, set_ids }| HoursDoc {
            weekly,
            holidays,
            overrides,
            set_ids,
        });
        row.uuid(self.id.uuid())
            .int(self.version)
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(json(&CalendarDoc { hours }).as_str());
    }

    commit::identity!(id, version, branch: id);
}

static HOLIDAY_SET: Table = Table::new(
    "holiday_set",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("code", Kind::Text),
        ("created_at_us", Kind::Int),
        ("updated_at_us", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

#[derive(Serialize, Deserialize)]
struct HolidaySetDoc {
    display_name: String,
    holidays: Vec<Holiday>,
}

/// A row of `holiday_set`.
#[derive(sqlx::FromRow)]
pub struct HolidaySetRow {
    id: Uuid,
    version: i64,
    code: String,
    created_at_us: i64,
    updated_at_us: i64,
    doc: Json<HolidaySetDoc>,
}

impl Aggregate for HolidaySet {
    const TABLE: &'static Table = &HOLIDAY_SET;
    const TYPE: &'static str = "holiday_set";
    type Row = HolidaySetRow;

    fn from_row(row: HolidaySetRow) -> Result<Self, Corrupt> {
        let Json(doc) = row.doc;
        Ok(Self {
            id: HolidaySetId(row.id),
            version: row.version,
            code: row.code,
            display_name: doc.display_name,
            holidays: doc.holidays,
            created_at_us: row.created_at_us,
            updated_at_us: row.updated_at_us,
        })
    }

    fn to_row(&self, row: &mut Rows) {
        let doc = HolidaySetDoc { display_name: self.display_name.clone(), holidays: self.holidays.clone() };
        row.uuid(self.id.uuid())
            .int(self.version)
            .text(self.code.as_str())
            .int(self.created_at_us)
            .int(self.updated_at_us)
            .text(json(&doc).as_str());
    }

    commit::identity!(id, version);
}

static HOLIDAY_USE: Table =
    Table::new("holiday_use", 1, &[("id", Kind::Uuid), ("doc", Kind::Json)], OnConflict::Update);

/// A row of `holiday_use`.
#[derive(sqlx::FromRow)]
pub struct HolidayUseRow {
    id: Uuid,
    doc: Json<Vec<BranchId>>,
}

impl Aggregate for HolidayUse {
    const TABLE: &'static Table = &HOLIDAY_USE;
    const TYPE: &'static str = "holiday_use";
    type Row = HolidayUseRow;

    fn from_row(row: HolidayUseRow) -> Result<Self, Corrupt> {
        let Json(branches) = row.doc;
        Ok(Self { id: HolidaySetId(row.id), branches, version: 0 })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id.uuid()).text(json(&self.branches).as_str());
    }

    commit::identity!(id, version);
}
