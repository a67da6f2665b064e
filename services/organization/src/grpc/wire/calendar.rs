//! Opening hours and sets of holidays as messages of the contract. What hours mean is checked by the crate `calendar`.

use calendar::{CalendarSpec, Fault, Holiday, OpeningCalendar};
use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::karibu::types::v1 as types;
use proto::timestamp_from_us;
use server::status;
use tonic::Status;

use super::ids;
use crate::domain::{BranchId, Cleared, Created, HolidaySet, HolidaySetId, HoursInForce, OpeningHours, Updated};

fn faulty(fault: &Fault) -> Status {
    status::invalid([(fault.field.as_str(), fault.problem.to_string().as_str())])
}

/// The hours of a request. Fails with INVALID_ARGUMENT on the field that makes no sense.
pub(crate) fn opening_hours(request: &wire::SetBranchCalendarRequest) -> Result<OpeningHours, Status> {
    let told = types::OpeningCalendar {
        // Hours are read in some zone; they hold in that of the branch.
        time_zone: "UTC".to_owned(),
        weekly: request.weekly.clone(),
        holidays: request.holidays.clone(),
        overrides: request.overrides.clone(),
        revision: 0,
    };
    let spec = CalendarSpec::from(OpeningCalendar::try_from(&told).map_err(|fault| faulty(&fault))?);
    let set_ids = ids(&request.holiday_set_ids).into_iter().map(HolidaySetId).collect();
    Ok(OpeningHours { weekly: spec.weekly, holidays: spec.holidays, overrides: spec.overrides, set_ids })
}

/// The days of a request. Fails with INVALID_ARGUMENT on the field that makes no sense.
pub(crate) fn holidays(told: &[types::Holiday]) -> Result<Vec<Holiday>, Status> {
    let told = types::OpeningCalendar { time_zone: "UTC".to_owned(), holidays: told.to_vec(), ..Default::default() };
    let known = OpeningCalendar::try_from(&told).map_err(|fault| faulty(&fault))?;
    Ok(CalendarSpec::from(known).holidays)
}

/// Hours as they are told. They were checked before they were stored.
pub(crate) fn opening_calendar(hours: Option<&CalendarSpec>) -> Option<types::OpeningCalendar> {
    OpeningCalendar::new(hours?.clone()).ok().map(|known| types::OpeningCalendar::from(&known))
}

pub(crate) fn branch_calendar(held: &HoursInForce) -> wire::BranchCalendar {
    wire::BranchCalendar {
        branch_id: held.branch.to_string(),
        owner_branch_id: held.owner.as_ref().map(BranchId::to_string).unwrap_or_default(),
        opening_calendar: opening_calendar(held.hours.as_ref()),
        holiday_set_ids: held.set_ids.iter().map(HolidaySetId::to_string).collect(),
        etag: held.own.as_ref().map_or(0, |own| own.version).to_string(),
        create_time: held.own.as_ref().map(|own| timestamp_from_us(own.created_at_us)),
        update_time: held.own.as_ref().map(|own| timestamp_from_us(own.updated_at_us)),
    }
}

pub(crate) fn holiday_set(set: &HolidaySet) -> wire::HolidaySet {
    let spec = CalendarSpec { holidays: set.holidays.clone(), ..CalendarSpec::closed("UTC") };
    wire::HolidaySet {
        holiday_set_id: set.id.to_string(),
        code: set.code.clone(),
        display_name: set.display_name.clone(),
        holidays: opening_calendar(Some(&spec)).unwrap_or_default().holidays,
        etag: set.version.to_string(),
        create_time: Some(timestamp_from_us(set.created_at_us)),
        update_time: Some(timestamp_from_us(set.updated_at_us)),
    }
}

impl Answer for Updated<HoursInForce> {
    type Wire = wire::SetBranchCalendarResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::SetBranchCalendarResponse { calendar: Some(branch_calendar(&self.0)) }
    }
}

impl Answer for Cleared<HoursInForce> {
    type Wire = wire::ClearBranchCalendarResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::ClearBranchCalendarResponse { calendar: Some(branch_calendar(&self.0)) }
    }
}

impl Answer for Created<HolidaySet> {
    type Wire = wire::CreateHolidaySetResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateHolidaySetResponse { holiday_set: Some(holiday_set(&self.0)) }
    }
}

impl Answer for Updated<HolidaySet> {
    type Wire = wire::UpdateHolidaySetResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::UpdateHolidaySetResponse { holiday_set: Some(holiday_set(&self.0)) }
    }
}
