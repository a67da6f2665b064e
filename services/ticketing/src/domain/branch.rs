//! What ticketing knows of a branch: its code, clock and currency. Told by the organization service; the
//! calendar of a branch is reckoned here and nowhere else.

use calendar::CalendarSpec;
use commit::{Missing, Slot};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{Currency, DAY_US};

use super::BranchId;

/// A branch of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// Counts up with every change.
    pub version: i64,
    /// Its code: the first part of the numbers of its complaints.
    pub code: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: Currency,
    /// It takes no new complaints.
    pub closed: bool,
    /// The branch above it.
    pub parent: Option<BranchId>,
    /// Its opening hours; `None` is day and night.
    pub calendar: Option<CalendarSpec>,
}

/// Most branches from a desk up to the business; more would be a ring.
const DEEPEST: usize = 12;

/// The branches from `branch` up to the business. What is not known here ends it.
pub fn path_of(branches: &mut Slot<Branch>, branch: BranchId) -> Result<Vec<BranchId>, Missing> {
    let mut path = Vec::new();
    let mut next = Some(branch);
    while let Some(id) = next.filter(|id| path.len() < DEEPEST && !path.contains(id)) {
        path.push(id);
        next = branches.get(id)?.and_then(|branch| branch.parent);
    }
    Ok(path)
}

impl Branch {
    /// The year of the branch's calendar at `at_us`.
    pub fn year(&self, at_us: i64) -> i16 {
        self.day(at_us).year()
    }

    /// The instant at which `date` begins at the branch, microseconds since the Unix epoch. `None` outside
    /// of the years that a calendar has (-9999 to 9999).
    pub fn start_of(&self, date: Date) -> Option<i64> {
        self.at_hour(date, 0)
    }

    /// The instant at which the clock of the branch shows `hour` (0 to 23) of the day that is `days` after
    /// that of `from_us`. Where the clock skips or repeats that hour, RFC 5545 decides: the gap is passed
    /// over by its length, of two equal hours the first counts.
    pub fn hour_of_day_after(&self, from_us: i64, days: i32, hour: i8) -> i64 {
        self.day(from_us)
            .checked_add(jiff::Span::new().try_days(days).unwrap_or_default())
            .ok()
            .and_then(|date| self.at_hour(date, hour))
            // Beyond the year 9999 no calendar helps; days of 24 hours do.
            .unwrap_or_else(|| from_us.saturating_add(i64::from(days) * DAY_US))
    }

    /// The day of the branch's calendar at `at_us`.
    pub fn day(&self, at_us: i64) -> Date {
        Timestamp::from_microsecond(at_us).map_or(Date::MAX, |instant| self.zone().to_datetime(instant).date())
    }

    fn at_hour(&self, date: Date, hour: i8) -> Option<i64> {
        let local = date.at(hour.clamp(0, 23), 0, 0, 0);
        self.zone().to_timestamp(local).ok().map(Timestamp::as_microsecond)
    }

    /// The organization checks zones before it tells them; one that this program does not know counts as UTC.
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn branch(zone: &str) -> Branch {
        Branch {
            id: BranchId(uuid::Uuid::from_u128(1)),
            version: 1,
            code: "B".to_owned(),
            time_zone: zone.to_owned(),
            currency: "RWF".parse().unwrap(),
            closed: false,
            parent: None,
            calendar: None,
        }
    }

    fn us(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn the_year_is_that_of_the_branch() {
        let new_year = us("2026-12-31T22:30:00Z");
        assert_eq!(branch("Africa/Kigali").year(new_year), 2027);
        assert_eq!(branch("Europe/London").year(new_year), 2026);
    }

    #[test]
    fn days_are_those_of_the_branch_also_over_a_change_of_the_clock() {
        for (zone, from, days, hour, due) in [
            ("Africa/Kigali", "2026-11-20T14:00:00Z", 3, 10, "2026-11-23T08:00:00Z"),
            // 23:30 UTC is the next day in Kigali.
            ("Africa/Kigali", "2026-11-20T23:30:00Z", 1, 10, "2026-11-22T08:00:00Z"),
            // The clocks of London go forward on 2026-03-29 and back on 2026-10-25.
            ("Europe/London", "2026-03-28T12:00:00Z", 1, 10, "2026-03-29T09:00:00Z"),
            ("Europe/London", "2026-10-24T12:00:00Z", 1, 10, "2026-10-25T10:00:00Z"),
            // 01:00 does not exist on that day in London, and exists twice on the other.
            ("Europe/London", "2026-03-28T12:00:00Z", 1, 1, "2026-03-29T01:00:00Z"),
            ("Europe/London", "2026-10-24T12:00:00Z", 1, 1, "2026-10-25T00:00:00Z"),
            ("Nowhere/Else", "2026-02-28T12:00:00Z", 1, 10, "2026-03-01T10:00:00Z"),
        ] {
            assert_eq!(branch(zone).hour_of_day_after(us(from), days, hour), us(due), "{zone} {from}");
        }
    }
}
