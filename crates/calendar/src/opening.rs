//! A checked calendar and the questions that it answers. Every answer comes from one walk along the open time, and every
//! walk ends.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Problem};
use crate::spec::{CalendarSpec, HolidayDay, Shift, union, without};
use crate::walk::Pieces;
use crate::{MAX_CLOSED_DAYS, MAX_DATES, MAX_WALK_DAYS, MILLI_US};

/// A leap year: every day of any year exists in it.
const LEAP_YEAR: i16 = 2024;

/// Opening hours that are known to make sense. Two are equal when they were written down equally.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "CalendarSpec", into = "CalendarSpec")]
pub struct OpeningCalendar {
    spec: CalendarSpec,
    pub(crate) zone: TimeZone,
    weekly: [Vec<Shift>; 7],
    holidays: BTreeMap<Date, Closed>,
    yearly: BTreeMap<(i8, i8), Closed>,
    overrides: BTreeMap<Date, Vec<Shift>>,
}

/// How much of a day is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Closed {
    Wholly,
    Partly(Vec<Shift>),
}

impl Closed {
    /// Closes what either closes.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Partly(mut parts), Self::Partly(more)) => {
                parts.extend(more);
                Self::Partly(parts)
            }
            _ => Self::Wholly,
        }
    }
}

impl PartialEq for OpeningCalendar {
    fn eq(&self, other: &Self) -> bool {
        self.spec == other.spec
    }
}

impl Eq for OpeningCalendar {}

impl TryFrom<CalendarSpec> for OpeningCalendar {
    type Error = Fault;

    fn try_from(spec: CalendarSpec) -> Result<Self, Fault> {
        Self::new(spec)
    }
}

impl From<OpeningCalendar> for CalendarSpec {
    fn from(calendar: OpeningCalendar) -> Self {
        calendar.spec
    }
}

impl OpeningCalendar {
    /// Checks what was written down. Whether it opens at all depends on the day: see [`Self::check_opens`].
    pub fn new(spec: CalendarSpec) -> Result<Self, Fault> {
        let zone = TimeZone::get(&spec.time_zone).ok().filter(|zone| zone.iana_name().is_some());
        let zone = zone.ok_or_else(|| Fault::at("time_zone", Problem::UnknownTimeZone))?;

        let mut weekly: [Vec<Shift>; 7] = Default::default();
        for (day, shifts) in spec.weekly.iter().enumerate() {
            weekly[day] = union(shifts, &format!("weekly[{day}].intervals"))?;
        }
        let mut overrides = BTreeMap::new();
        limit("overrides", spec.overrides.len())?;
        for (place, hours) in spec.overrides.iter().enumerate() {
            let shifts = union(&hours.shifts, &format!("overrides[{place}].intervals"))?;
            if overrides.insert(hours.date, shifts).is_some() {
                return Err(Fault::at(format!("overrides[{place}].date"), Problem::Twice));
            }
        }
        let (mut holidays, mut yearly) = (BTreeMap::new(), BTreeMap::new());
        limit("holidays", spec.holidays.len())?;
        for (place, holiday) in spec.holidays.iter().enumerate() {
            let parts = union(&holiday.closed, &format!("holidays[{place}].closed"))?;
            let closed = if parts.is_empty() { Closed::Wholly } else { Closed::Partly(parts) };
            match holiday.day {
                HolidayDay::On(date) => add(&mut holidays, date, closed),
                HolidayDay::EveryYear { month, day } => {
                    Date::new(LEAP_YEAR, month, day)
                        .map_err(|_| Fault::at(format!("holidays[{place}].every_year"), Problem::NoSuchDay))?;
                    add(&mut yearly, (month, day), closed);
                }
            }
        }
        Ok(Self { spec, zone, weekly, holidays, yearly, overrides })
    }

    /// Open day and night; `None` when the IANA database does not know the zone.
    pub fn always(time_zone: &str) -> Option<Self> {
        Self::new(CalendarSpec::always(time_zone)).ok()
    }

    /// What was written down.
    pub const fn spec(&self) -> &CalendarSpec {
        &self.spec
    }

    /// Counts up with every change of the calendar by its owner; 0 if nobody counts.
    pub const fn revision(&self) -> i64 {
        self.spec.revision
    }

    /// Refuses a calendar without open time in the 370 days after `now_us`: nothing would ever fall due.
    pub fn check_opens(&self, now_us: i64) -> Result<(), Fault> {
        self.next_open(now_us).map(drop).ok_or_else(|| Fault::at("", Problem::NeverOpens))
    }

    /// Whether the place is open at `at_us`. It is open at the instant of opening and no longer at that of closing.
    pub fn is_open(&self, at_us: i64) -> bool {
        Pieces::new(self, at_us, 2).next().is_some_and(|piece| piece.from_us == at_us)
    }

    /// The first instant at `at_us` or after it at which the place is open; `None` if there is none within 370 days.
    pub fn next_open(&self, at_us: i64) -> Option<i64> {
        Pieces::new(self, at_us, MAX_CLOSED_DAYS).next().map(|piece| piece.from_us)
    }

    /// The end of the open time that runs at `at_us` or begins next; `None` if that is none within 370 days.
    pub fn next_close(&self, at_us: i64) -> Option<i64> {
        let mut pieces = Pieces::new(self, at_us, MAX_CLOSED_DAYS);
        let mut end_us = pieces.next()?.to_us;
        loop {
            match pieces.next() {
                Some(piece) if piece.from_us <= end_us => end_us = piece.to_us,
                Some(_) => return Some(end_us),
                None => return Some(end_us).filter(|end| *end < pieces.settled_us()),
            }
        }
    }

    /// Open time from `from_us` to `to_us`, in microseconds: 0 when `to_us` is not later. What lies more than
    /// [`MAX_WALK_DAYS`] after `from_us` is not counted.
    pub fn elapsed_us(&self, from_us: i64, to_us: i64) -> i64 {
        Pieces::new(self, from_us, MAX_WALK_DAYS)
            .take_while(|piece| piece.from_us < to_us)
            .map(|piece| piece.to_us.min(to_us) - piece.from_us)
            .sum()
    }

    /// Open time from `from_us` to `to_us`, in whole milliseconds.
    pub fn elapsed_ms(&self, from_us: i64, to_us: i64) -> i64 {
        self.elapsed_us(from_us, to_us) / MILLI_US
    }

    /// The earliest instant at which `span_us` microseconds of open time have passed since `from_us`: `from_us` itself for
    /// 0 or less. `None` if that is more than [`MAX_WALK_DAYS`] away.
    pub fn add_us(&self, from_us: i64, span_us: i64) -> Option<i64> {
        if span_us <= 0 {
            return Some(from_us);
        }
        let mut left_us = span_us;
        for piece in Pieces::new(self, from_us, MAX_WALK_DAYS) {
            let length_us = piece.to_us - piece.from_us;
            if left_us <= length_us {
                return Some(piece.from_us + left_us);
            }
            left_us -= length_us;
        }
        None
    }

    /// The earliest instant at which `span_ms` milliseconds of open time have passed since `from_us`; see [`Self::add_us`].
    pub fn add_ms(&self, from_us: i64, span_ms: i64) -> Option<i64> {
        self.add_us(from_us, span_ms.checked_mul(MILLI_US)?)
    }

    /// The open time from `from_us` to `to_us` as pairs of beginning and end, joined where they touch, at most `limit`.
    pub fn open_times(&self, from_us: i64, to_us: i64, limit: usize) -> Vec<(i64, i64)> {
        let mut times: Vec<(i64, i64)> = Vec::new();
        for piece in Pieces::new(self, from_us, MAX_WALK_DAYS).take_while(|piece| piece.from_us < to_us) {
            let full = times.len() == limit;
            match times.last_mut() {
                Some(last) if last.1 == piece.from_us => last.1 = piece.to_us.min(to_us),
                _ if full => break,
                _ => times.push((piece.from_us, piece.to_us.min(to_us))),
            }
        }
        times
    }

    /// The date that the clock on the wall shows at `at_us`.
    pub fn date_at(&self, at_us: i64) -> Date {
        crate::civil::date_at(&self.zone, at_us)
    }

    /// The first instant of `date` here.
    pub fn start_of_day_us(&self, date: Date) -> Option<i64> {
        crate::civil::start_of_day_us(&self.zone, date)
    }

    /// The instant at which the clock on the wall shows `hour` (0 to 23) of `date`.
    pub fn at_hour_us(&self, date: Date, hour: i8) -> Option<i64> {
        let local = date.at(hour.clamp(0, 23), 0, 0, 0);
        self.zone.to_timestamp(local).ok().map(Timestamp::as_microsecond)
    }

    /// The shifts that begin on `date`, sorted, without overlaps.
    pub(crate) fn shifts_of(&self, date: Date) -> Cow<'_, [Shift]> {
        if let Some(shifts) = self.overrides.get(&date) {
            return Cow::Borrowed(shifts);
        }
        let week = &self.weekly[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
        let once = self.holidays.get(&date);
        let yearly = self.yearly.get(&(date.month(), date.day()));
        let mut left = Cow::Borrowed(week.as_slice());
        for closed in [once, yearly].into_iter().flatten() {
            match closed {
                Closed::Wholly => return Cow::Borrowed(&[]),
                Closed::Partly(parts) => left = Cow::Owned(without(&left, parts)),
            }
        }
        left
    }
}

fn limit(field: &str, dates: usize) -> Result<(), Fault> {
    if dates > MAX_DATES { Err(Fault::at(field, Problem::TooManyDates)) } else { Ok(()) }
}

fn add<K: Ord>(known: &mut BTreeMap<K, Closed>, day: K, closed: Closed) {
    let both = match known.remove(&day) {
        Some(earlier) => earlier.with(closed),
        None => closed,
    };
    known.insert(day, both);
}
