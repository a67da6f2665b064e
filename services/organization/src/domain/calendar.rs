//! When branches are open: the own hours of a branch, the holidays that branches share, and what holds where. How hours
//! become instants is for the crate `calendar`.

use calendar::{CalendarSpec, DateHours, Holiday, Shift};

use super::{BranchId, HolidaySetId};

/// Hours as a branch writes them down; the time zone is that of the branch where they hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpeningHours {
    /// The shifts of a week, Monday first.
    pub weekly: [Vec<Shift>; 7],
    /// Holidays of the branch alone.
    pub holidays: Vec<Holiday>,
    /// Dates with hours of their own.
    pub overrides: Vec<DateHours>,
    /// The sets of holidays that it keeps.
    pub set_ids: Vec<HolidaySetId>,
}

/// The own hours of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchCalendar {
    /// The branch.
    pub id: BranchId,
    /// The version.
    pub version: i64,
    /// The hours; `None` once they were taken away.
    pub hours: Option<OpeningHours>,
    /// When it first had some, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When they were last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

/// Holidays that branches share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolidaySet {
    /// The id.
    pub id: HolidaySetId,
    /// The version.
    pub version: i64,
    /// Code chosen by the business, unique.
    pub code: String,
    /// Name for people.
    pub display_name: String,
    /// The days.
    pub holidays: Vec<Holiday>,
    /// When it was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

/// Which branches keep a set of holidays. Apart from the set, so that a branch that begins to keep it does not make the
/// etag of the set stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolidayUse {
    /// The set.
    pub id: HolidaySetId,
    /// The branches that name it in their own hours, in order.
    pub branches: Vec<BranchId>,
    /// Not stored, nobody outside sees it.
    pub version: i64,
}

/// The hours that hold in a branch, and whose they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoursInForce {
    /// The branch.
    pub branch: BranchId,
    /// The branch whose hours they are: itself or one above; `None` when none up to the root has any.
    pub owner: Option<BranchId>,
    /// What the branch itself has or had.
    pub own: Option<BranchCalendar>,
    /// The hours; `None` means day and night.
    pub hours: Option<CalendarSpec>,
    /// The sets of holidays in them.
    pub set_ids: Vec<HolidaySetId>,
}

/// What is written down up the tree: the own hours of the branch itself first, then of those above it.
pub type Path = Vec<BranchCalendar>;

/// The calendar of the path whose hours hold at its beginning: the nearest one that has some.
pub fn owner(path: &[BranchCalendar]) -> Option<&BranchCalendar> {
    path.iter().find(|calendar| calendar.hours.is_some())
}

/// The hours that hold at the beginning of the path, in the zone of that branch; `sets` are those that their owner keeps.
/// `None` means day and night. The revision is the time of the last change, so that it rises with each.
pub fn in_force(time_zone: &str, path: &[BranchCalendar], sets: &[HolidaySet]) -> Option<CalendarSpec> {
    let hours = owner(path)?.hours.as_ref()?;
    let of_sets = sets
        .iter()
        .flat_map(|set| set.holidays.iter().map(|holiday| Holiday { set_code: set.code.clone(), ..holiday.clone() }));
    let revision = path
        .iter()
        .map(|calendar| calendar.updated_at_us)
        .chain(sets.iter().map(|set| set.updated_at_us))
        .max()
        .unwrap_or_default();
    Some(CalendarSpec {
        time_zone: time_zone.to_owned(),
        weekly: hours.weekly.clone(),
        holidays: hours.holidays.iter().cloned().chain(of_sets).collect(),
        overrides: hours.overrides.clone(),
        revision,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use calendar::HolidayDay;
    use uuid::Uuid;

    use super::*;

    fn calendar(number: u128, open: Option<u16>, updated_at_us: i64) -> BranchCalendar {
        let hours = open.map(|hour| OpeningHours {
            weekly: std::array::from_fn(|_| vec![Shift::hours(hour, hour + 8)]),
            ..OpeningHours::default()
        });
        BranchCalendar { id: BranchId(Uuid::from_u128(number)), version: 1, hours, created_at_us: 1, updated_at_us }
    }

    #[test]
    fn the_nearest_hours_hold_in_the_zone_of_the_branch() {
        assert_eq!(in_force("Africa/Kigali", &[], &[]), None);
        assert_eq!(in_force("Africa/Kigali", &[calendar(1, None, 5)], &[]), None);
        let path = [calendar(1, None, 9), calendar(2, Some(8), 5), calendar(3, Some(7), 7)];
        let spec = in_force("Africa/Kigali", &path, &[]).unwrap();
        assert_eq!((spec.time_zone.as_str(), spec.revision), ("Africa/Kigali", 9));
        assert_eq!(spec.weekly[0], [Shift::hours(8, 16)]);
    }

    #[test]
    fn shared_holidays_come_with_the_code_of_their_set() {
        let own = Holiday { day: HolidayDay::EveryYear { month: 1, day: 2 }, closed: vec![], set_code: String::new() };
        let mut mine = calendar(1, Some(8), 5);
        mine.hours.as_mut().unwrap().holidays = vec![own.clone()];
        let shared =
            Holiday { day: HolidayDay::EveryYear { month: 7, day: 4 }, closed: vec![Shift::hours(12, 24)], ..own };
        let set = HolidaySet {
            id: HolidaySetId(Uuid::from_u128(9)),
            version: 1,
            code: "RW".into(),
            display_name: "Rwanda".into(),
            holidays: vec![shared],
            created_at_us: 1,
            updated_at_us: 11,
        };
        let spec = in_force("Africa/Kigali", &[mine], &[set]).unwrap();
        let codes: Vec<&str> = spec.holidays.iter().map(|holiday| holiday.set_code.as_str()).collect();
        assert_eq!((codes, spec.revision), (vec!["", "RW"], 11));
    }
}
