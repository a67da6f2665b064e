//! Opening hours and holidays as a client sees them: inheritance, what is told to the others, open or not.

use prost::Message;
use proto::EventPayload;
use proto::karibu::organization::v1 as wire;
use proto::karibu::types::v1 as types;

use crate::bench::{Place, admin, fields, holder, reason, tree};

fn hours(weekdays: std::ops::RangeInclusive<i32>, open: i32, close: i32) -> Vec<types::WeekdayHours> {
    let intervals = vec![types::OpeningInterval { open_minute: open * 60, close_minute: close * 60 }];
    weekdays.map(|weekday| types::WeekdayHours { weekday, intervals: intervals.clone() }).collect()
}

fn set(branch_id: &str, weekly: Vec<types::WeekdayHours>, sets: &[String]) -> wire::SetBranchCalendarRequest {
    wire::SetBranchCalendarRequest {
        branch_id: branch_id.into(),
        weekly,
        holiday_set_ids: sets.to_vec(),
        ..Default::default()
    }
}

fn at(text: &str) -> Option<prost_types::Timestamp> {
    let instant: jiff::Timestamp = text.parse().unwrap();
    Some(proto::timestamp_from_us(instant.as_microsecond()))
}

fn holiday(year: i32, month: i32, day: i32, closed: &[(i32, i32)]) -> types::Holiday {
    let closed =
        closed.iter().map(|(open, close)| types::OpeningInterval { open_minute: open * 60, close_minute: close * 60 });
    let date = types::LocalDate { year, month, day };
    types::Holiday { day: Some(types::holiday::Day::Date(date)), closed: closed.collect(), set_code: String::new() }
}

async fn state(place: &Place, branch_id: &str, instant: &str) -> wire::OpenState {
    let request = wire::GetOpenStateRequest { branch_id: branch_id.into(), at_time: at(instant) };
    place.calendars(admin()).get_open_state(request).await.unwrap().into_inner().open_state.unwrap()
}

async fn held(place: &Place, branch_id: &str) -> wire::BranchCalendar {
    let request = wire::GetBranchCalendarRequest { branch_id: branch_id.into() };
    place.calendars(admin()).get_branch_calendar(request).await.unwrap().into_inner().calendar.unwrap()
}

#[tokio::test]
async fn a_branch_opens_by_the_nearest_hours_in_its_own_zone() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        assert_eq!(held(&place, &ids["KGL-1"]).await.opening_calendar, None);
        assert!(state(&place, &ids["KGL-1"], "2026-11-22T03:00:00Z").await.is_open, "without hours: day and night");

        let top = place.calendars(admin()).set_branch_calendar(set(&ids["TOP"], hours(1..=5, 8, 17), &[])).await;
        let top = top.unwrap().into_inner().calendar.unwrap();
        assert_eq!((top.etag.as_str(), &top.owner_branch_id), ("1", &ids["TOP"]));
        let desk = held(&place, &ids["DESK"]).await;
        assert_eq!((desk.etag.as_str(), &desk.owner_branch_id), ("0", &ids["TOP"]));
        assert_eq!(desk.opening_calendar.unwrap().time_zone, "Africa/Kigali");

        // Friday afternoon in Kigali (UTC+2).
        let friday = state(&place, &ids["KGL-1"], "2026-11-20T14:30:00Z").await;
        assert_eq!((friday.is_open, friday.next_close_time), (true, at("2026-11-20T15:00:00Z")));
        let evening = state(&place, &ids["KGL-1"], "2026-11-20T15:00:00Z").await;
        assert_eq!((evening.is_open, evening.next_open_time), (false, at("2026-11-23T06:00:00Z")));

        // Nights that begin on Saturday belong to Saturday; the region's hours hold in what lies below it.
        place.calendars(admin()).set_branch_calendar(set(&ids["RW"], hours(6..=6, 22, 30), &[])).await.unwrap();
        let night = state(&place, &ids["DESK"], "2026-11-22T02:00:00Z").await;
        assert_eq!((night.is_open, night.next_close_time), (true, at("2026-11-22T04:00:00Z")));
        let suspend = wire::SuspendBranchRequest { branch_id: ids["DESK"].clone(), ..Default::default() };
        place.admin().suspend_branch(suspend).await.unwrap();
        let suspended = state(&place, &ids["DESK"], "2026-11-22T02:00:00Z").await;
        assert!(!suspended.is_open && suspended.next_open_time.is_none());

        let clear = wire::ClearBranchCalendarRequest { branch_id: ids["RW"].clone(), ..Default::default() };
        let cleared = place.calendars(admin()).clear_branch_calendar(clear.clone()).await.unwrap().into_inner();
        let cleared = cleared.calendar.unwrap();
        assert_eq!((cleared.etag.as_str(), &cleared.owner_branch_id), ("2", &ids["TOP"]));
        assert_eq!(held(&place, &ids["RW"]).await, cleared);
        assert_eq!(reason(place.calendars(admin()).clear_branch_calendar(clear).await), "NO_OWN_CALENDAR");
    }
}

#[tokio::test]
async fn shared_holidays_close_every_branch_that_keeps_them_wholly_or_in_part() {
    for place in Place::both().await {
        let ids = tree(&mut place.admin()).await;
        let mut calendars = place.calendars(admin());
        let create = wire::CreateHolidaySetRequest {
            code: "RW".into(),
            display_name: "Rwanda".into(),
            holidays: vec![holiday(2026, 12, 25, &[])],
            ..Default::default()
        };
        let made = calendars.create_holiday_set(create.clone()).await.unwrap().into_inner().holiday_set.unwrap();
        assert_eq!(reason(calendars.create_holiday_set(create).await), "HOLIDAY_SET_CODE_TAKEN");
        let keep = set(&ids["RW"], hours(1..=7, 8, 17), std::slice::from_ref(&made.holiday_set_id));
        calendars.set_branch_calendar(keep).await.unwrap();
        assert!(!state(&place, &ids["KGL-1"], "2026-12-25T10:00:00Z").await.is_open);
        assert!(state(&place, &ids["KGL-1"], "2026-12-24T14:00:00Z").await.is_open);

        let update = wire::UpdateHolidaySetRequest {
            holiday_set_id: made.holiday_set_id.clone(),
            etag: made.etag,
            update_mask: Some(prost_types::FieldMask { paths: vec!["holidays".into()] }),
            holidays: vec![holiday(2026, 12, 25, &[]), holiday(2026, 12, 24, &[(12, 17)])],
            ..Default::default()
        };
        calendars.update_holiday_set(update).await.unwrap();
        let eve = state(&place, &ids["KGL-1"], "2026-12-24T09:00:00Z").await;
        assert_eq!((eve.is_open, eve.next_close_time), (true, at("2026-12-24T10:00:00Z")));
        let list = calendars.list_holiday_sets(wire::ListHolidaySetsRequest::default()).await.unwrap().into_inner();
        assert_eq!(list.holiday_sets.len(), 1);
        let get = wire::GetHolidaySetRequest { holiday_set_id: made.holiday_set_id };
        let got = calendars.get_holiday_set(get).await.unwrap().into_inner().holiday_set.unwrap();
        assert_eq!((&got, got.etag.as_str()), (&list.holiday_sets[0], "2"));
    }
}

#[tokio::test]
async fn the_others_are_told_the_hours_that_hold_in_each_branch() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    place.calendars(admin()).set_branch_calendar(set(&ids["RW"], hours(1..=5, 9, 18), &[])).await.unwrap();
    // Before anything else happens to them: a new branch inherits, and a rename tells the hours again.
    let below = crate::bench::branch_request("KGL-2", &ids["RW"], wire::BranchKind::Branch);
    let created = place.admin().create_branch(below).await.unwrap().into_inner().branch.unwrap().branch_id;

    let events = place.events().await;
    let told: Vec<(String, Option<types::OpeningCalendar>)> = events
        .iter()
        .filter(|event| event.r#type == wire::BranchUpdated::TYPE)
        .map(|event| wire::BranchUpdated::decode(&event.payload[..]).unwrap())
        .inspect(|told| assert_eq!(told.changed_fields, ["opening_calendar"]))
        .map(|told| (told.branch_id, told.opening_calendar))
        .collect();
    let branches: Vec<&String> = told.iter().map(|(id, _)| id).collect();
    assert_eq!(branches, [&ids["RW"], &ids["KGL-1"], &ids["DESK"]]);
    assert!(told.iter().all(|(_, hours)| hours.as_ref().is_some_and(|hours| hours.weekly.len() == 5)));
    let last = wire::BranchCreated::decode(&events.last().unwrap().payload[..]).unwrap();
    assert_eq!(last.branch_id, created);
    assert!(last.opening_calendar.unwrap().revision > 0);
}

#[tokio::test]
async fn hours_that_make_no_sense_are_refused_with_their_field() {
    let place = Place::new().await;
    let ids = tree(&mut place.admin()).await;
    let mut calendars = place.calendars(admin());
    let kgl = &ids["KGL-1"];
    assert_eq!(reason(calendars.set_branch_calendar(set(kgl, vec![], &[])).await), "CALENDAR_NEVER_OPENS");
    let twice = [hours(1..=1, 8, 9), hours(1..=1, 10, 11)].concat();
    assert_eq!(fields(calendars.set_branch_calendar(set(kgl, twice, &[])).await), ["weekly[1].weekday"]);
    let backwards = calendars.set_branch_calendar(set(kgl, hours(1..=1, 9, 8), &[])).await;
    assert_eq!(fields(backwards), ["weekly[0].intervals[0]"]);
    let unknown = [uuid::Uuid::max().to_string()];
    let unknown = calendars.set_branch_calendar(set(kgl, hours(1..=1, 8, 9), &unknown)).await;
    assert_eq!(reason(unknown), "HOLIDAY_SET_NOT_FOUND");
    let stale = wire::SetBranchCalendarRequest { etag: "3".into(), ..set(kgl, hours(1..=1, 8, 9), &[]) };
    assert_eq!(reason(calendars.set_branch_calendar(stale).await), "VERSION_MISMATCH");
    let mut local = place.calendars(holder("admin", &[ids["LDN-1"].parse().unwrap()]));
    assert_eq!(reason(local.set_branch_calendar(set(kgl, hours(1..=1, 8, 9), &[])).await), "BRANCH_NOT_FOUND");
    let request = wire::GetOpenStateRequest { branch_id: kgl.clone(), at_time: None };
    assert_eq!(reason(local.get_open_state(request).await), "BRANCH_NOT_FOUND");
}
