//! When we turn to a customer again: on a day on which the branch is open, at the hour that the business sets, and never
//! while it is closed. A branch that told no hours is open day and night.

use calendar::{MAX_CLOSED_DAYS, OpeningCalendar};
use jiff::civil::Date;

use super::branch::Branch;
use super::sla::Rules;
use super::{BranchId, Policy};

/// The time of contact `days` open days after that of `from_us`.
pub fn time_after(branch: &Branch, rules: &Rules, from_us: i64, days: i32, policy: &Policy) -> i64 {
    let hour = policy.follow_up_hour;
    let Some(calendar) = rules.calendar(branch.id) else { return branch.hour_of_day_after(from_us, days, hour) };
    let mut day = calendar.date_at(from_us);
    let mut left = days;
    for _ in 0..MAX_CLOSED_DAYS {
        if left <= 0 {
            break;
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
        left -= i32::from(opens_on(calendar, day));
    }
    let at_us = calendar.at_hour_us(day, hour).unwrap_or(from_us).max(from_us);
    calendar.next_open(at_us).unwrap_or(at_us)
}

/// The first instant at `at_us` or after it at which the branch is open.
pub fn open_from(rules: &Rules, branch: BranchId, at_us: i64) -> i64 {
    rules.calendar(branch).and_then(|calendar| calendar.next_open(at_us)).unwrap_or(at_us)
}

/// Whether the place is open at any time of that day.
fn opens_on(calendar: &OpeningCalendar, day: Date) -> bool {
    let ends = day.tomorrow().ok().and_then(|next| calendar.start_of_day_us(next));
    let Some((from_us, to_us)) = calendar.start_of_day_us(day).zip(ends) else { return false };
    calendar.next_open(from_us).is_some_and(|open_us| open_us < to_us)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use calendar::{CalendarSpec, Holiday, HolidayDay, Shift};

    use super::*;
    use crate::domain::sla::hours::Spell;
    use crate::domain::stage::{KIGALI, Stage};

    fn us(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn a93_contact_is_made_on_open_days_and_in_open_hours() {
        let branch = Stage::new().branch(KIGALI);
        let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 12), Shift::hours(13, 17)]);
        let day = HolidayDay::On("2026-11-23".parse().unwrap());
        spec.holidays.push(Holiday { day, closed: vec![], set_code: "RW".to_owned() });
        let calendar = Some(Arc::new(OpeningCalendar::new(spec).unwrap()));
        let mut rules = Rules::default();
        rules.hours.insert(KIGALI, vec![Spell { since_us: 0, calendar }]);
        for (from, days, hour, due) in [
            // Friday; Monday is a holiday.
            ("2026-11-20T14:00:00+02:00", 1, 10, "2026-11-24T10:00:00+02:00"),
            ("2026-11-20T14:00:00+02:00", 3, 10, "2026-11-26T10:00:00+02:00"),
            // At noon the branch is closed, and in the evening until tomorrow.
            ("2026-11-19T14:00:00+02:00", 1, 12, "2026-11-20T13:00:00+02:00"),
            ("2026-11-19T14:00:00+02:00", 1, 20, "2026-11-24T08:00:00+02:00"),
            // The same day, but not in the past.
            ("2026-11-19T14:00:00+02:00", 0, 10, "2026-11-19T14:00:00+02:00"),
        ] {
            let policy = Policy { follow_up_hour: hour, ..Policy::default() };
            assert_eq!(time_after(&branch, &rules, us(from), days, &policy), us(due), "{from} {days} {hour}");
        }
        assert_eq!(open_from(&rules, KIGALI, us("2026-11-21T10:00:00+02:00")), us("2026-11-24T08:00:00+02:00"));
    }

    #[test]
    fn without_hours_every_day_is_open() {
        let branch = Stage::new().branch(KIGALI);
        let (from, policy) = (us("2026-11-20T14:00:00+02:00"), Policy::default());
        let due = time_after(&branch, &Rules::default(), from, 1, &policy);
        assert_eq!(due, us("2026-11-21T10:00:00+02:00"));
    }
}
