//! The vectors of the design, each under its number there.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use karibu_calendar::civil::{LeapDay, anniversary, date_at, plus_months, start_of_day_us};
use karibu_calendar::{CalendarSpec, DateHours, Holiday, HolidayDay, OpeningCalendar, Problem, Shift};

use crate::{HOUR_MS, calendar, us};

fn holiday(on: Date) -> Holiday {
    Holiday { day: HolidayDay::On(on), closed: Vec::new(), set_code: String::new() }
}

#[test]
fn a01_eight_hours_over_the_night_of_spring_in_london() {
    let london = OpeningCalendar::always("Europe/London").unwrap();
    assert_eq!(london.add_ms(us("2026-03-28T20:00:00Z"), 8 * HOUR_MS), Some(us("2026-03-29T05:00:00+01:00")));
}

#[test]
fn a02_eight_hours_over_the_night_of_autumn_in_new_york() {
    let new_york = OpeningCalendar::always("America/New_York").unwrap();
    assert_eq!(new_york.add_ms(us("2026-10-31T22:00:00-04:00"), 8 * HOUR_MS), Some(us("2026-11-01T05:00:00-05:00")));
}

#[test]
fn a04_split_shifts_and_a_holiday_in_kigali() {
    let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 17)]);
    spec.holidays.push(holiday(date(2026, 11, 23)));
    let kigali = calendar(spec);
    let (friday, tuesday) = (us("2026-11-20T16:00:00+02:00"), us("2026-11-24T11:00:00+02:00"));
    assert_eq!(kigali.add_ms(friday, 4 * HOUR_MS), Some(tuesday));
    assert_eq!(kigali.elapsed_ms(friday, tuesday), 4 * HOUR_MS);
}

#[test]
fn a06_opening_in_a_gap_and_closing_in_a_fold() {
    // The clocks of London skip 01:00 to 02:00 on 2026-03-29 and repeat it on 2026-10-25.
    let london = |open, close| {
        let weekly = std::array::from_fn(|_| vec![Shift::new(open, close)]);
        calendar(CalendarSpec { weekly, ..CalendarSpec::closed("Europe/London") })
    };
    for (hours, from, times) in [
        // 01:30 does not exist: it lies as much later as the gap is long.
        (london(90, 240), "2026-03-29T00:00:00Z", Some(("2026-03-29T01:30:00Z", "2026-03-29T03:00:00Z"))),
        // Both ends in the gap move alike.
        (london(70, 110), "2026-03-29T00:00:00Z", Some(("2026-03-29T01:10:00Z", "2026-03-29T01:50:00Z"))),
        // Closing at 02:15 lies before the opening that moved to 02:30: nothing is left of that day.
        (london(90, 135), "2026-03-29T00:00:00Z", None),
        // 01:30 exists twice: the first counts, for closing and for opening.
        (london(0, 90), "2026-10-25T00:00:00+01:00", Some(("2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"))),
        (london(90, 150), "2026-10-25T00:00:00+01:00", Some(("2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z"))),
    ] {
        let from = us(from);
        let expected = times.map(|(open, close)| (us(open), us(close))).into_iter().collect::<Vec<_>>();
        assert_eq!(hours.open_times(from, from + 20 * HOUR_MS * 1_000, 9), expected, "{:?}", hours.spec().weekly[0]);
    }
}

#[test]
fn a08_at_the_edges_of_days_shifts_and_years() {
    let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 17)]);
    spec.holidays.push(Holiday { day: HolidayDay::EveryYear { month: 1, day: 1 }, ..holiday(Date::MIN) });
    let kigali = calendar(spec);
    for (from, hours, due) in [
        // Exactly at closing time, and exactly at opening time.
        ("2026-11-19T17:00:00+02:00", 1, "2026-11-20T09:00:00+02:00"),
        ("2026-11-19T08:00:00+02:00", 9, "2026-11-19T17:00:00+02:00"),
        ("2026-11-19T08:00:00+02:00", 10, "2026-11-20T09:00:00+02:00"),
        // On 29 February, a Tuesday in 2028.
        ("2028-02-29T16:00:00+02:00", 2, "2028-03-01T09:00:00+02:00"),
        // On 31 December, a Thursday in 2026; the next day is a holiday, and then comes the weekend.
        ("2026-12-31T16:30:00+02:00", 1, "2027-01-04T08:30:00+02:00"),
    ] {
        assert_eq!(kigali.add_ms(us(from), hours * HOUR_MS), Some(us(due)), "{from}");
        assert_eq!(kigali.elapsed_ms(us(from), us(due)), hours * HOUR_MS, "{from}");
    }
    assert!(!kigali.is_open(us("2026-11-19T17:00:00+02:00")));
    assert!(kigali.is_open(us("2026-11-19T08:00:00+02:00")));
}

#[test]
fn a18_a_calendar_that_never_opens_is_refused_and_no_question_hangs() {
    let now = us("2026-11-22T00:00:00Z");
    let shut = calendar(CalendarSpec::closed("Africa/Kigali"));
    assert_eq!(shut.check_opens(now).unwrap_err().problem, Problem::NeverOpens);
    assert_eq!((shut.next_open(now), shut.next_close(now), shut.add_ms(now, 1)), (None, None, None));
    assert_eq!((shut.elapsed_ms(now, i64::MAX), shut.is_open(now), shut.add_ms(now, 0)), (0, false, Some(now)));
    for (opens, fits) in [("2027-11-26", true), ("2028-01-01", false)] {
        let hours = DateHours { date: opens.parse().unwrap(), shifts: vec![Shift::hours(8, 9)] };
        let once = calendar(CalendarSpec { overrides: vec![hours], ..CalendarSpec::closed("Africa/Kigali") });
        assert_eq!(once.check_opens(now).is_ok(), fits, "{opens}");
    }
    // Partial holidays can leave nothing either.
    let lunch = Holiday { closed: vec![Shift::WHOLE_DAY], ..holiday(date(2026, 11, 23)) };
    let mut spec = CalendarSpec::closed("Africa/Kigali");
    spec.weekly[0] = vec![Shift::hours(8, 12)];
    spec.holidays.push(lunch);
    assert_eq!(calendar(spec).next_open(now), Some(us("2026-11-30T08:00:00+02:00")));
}

#[test]
fn a_new_year_begins_at_its_own_time_in_each_place() {
    let at = us("2026-12-31T22:30:00Z");
    for (zone, day) in [
        ("Africa/Kigali", date(2027, 1, 1)),
        ("America/New_York", date(2026, 12, 31)),
        ("Asia/Tokyo", date(2027, 1, 1)),
    ] {
        assert_eq!(date_at(&TimeZone::get(zone).unwrap(), at), day, "{zone}");
    }
}

#[test]
fn local_midnights_as_instants() {
    for (zone, day, start) in [
        ("Africa/Kigali", date(2027, 1, 1), "2026-12-31T22:00:00Z"),
        ("America/New_York", date(2027, 1, 1), "2027-01-01T05:00:00Z"),
        ("Asia/Kathmandu", date(2027, 1, 1), "2026-12-31T18:15:00Z"),
        ("Pacific/Kiritimati", date(2027, 1, 1), "2026-12-31T10:00:00Z"),
        ("Europe/Paris", date(2027, 3, 28), "2027-03-27T23:00:00Z"),
        ("Europe/Paris", date(2027, 3, 29), "2027-03-28T22:00:00Z"),
        // No midnight on these days: the first instant that there is.
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00:00Z"),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00:00Z"),
        ("America/Santiago", date(2026, 9, 6), "2026-09-06T04:00:00Z"),
    ] {
        assert_eq!(start_of_day_us(&TimeZone::get(zone).unwrap(), day), Some(us(start)), "{zone} {day}");
    }
    let apia = TimeZone::get("Pacific/Apia").unwrap();
    assert_eq!(start_of_day_us(&apia, date(2011, 12, 30)), None, "Samoa skipped that day");
}

#[test]
fn months_are_added_to_the_first_date() {
    assert_eq!(plus_months(date(2027, 1, 31), 1), Some(date(2027, 2, 28)));
    assert_eq!(plus_months(date(2028, 1, 31), 1), Some(date(2028, 2, 29)));
    assert_eq!(plus_months(date(2027, 1, 31), 2), Some(date(2027, 3, 31)));
    assert_eq!(plus_months(Date::MAX, 1), None);
}

#[test]
fn a_birthday_on_the_leap_day_is_kept_every_year() {
    for (year, policy, day) in [
        (2027, LeapDay::Feb28, Some(date(2027, 2, 28))),
        (2027, LeapDay::Mar1, Some(date(2027, 3, 1))),
        (2028, LeapDay::Feb28, Some(date(2028, 2, 29))),
        (2028, LeapDay::Mar1, Some(date(2028, 2, 29))),
    ] {
        assert_eq!(anniversary(year, 2, 29, policy), day, "{year} {policy:?}");
    }
    assert_eq!(anniversary(2028, 2, 30, LeapDay::Mar1), None);
}
