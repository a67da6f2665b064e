//! What goes before what, nights, and what is refused.

use jiff::civil::{Date, date};
use karibu_calendar::{CalendarSpec, DateHours, Holiday, HolidayDay, OpeningCalendar, Problem, Shift};

use crate::{HOUR_MS, calendar, us};

fn times(calendar: &OpeningCalendar, from: &str, to: &str) -> Vec<(String, String)> {
    let text = |at: i64| {
        let zone = jiff::tz::TimeZone::get(&calendar.spec().time_zone).unwrap();
        zone.to_datetime(jiff::Timestamp::from_microsecond(at).unwrap()).strftime("%d %H:%M").to_string()
    };
    calendar.open_times(us(from), us(to), 99).into_iter().map(|(from, to)| (text(from), text(to))).collect()
}

fn shown(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

fn holiday(on: Date, closed: &[Shift]) -> Holiday {
    Holiday { day: HolidayDay::On(on), closed: closed.to_vec(), set_code: "RW".to_owned() }
}

#[test]
fn dates_go_before_holidays_and_holidays_before_the_week() {
    let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 17)]);
    spec.holidays = vec![
        holiday(date(2026, 11, 23), &[]),
        holiday(date(2026, 11, 24), &[Shift::hours(11, 14)]),
        // Two sets close parts of one day, and one closes it whole.
        holiday(date(2026, 11, 25), &[Shift::hours(8, 9)]),
        holiday(date(2026, 11, 25), &[Shift::hours(16, 17)]),
        holiday(date(2026, 11, 26), &[Shift::hours(8, 9)]),
        holiday(date(2026, 11, 26), &[]),
        holiday(date(2026, 11, 27), &[]),
    ];
    spec.overrides = vec![
        DateHours { date: date(2026, 11, 27), shifts: vec![Shift::hours(10, 11)] },
        DateHours { date: date(2026, 11, 30), shifts: vec![] },
    ];
    let expected = shown(&[
        ("24 08:00", "24 11:00"),
        ("24 14:00", "24 17:00"),
        ("25 09:00", "25 12:00"),
        ("25 13:00", "25 16:00"),
        ("27 10:00", "27 11:00"),
        ("01 08:00", "01 12:00"),
    ]);
    assert_eq!(times(&calendar(spec), "2026-11-21T00:00:00Z", "2026-12-01T10:30:00Z"), expected);
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let mut spec = CalendarSpec::closed("Africa/Kigali");
    // Friday 18:00 to 02:00, Saturday 01:00 to 05:00: they overlap and are one.
    spec.weekly[4] = vec![Shift::hours(18, 26)];
    spec.weekly[5] = vec![Shift::hours(1, 5)];
    let bar = calendar(spec.clone());
    assert_eq!(times(&bar, "2026-11-19T22:00:00Z", "2026-11-23T00:00:00Z"), shown(&[("20 18:00", "21 05:00")]));
    // A holiday on Saturday leaves Friday's night; one on Friday takes it away with its early hours of Saturday.
    for (closed, left) in [(21, &[("20 18:00", "21 02:00")][..]), (20, &[("21 01:00", "21 05:00")])] {
        let day = holiday(date(2026, 11, closed), &[]);
        let bar = calendar(CalendarSpec { holidays: vec![day], ..spec.clone() });
        assert_eq!(times(&bar, "2026-11-19T22:00:00Z", "2026-11-23T00:00:00Z"), shown(left), "{closed}");
    }
}

#[test]
fn opening_and_closing_are_found() {
    let shop = calendar(CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(12, 17)]));
    let (friday, monday) = (us("2026-11-20T16:00:00+02:00"), us("2026-11-23T08:00:00+02:00"));
    assert_eq!(shop.next_open(friday), Some(friday));
    assert_eq!(shop.next_close(friday), Some(friday + HOUR_MS * 1_000));
    assert_eq!(shop.next_open(friday + HOUR_MS * 1_000), Some(monday));
    assert_eq!(shop.next_close(friday + HOUR_MS * 1_000), Some(us("2026-11-23T17:00:00+02:00")));
    let always = OpeningCalendar::always("Europe/London").unwrap();
    assert_eq!((always.next_close(friday), always.is_open(friday)), (None, true));
}

#[test]
fn a_day_that_a_zone_skips_is_lived_the_day_after() {
    // Samoa went from 29 to 31 December 2011.
    let weekly = std::array::from_fn(|_| vec![Shift::hours(9, 17)]);
    let apia = calendar(CalendarSpec { weekly, ..CalendarSpec::closed("Pacific/Apia") });
    let expected = shown(&[("29 09:00", "29 17:00"), ("31 09:00", "31 17:00")]);
    assert_eq!(times(&apia, "2011-12-29T12:00:00Z", "2011-12-31T10:00:00Z"), expected);
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    let kigali = || CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 17)]);
    let hours = |shifts: &[Shift]| DateHours { date: date(2026, 11, 30), shifts: shifts.to_vec() };
    let yearly = |month, day| Holiday { day: HolidayDay::EveryYear { month, day }, ..holiday(Date::MIN, &[]) };
    for (spec, field, problem) in [
        (CalendarSpec::closed("Africa/Atlantis"), "time_zone", Problem::UnknownTimeZone),
        (CalendarSpec::closed("+02:00"), "time_zone", Problem::UnknownTimeZone),
        (CalendarSpec::weekdays("UTC", &[Shift::hours(9, 9)]), "weekly[0].intervals[0]", Problem::ClosesOutOfDay),
        (CalendarSpec { overrides: vec![hours(&[]), hours(&[])], ..kigali() }, "overrides[1].date", Problem::Twice),
        (
            CalendarSpec { overrides: vec![hours(&[Shift::hours(25, 26)])], ..kigali() },
            "overrides[0].intervals[0]",
            Problem::OpensOutOfDay,
        ),
        (CalendarSpec { holidays: vec![yearly(2, 30)], ..kigali() }, "holidays[0].every_year", Problem::NoSuchDay),
        (CalendarSpec { holidays: vec![yearly(2, 29); 1_001], ..kigali() }, "holidays", Problem::TooManyDates),
    ] {
        let fault = OpeningCalendar::new(spec).unwrap_err();
        assert_eq!((fault.field.as_str(), fault.problem), (field, problem));
    }
}

#[test]
fn a_calendar_is_stored_as_it_was_written_down() {
    let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 17)]);
    spec.holidays = vec![holiday(date(2026, 12, 25), &[Shift::hours(12, 17)])];
    spec.overrides = vec![DateHours { date: date(2026, 12, 24), shifts: vec![] }];
    spec.revision = 7;
    let stored = serde_json::to_string(&calendar(spec.clone())).unwrap();
    let read: OpeningCalendar = serde_json::from_str(&stored).unwrap();
    assert_eq!((read.spec(), read.revision()), (&spec, 7));
    let broken = stored.replace("Africa/Kigali", "Africa/Atlantis");
    assert!(serde_json::from_str::<OpeningCalendar>(&broken).is_err());
}
