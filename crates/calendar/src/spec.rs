//! What people write down about opening hours: the plain form that is stored and sent. It promises nothing until
//! `OpeningCalendar::new` has checked it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Problem};
use crate::{DAY_MINUTES, MAX_CLOSE_MINUTE, MAX_SHIFTS};

/// A part of a day, in minutes from its local midnight as the clock on the wall would show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Shift {
    /// The first minute within: 0 to 1439.
    pub open_minute: u16,
    /// The first minute after: up to 2880. Beyond 1440 it lies in the next day, but belongs to this one.
    pub close_minute: u16,
}

impl Shift {
    /// The whole day.
    pub const WHOLE_DAY: Self = Self { open_minute: 0, close_minute: DAY_MINUTES };

    /// From `open_minute` to `close_minute`.
    pub const fn new(open_minute: u16, close_minute: u16) -> Self {
        Self { open_minute, close_minute }
    }

    /// From one full hour to another, such as 22 to 30 for a night.
    pub const fn hours(open: u16, close: u16) -> Self {
        Self::new(open * 60, close * 60)
    }
}

/// The day of a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolidayDay {
    /// One date.
    On(Date),
    /// The same day of every year; 29 February comes in leap years only.
    EveryYear {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
}

/// A day that is closed, wholly or in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holiday {
    /// When.
    pub day: HolidayDay,
    /// The parts that are closed; none means the whole day. They are taken from the shifts that begin on this day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Shift>,
    /// Code of the set that it comes from, such as `RW`; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub set_code: String,
}

/// The hours of one date, in place of everything else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DateHours {
    /// The date.
    pub date: Date,
    /// Its shifts; none means closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<Shift>,
}

/// Opening hours as they are written down. A date with hours of its own goes before a holiday, a holiday before the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarSpec {
    /// IANA time zone of the place.
    pub time_zone: String,
    /// The shifts of a week, Monday first. They may overlap or touch; a shift belongs to the day on which it begins.
    pub weekly: [Vec<Shift>; 7],
    /// Holidays, of one set or several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
    /// Dates with hours of their own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<DateHours>,
    /// Counts up with every change of it; 0 if nobody counts.
    #[serde(default)]
    pub revision: i64,
}

impl CalendarSpec {
    /// Open day and night.
    pub fn always(time_zone: &str) -> Self {
        Self { weekly: std::array::from_fn(|_| vec![Shift::WHOLE_DAY]), ..Self::closed(time_zone) }
    }

    /// Open from Monday to Friday, in these shifts.
    pub fn weekdays(time_zone: &str, shifts: &[Shift]) -> Self {
        let weekly = std::array::from_fn(|day| if day < 5 { shifts.to_vec() } else { Vec::new() });
        Self { weekly, ..Self::closed(time_zone) }
    }

    /// Without any hours.
    pub fn closed(time_zone: &str) -> Self {
        Self { time_zone: time_zone.to_owned(), ..Self::default() }
    }
}

/// Checks the parts of one day and joins those that overlap or touch; `field` is where they stand.
pub(crate) fn union(shifts: &[Shift], field: &str) -> Result<Vec<Shift>, Fault> {
    if shifts.len() > MAX_SHIFTS {
        return Err(Fault::at(field, Problem::TooManyShifts));
    }
    for (place, shift) in shifts.iter().enumerate() {
        let fault = |problem| Err(Fault::at(format!("{field}[{place}]"), problem));
        if shift.open_minute >= DAY_MINUTES {
            return fault(Problem::OpensOutOfDay);
        }
        if shift.close_minute <= shift.open_minute || shift.close_minute > MAX_CLOSE_MINUTE {
            return fault(Problem::ClosesOutOfDay);
        }
    }
    let mut sorted = shifts.to_vec();
    sorted.sort_unstable();
    let mut joined: Vec<Shift> = Vec::with_capacity(sorted.len());
    for shift in sorted {
        match joined.last_mut() {
            Some(last) if shift.open_minute <= last.close_minute => {
                last.close_minute = last.close_minute.max(shift.close_minute);
            }
            _ => joined.push(shift),
        }
    }
    Ok(joined)
}

/// What is left of `open` without `closed`; both as [`union`] gives them.
pub(crate) fn without(open: &[Shift], closed: &[Shift]) -> Vec<Shift> {
    let mut left = open.to_vec();
    for gap in closed {
        left = left.into_iter().flat_map(|shift| cut(shift, *gap)).collect();
    }
    left
}

fn cut(shift: Shift, gap: Shift) -> impl Iterator<Item = Shift> {
    let before = Shift::new(shift.open_minute, shift.close_minute.min(gap.open_minute));
    let after = Shift::new(shift.open_minute.max(gap.close_minute), shift.close_minute);
    [before, after].into_iter().filter(|part| part.open_minute < part.close_minute)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_or_touches_is_one() {
        let shifts = [Shift::hours(13, 17), Shift::hours(8, 12), Shift::hours(12, 13), Shift::hours(9, 10)];
        assert_eq!(union(&shifts, "f").unwrap(), [Shift::hours(8, 17)]);
        assert_eq!(union(&[Shift::hours(20, 30)], "f").unwrap(), [Shift::hours(20, 30)]);
    }

    #[test]
    fn a_shift_begins_in_its_day_and_ends_after_its_beginning() {
        for (shift, problem) in [
            (Shift::hours(24, 25), Problem::OpensOutOfDay),
            (Shift::hours(9, 9), Problem::ClosesOutOfDay),
            (Shift::hours(9, 8), Problem::ClosesOutOfDay),
            (Shift::new(0, 2_881), Problem::ClosesOutOfDay),
        ] {
            assert_eq!(union(&[Shift::WHOLE_DAY, shift], "day").unwrap_err(), Fault::at("day[1]", problem));
        }
        let many = vec![Shift::WHOLE_DAY; MAX_SHIFTS + 1];
        assert_eq!(union(&many, "day").unwrap_err(), Fault::at("day", Problem::TooManyShifts));
    }

    #[test]
    fn closed_parts_are_taken_out() {
        let open = [Shift::hours(8, 12), Shift::hours(13, 17)];
        assert_eq!(without(&open, &[Shift::hours(11, 14)]), [Shift::hours(8, 11), Shift::hours(14, 17)]);
        assert_eq!(
            without(&open, &[Shift::hours(9, 10)]),
            [Shift::hours(8, 9), Shift::hours(10, 12), Shift::hours(13, 17)]
        );
        assert_eq!(without(&open, &[Shift::WHOLE_DAY]), []);
        assert_eq!(without(&open, &[Shift::hours(12, 13)]), open);
    }
}
