//! Opening hours of the contract as those that the suite reckons with, and back.

use calendar::{CalendarSpec, DateHours, Fault, Holiday, HolidayDay, OpeningCalendar, Problem, Shift};
use jiff::civil::Date;

use crate::karibu::types::v1 as wire;

impl From<&OpeningCalendar> for wire::OpeningCalendar {
    fn from(known: &OpeningCalendar) -> Self {
        let spec = known.spec();
        let weekly = (1..).zip(&spec.weekly).filter(|(_, shifts)| !shifts.is_empty());
        Self {
            time_zone: spec.time_zone.clone(),
            weekly: weekly
                .map(|(weekday, shifts)| wire::WeekdayHours { weekday, intervals: intervals(shifts) })
                .collect(),
            holidays: spec.holidays.iter().map(holiday).collect(),
            overrides: spec
                .overrides
                .iter()
                .map(|hours| wire::DateHours { date: Some(local(hours.date)), intervals: intervals(&hours.shifts) })
                .collect(),
            revision: spec.revision,
        }
    }
}

impl TryFrom<&wire::OpeningCalendar> for OpeningCalendar {
    type Error = Fault;

    /// Fails with the path of the field that makes no sense. Whether it opens at all is for [`OpeningCalendar::check_opens`].
    fn try_from(told: &wire::OpeningCalendar) -> Result<Self, Fault> {
        let mut weekly: [Option<Vec<Shift>>; 7] = Default::default();
        for (place, hours) in told.weekly.iter().enumerate() {
            let at = |field: &str| format!("weekly[{place}].{field}");
            let day = usize::try_from(hours.weekday).ok().and_then(|day| day.checked_sub(1));
            let day =
                day.and_then(|day| weekly.get_mut(day)).ok_or_else(|| Fault::at(at("weekday"), Problem::NoSuchDay))?;
            if day.replace(shifts(&hours.intervals, &at("intervals"))?).is_some() {
                return Err(Fault::at(at("weekday"), Problem::Twice));
            }
        }
        let overrides = told.overrides.iter().enumerate().map(|(place, hours)| {
            let at = |field: &str| format!("overrides[{place}].{field}");
            let date = hours.date.as_ref().and_then(date).ok_or_else(|| Fault::at(at("date"), Problem::NoSuchDay))?;
            Ok(DateHours { date, shifts: shifts(&hours.intervals, &at("intervals"))? })
        });
        let holidays = told.holidays.iter().enumerate().map(|(place, told)| {
            let at = |field: &str| format!("holidays[{place}].{field}");
            let day = holiday_day(told).ok_or_else(|| Fault::at(at("day"), Problem::NoSuchDay))?;
            Ok(Holiday { day, closed: shifts(&told.closed, &at("closed"))?, set_code: told.set_code.clone() })
        });
        Self::new(CalendarSpec {
            time_zone: told.time_zone.clone(),
            overrides: overrides.collect::<Result<_, Fault>>()?,
            holidays: holidays.collect::<Result<_, Fault>>()?,
            weekly: weekly.map(Option::unwrap_or_default),
            revision: told.revision,
        })
    }
}

fn intervals(shifts: &[Shift]) -> Vec<wire::OpeningInterval> {
    let interval = |shift: &Shift| wire::OpeningInterval {
        open_minute: shift.open_minute.into(),
        close_minute: shift.close_minute.into(),
    };
    shifts.iter().map(interval).collect()
}

fn shifts(intervals: &[wire::OpeningInterval], field: &str) -> Result<Vec<Shift>, Fault> {
    let shift = |(place, interval): (usize, &wire::OpeningInterval)| {
        let fault = |problem| move |_| Fault::at(format!("{field}[{place}]"), problem);
        Ok(Shift {
            open_minute: interval.open_minute.try_into().map_err(fault(Problem::OpensOutOfDay))?,
            close_minute: interval.close_minute.try_into().map_err(fault(Problem::ClosesOutOfDay))?,
        })
    };
    intervals.iter().enumerate().map(shift).collect()
}

fn holiday(known: &Holiday) -> wire::Holiday {
    let day = match known.day {
        HolidayDay::On(date) => wire::holiday::Day::Date(local(date)),
        HolidayDay::EveryYear { month, day } => {
            wire::holiday::Day::EveryYear(wire::MonthDay { month: month.into(), day: day.into() })
        }
    };
    wire::Holiday { day: Some(day), closed: intervals(&known.closed), set_code: known.set_code.clone() }
}

fn holiday_day(told: &wire::Holiday) -> Option<HolidayDay> {
    Some(match told.day.as_ref()? {
        wire::holiday::Day::Date(told) => HolidayDay::On(date(told)?),
        wire::holiday::Day::EveryYear(told) => {
            HolidayDay::EveryYear { month: told.month.try_into().ok()?, day: told.day.try_into().ok()? }
        }
    })
}

fn local(date: Date) -> wire::LocalDate {
    wire::LocalDate { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

fn date(told: &wire::LocalDate) -> Option<Date> {
    Date::new(told.year.try_into().ok()?, told.month.try_into().ok()?, told.day.try_into().ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn kigali() -> OpeningCalendar {
        let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 26)]);
        spec.holidays = vec![
            Holiday { day: HolidayDay::EveryYear { month: 7, day: 4 }, closed: vec![], set_code: "RW".to_owned() },
            Holiday {
                day: HolidayDay::On("2026-12-24".parse().unwrap()),
                closed: vec![Shift::hours(12, 17)],
                set_code: String::new(),
            },
        ];
        spec.overrides = vec![DateHours { date: "2026-12-31".parse().unwrap(), shifts: vec![] }];
        spec.revision = 3;
        OpeningCalendar::new(spec).unwrap()
    }

    #[test]
    fn a_calendar_survives_the_way_there_and_back() {
        let told = wire::OpeningCalendar::from(&kigali());
        assert_eq!(told.weekly.len(), 5, "days without hours are not listed");
        assert_eq!(OpeningCalendar::try_from(&told).unwrap(), kigali());
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_path() {
        type Break = fn(&mut wire::OpeningCalendar);
        let cases: [(Break, &str, Problem); 7] = [
            (|told| told.time_zone.clear(), "time_zone", Problem::UnknownTimeZone),
            (|told| told.weekly[1].weekday = 1, "weekly[1].weekday", Problem::Twice),
            (|told| told.weekly[1].weekday = 8, "weekly[1].weekday", Problem::NoSuchDay),
            (|told| told.weekly[0].intervals[1].open_minute = -1, "weekly[0].intervals[1]", Problem::OpensOutOfDay),
            (|told| told.holidays[0].day = None, "holidays[0].day", Problem::NoSuchDay),
            (|told| told.overrides[0].date.as_mut().unwrap().day = 32, "overrides[0].date", Problem::NoSuchDay),
            (|told| told.holidays[1].closed[0].close_minute = 70_000, "holidays[1].closed[0]", Problem::ClosesOutOfDay),
        ];
        for (spoil, field, problem) in cases {
            let mut told = wire::OpeningCalendar::from(&kigali());
            spoil(&mut told);
            assert_eq!(OpeningCalendar::try_from(&told).unwrap_err(), Fault::at(field, problem));
        }
    }
}
