//! Acceptance 7: the laws, each over a thousand random zones, calendars and instants.

use jiff::civil::{Date, date};
use karibu_calendar::{CalendarSpec, DateHours, Holiday, HolidayDay, OpeningCalendar, Shift};
use proptest::collection::vec;
use proptest::prelude::*;

/// Zones with every kind of oddity: no changes, changes of an hour and of half an hour, at midnight, in Ramadan, odd
/// offsets, a skipped day, a date line that moved.
const ZONES: [&str; 20] = [
    "Africa/Kigali",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "America/Caracas",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "UTC",
];

const DAY_US: i64 = 86_400_000_000;
/// 1990-01-01 and 2040-01-01.
const FIRST_US: i64 = 631_152_000_000_000;
const LAST_US: i64 = 2_208_988_800_000_000;
/// About three months of days around the clock.
const MAX_SPAN_US: i64 = 90 * DAY_US;

fn shift() -> impl Strategy<Value = Shift> {
    (0_u16..1_440, 1_u16..=1_440).prop_map(|(open, length)| Shift::new(open, (open + length).min(2_880)))
}

fn day() -> impl Strategy<Value = Date> {
    (1_990_i16..2_042, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, day)| date(year, month, day))
}

fn holiday() -> impl Strategy<Value = Holiday> {
    let on = prop_oneof![
        day().prop_map(HolidayDay::On),
        day().prop_map(|day| HolidayDay::EveryYear { month: day.month(), day: day.day() })
    ];
    (on, vec(shift(), 0..3)).prop_map(|(day, closed)| Holiday { day, closed, set_code: String::new() })
}

prop_compose! {
    fn calendars()(
        zone in 0..ZONES.len(),
        weekly in proptest::array::uniform7(vec(shift(), 0..4)),
        always_monday in shift(),
        holidays in vec(holiday(), 0..20),
        overrides in proptest::collection::btree_map(day(), vec(shift(), 0..3), 0..10),
    ) -> OpeningCalendar {
        let overrides = overrides.into_iter().map(|(date, shifts)| DateHours { date, shifts }).collect();
        let mut spec = CalendarSpec { time_zone: ZONES[zone].to_owned(), weekly, holidays, overrides, revision: 0 };
        spec.weekly[0].push(always_monday);
        OpeningCalendar::new(spec).unwrap()
    }
}

fn instant() -> impl Strategy<Value = i64> {
    FIRST_US..LAST_US
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a07_elapsed_is_what_was_added(calendar in calendars(), from in instant(), span in 0..MAX_SPAN_US) {
        let due = calendar.add_us(from, span).unwrap();
        prop_assert_eq!(calendar.elapsed_us(from, due), span);
        // No earlier instant would do.
        prop_assert!(span == 0 || calendar.elapsed_us(from, due - 1) == span - 1);
        let whole_ms = span / 1_000;
        prop_assert_eq!(calendar.elapsed_ms(from, calendar.add_ms(from, whole_ms).unwrap()), whole_ms);
    }

    #[test]
    fn a07_open_time_adds_up_at_every_point(
        calendar in calendars(), from in instant(), first in 0..300 * DAY_US, second in 0..300 * DAY_US,
    ) {
        let (middle, end) = (from + first, from + first + second);
        let parts = calendar.elapsed_us(from, middle) + calendar.elapsed_us(middle, end);
        prop_assert_eq!(calendar.elapsed_us(from, end), parts);
        prop_assert!((0..=end - from).contains(&parts));
        let listed: i64 = calendar.open_times(from, end, usize::MAX).iter().map(|(from, to)| to - from).sum();
        prop_assert_eq!(listed, parts);
    }

    #[test]
    fn a07_two_spans_are_one(calendar in calendars(), from in instant(), first in 0..MAX_SPAN_US, second in 1..MAX_SPAN_US) {
        let middle = calendar.add_us(from, first).unwrap();
        prop_assert_eq!(calendar.add_us(middle, second), calendar.add_us(from, first + second));
    }

    #[test]
    fn a07_later_and_longer_is_never_due_earlier(
        calendar in calendars(), from in instant(), delay in 0..30 * DAY_US, span in 0..MAX_SPAN_US, more in 0..DAY_US,
    ) {
        let due = calendar.add_us(from, span).unwrap();
        prop_assert!(due >= from);
        prop_assert!(calendar.add_us(from, span + more).unwrap() >= due);
        prop_assert!(calendar.add_us(from + delay, span).unwrap() >= due);
    }

    #[test]
    fn doors_open_and_close_in_turn(calendar in calendars(), at in instant()) {
        let open = calendar.next_open(at).unwrap();
        prop_assert!(open >= at && calendar.is_open(open));
        prop_assert_eq!(calendar.is_open(at), open == at);
        prop_assert_eq!(calendar.elapsed_us(at, open), 0);
        if let Some(close) = calendar.next_close(at) {
            prop_assert!(close > open && !calendar.is_open(close));
            prop_assert_eq!(calendar.elapsed_us(open, close), close - open);
        }
    }
}
