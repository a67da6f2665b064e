//! Dates as a place counts them: which date an instant is there, when a date begins, and steps of months and years that do
//! not drift.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// When somebody born on 29 February has a birthday in a year without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeapDay {
    /// On 28 February.
    Feb28,
    /// On 1 March.
    Mar1,
}

/// The date in `zone` at `at_us`, microseconds since the Unix epoch; instants that no calendar has are the nearest ones.
pub fn date_at(zone: &TimeZone, at_us: i64) -> Date {
    let edge = if at_us < 0 { Timestamp::MIN } else { Timestamp::MAX };
    zone.to_datetime(Timestamp::from_microsecond(at_us).unwrap_or(edge)).date()
}

/// The first instant of `date` in `zone`, which is not always midnight. `None` for a date that the zone skips, or one
/// beyond the years of the calendar.
pub fn start_of_day_us(zone: &TimeZone, date: Date) -> Option<i64> {
    // Noon is never so far from its day that it leaves it, except where a zone skips the whole day.
    let noon = date.at(12, 0, 0, 0).to_zoned(zone.clone()).ok().filter(|noon| noon.date() == date)?;
    noon.start_of_day().ok().map(|start| start.timestamp().as_microsecond())
}

/// `date` and `months` months, at the last day of a month that is too short. Add to the first date of a row, not to the
/// last one: 31 January, 28 February, 31 March.
pub fn plus_months(date: Date, months: i32) -> Option<Date> {
    date.checked_add(i64::from(months).months()).ok()
}

/// The day of `year` on which (`month`, `day`) is kept. `None` if no year has that day.
pub fn anniversary(year: i16, month: i8, day: i8, leap_day: LeapDay) -> Option<Date> {
    match (Date::new(year, month, day), month, day) {
        (Ok(date), _, _) => Some(date),
        (Err(_), 2, 29) => match leap_day {
            LeapDay::Feb28 => Date::new(year, 2, 28).ok(),
            LeapDay::Mar1 => Date::new(year, 3, 1).ok(),
        },
        (Err(_), _, _) => None,
    }
}
