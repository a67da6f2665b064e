//! What the calendar promises, from outside: vectors of the design, and laws over random zones, calendars and instants.

#![allow(clippy::unwrap_used)]

mod laws;
mod rules;
mod vectors;

use karibu_calendar::{CalendarSpec, OpeningCalendar};

/// An instant as text, in microseconds since the Unix epoch.
fn us(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

fn calendar(spec: CalendarSpec) -> OpeningCalendar {
    OpeningCalendar::new(spec).unwrap()
}

const HOUR_MS: i64 = 3_600_000;
