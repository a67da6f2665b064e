//! When time counts: the opening hours of a branch over time. Hours that changed hold from the change on; what had passed
//! before was counted by the hours of its day.

use std::sync::Arc;

use calendar::OpeningCalendar;

/// The hours by which a clock runs.
#[derive(Clone, Copy, Debug)]
pub enum Hours<'a> {
    /// Day and night.
    Always,
    /// As the branch was open: each calendar with the instant from which it held, oldest first. Before the first one the
    /// branch was open day and night.
    Open(&'a [Spell]),
}

/// Opening hours from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Since when they hold, microseconds since the Unix epoch.
    pub since_us: i64,
    /// The hours; `None` is day and night.
    pub calendar: Option<Arc<OpeningCalendar>>,
}

impl Hours<'_> {
    /// Time that counts from `from_us` to `to_us`, in microseconds.
    pub fn elapsed_us(self, from_us: i64, to_us: i64) -> i64 {
        self.stretches(from_us)
            .take_while(|(from_us, ..)| *from_us < to_us)
            .map(|(from_us, end_us, calendar)| elapsed_us(calendar, from_us, end_us.min(to_us)))
            .sum()
    }

    /// The earliest instant at which `span_us` have counted since `from_us`; `None` if that is decades away.
    pub fn add_us(self, from_us: i64, span_us: i64) -> Option<i64> {
        let mut left_us = span_us;
        for (from_us, end_us, calendar) in self.stretches(from_us) {
            let due_us = match calendar {
                Some(calendar) => calendar.add_us(from_us, left_us),
                None => from_us.checked_add(left_us.max(0)),
            };
            match due_us {
                Some(due_us) if due_us <= end_us => return Some(due_us),
                _ if end_us == i64::MAX => return None,
                _ => left_us -= elapsed_us(calendar, from_us, end_us),
            }
        }
        None
    }
}

impl<'a> Hours<'a> {
    /// The parts of the time after `from_us`: beginning, end and hours.
    fn stretches(self, from_us: i64) -> impl Iterator<Item = (i64, i64, Option<&'a OpeningCalendar>)> {
        let spells = match self {
            Self::Always => &[],
            Self::Open(spells) => spells,
        };
        // The last that had begun, if any, and all that begin later.
        let later = spells.partition_point(|spell| spell.since_us <= from_us);
        let first =
            later.checked_sub(1).and_then(|running| spells.get(running)).and_then(|spell| spell.calendar.as_deref());
        let rest = spells.get(later..).unwrap_or_default();
        let begins = std::iter::once((from_us, first))
            .chain(rest.iter().map(|spell| (spell.since_us, spell.calendar.as_deref())));
        let ends = rest.iter().map(|spell| spell.since_us).chain(std::iter::once(i64::MAX));
        begins.zip(ends).map(|((begin_us, calendar), end_us)| (begin_us, end_us, calendar))
    }
}

fn elapsed_us(calendar: Option<&OpeningCalendar>, from_us: i64, to_us: i64) -> i64 {
    match calendar {
        Some(calendar) => calendar.elapsed_us(from_us, to_us),
        None => to_us.saturating_sub(from_us).max(0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use calendar::{CalendarSpec, Shift};
    use kernel::HOUR_US;

    use super::*;

    fn us(text: &str) -> i64 {
        text.parse::<jiff::Timestamp>().unwrap().as_microsecond()
    }

    fn spell(since: &str, shifts: &[Shift]) -> Spell {
        let spec = CalendarSpec::weekdays("Africa/Kigali", shifts);
        Spell { since_us: us(since), calendar: Some(Arc::new(OpeningCalendar::new(spec).unwrap())) }
    }

    #[test]
    fn hours_that_change_hold_from_then_on() {
        // Day and night until noon of Wednesday, then eight to twelve.
        let spells = [spell("2026-11-18T12:00:00+02:00", &[Shift::hours(8, 12)])];
        let (from, due) = (us("2026-11-18T10:00:00+02:00"), us("2026-11-19T10:00:00+02:00"));
        let hours = Hours::Open(&spells);
        assert_eq!(hours.add_us(from, 4 * HOUR_US), Some(due));
        assert_eq!(hours.elapsed_us(from, due), 4 * HOUR_US);
        assert_eq!(Hours::Always.add_us(from, 4 * HOUR_US), Some(from + 4 * HOUR_US));
        assert_eq!(Hours::Open(&[]).elapsed_us(from, due), 24 * HOUR_US);
    }

    #[test]
    fn what_falls_due_at_the_change_is_due_then() {
        let spells = [
            spell("2026-11-16T00:00:00+02:00", &[Shift::hours(8, 12)]),
            spell("2026-11-18T10:00:00+02:00", &[Shift::hours(13, 17)]),
        ];
        let hours = Hours::Open(&spells);
        let from = us("2026-11-18T08:00:00+02:00");
        assert_eq!(hours.add_us(from, 2 * HOUR_US), Some(us("2026-11-18T10:00:00+02:00")));
        assert_eq!(hours.add_us(from, 3 * HOUR_US), Some(us("2026-11-18T14:00:00+02:00")));
        assert_eq!(hours.elapsed_us(from, us("2026-11-18T14:00:00+02:00")), 3 * HOUR_US);
    }
}
