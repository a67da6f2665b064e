//! Making and changing the sets of holidays that branches share.

use calendar::{CalendarSpec, Holiday, OpeningCalendar};
use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::count;
use super::hours::{check_opens, hours_of, tell_hours};
use crate::Organization;
use crate::domain::{
    Business, CLAIM_HOLIDAY_SET, Counted, Created, Event, HolidaySet, HolidaySetId, Refusal, Updated, check_version,
};

/// Most sets of holidays of a business.
const MAX_HOLIDAY_SETS: i64 = 500;

/// Makes a set of holidays.
#[derive(Clone, Debug)]
pub struct CreateHolidaySet {
    /// Its code.
    pub code: String,
    /// Name for people.
    pub display_name: String,
    /// The days.
    pub holidays: Vec<Holiday>,
}

impl Verb<Organization> for CreateHolidaySet {
    type Reply = Created<HolidaySet>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Created<HolidaySet>, Stop<Refusal>> {
        check_days(&self.holidays)?;
        let id = HolidaySetId(cx.new_id());
        let is_free = world.claims.take(CLAIM_HOLIDAY_SET, self.code.as_bytes(), id)?.is_ok();
        ensure!(is_free, Refusal::HolidaySetCodeTaken);
        ensure!(count(world, Counted::HolidaySets, 1)? <= MAX_HOLIDAY_SETS, Refusal::TooManyHolidaySets);
        let set = world.holiday_sets.insert(HolidaySet {
            id,
            version: 0,
            code: self.code.clone(),
            display_name: self.display_name.clone(),
            holidays: self.holidays.clone(),
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
        });
        let told = set.clone();
        cx.emit(set, Event::HolidaySetCreated(told));
        Ok(Created(set.clone()))
    }
}

/// Changes a set of holidays, and with it the hours of every branch that keeps it; `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct UpdateHolidaySet {
    /// Where the caller may act: must reach every branch that keeps the set.
    pub scope: BranchScope,
    /// The set.
    pub id: HolidaySetId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// New name for people.
    pub display_name: Option<String>,
    /// The days from now on.
    pub holidays: Option<Vec<Holiday>>,
}

impl Verb<Organization> for UpdateHolidaySet {
    type Reply = Updated<HolidaySet>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Updated<HolidaySet>, Stop<Refusal>> {
        let Some(before) = world.holiday_sets.get(self.id)?.cloned() else { refuse!(Refusal::HolidaySetNotFound) };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        let users = world.holiday_uses.get(self.id)?.map(|known| known.branches.clone()).unwrap_or_default();
        ensure!(users.iter().all(|user| self.scope.allows(user.uuid())), Refusal::GrantExceedsCaller);
        let mut after = before.clone();
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(holidays) = &self.holidays {
            check_days(holidays)?;
            after.holidays.clone_from(holidays);
        }
        if after == before {
            return Ok(Updated(before));
        }
        let other_days = after.holidays != before.holidays;
        after.updated_at_us = cx.now_us;
        let Some(set) = world.holiday_sets.edit(self.id)? else { refuse!(Refusal::HolidaySetNotFound) };
        *set = after;
        let told = set.clone();
        cx.emit(set, Event::HolidaySetUpdated(told));
        let reply = Updated(set.clone());
        if other_days {
            for user in users {
                let Some(branch) = world.branches.get(user)?.filter(|branch| branch.is_open()).cloned() else {
                    continue;
                };
                check_opens(hours_of(world, &branch)?.as_ref(), cx.now_us)?;
                tell_hours(world, cx, user)?;
            }
        }
        Ok(reply)
    }
}

/// Refuses days that there are not.
fn check_days(holidays: &[Holiday]) -> Result<(), Stop<Refusal>> {
    let spec = CalendarSpec { holidays: holidays.to_vec(), ..CalendarSpec::always("UTC") };
    OpeningCalendar::new(spec)
        .map(drop)
        .map_err(|fault| Stop::Refused(Refusal::HoursFaulty { field: fault.field, why: fault.problem.to_string() }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use calendar::{HolidayDay, Shift};
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Branch, BranchId, BranchKind, ClearBranchCalendar, OpeningHours, SetBranchCalendar};

    const NOW_US: i64 = 1_795_000_000_000_000;

    fn id(number: u128) -> BranchId {
        BranchId(Uuid::from_u128(number))
    }

    /// Business 1, regions 2 and 3, branch 4 in region 2.
    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), NOW_US);
        let tree: [(u128, Option<u128>, &[u128]); 4] =
            [(1, None, &[2, 3]), (2, Some(1), &[4]), (3, Some(1), &[]), (4, Some(2), &[])];
        for (number, parent, below) in tree {
            let branch = Branch::sample(id(number), BranchKind::Region);
            stage.world.branches.given(Branch { parent: parent.map(id), ..branch });
            let ids = below.iter().map(|number| id(*number)).collect();
            stage.world.children.given(crate::domain::Children { id: id(number), ids, version: 0 });
        }
        stage
    }

    fn holiday(month: i8, day: i8) -> Holiday {
        Holiday { day: HolidayDay::EveryYear { month, day }, closed: vec![], set_code: String::new() }
    }

    fn create(holidays: Vec<Holiday>) -> CreateHolidaySet {
        CreateHolidaySet { code: "RW".into(), display_name: "Rwanda".into(), holidays }
    }

    fn set(number: u128, weekly: [Vec<Shift>; 7], set_ids: Vec<HolidaySetId>) -> SetBranchCalendar {
        let hours = OpeningHours { weekly, set_ids, ..OpeningHours::default() };
        SetBranchCalendar { scope: BranchScope::All, id: id(number), expected_version: None, hours }
    }

    fn daily(open: u16, close: u16) -> [Vec<Shift>; 7] {
        std::array::from_fn(|_| vec![Shift::hours(open, close)])
    }

    /// Which branches were told, with the first shift of Monday and the number of holidays.
    fn told(stage: &mut Rehearsal<Organization>) -> Vec<(u128, Option<u16>, usize)> {
        let told = stage.told().into_iter().filter_map(|event| match event {
            Event::BranchUpdated { branch, changed, hours } => {
                assert_eq!(changed, ["opening_calendar"]);
                let holidays = hours.as_ref().map_or(0, |hours| hours.holidays.len());
                Some((branch.id.uuid().as_u128(), hours.map(|hours| hours.weekly[0][0].open_minute / 60), holidays))
            }
            _ => None,
        });
        told.collect()
    }

    #[test]
    fn every_branch_that_inherits_is_told_of_new_hours() {
        let mut stage = stage();
        let Updated(held) = stage.play(&set(1, daily(8, 17), vec![])).unwrap();
        assert_eq!((held.owner, held.own.map(|own| own.version)), (Some(id(1)), Some(1)));
        assert_eq!(told(&mut stage), [(1, Some(8), 0), (2, Some(8), 0), (3, Some(8), 0), (4, Some(8), 0)]);
        // What already stands is told to nobody.
        stage.play(&set(1, daily(8, 17), vec![])).unwrap();
        assert_eq!(told(&mut stage), []);
        stage.play(&set(2, daily(9, 18), vec![])).unwrap();
        assert_eq!(told(&mut stage), [(2, Some(9), 0), (4, Some(9), 0)]);
        stage.play(&set(1, daily(7, 17), vec![])).unwrap();
        assert_eq!(told(&mut stage), [(1, Some(7), 0), (3, Some(7), 0)], "region 2 has hours of its own");
        let clear = ClearBranchCalendar { scope: BranchScope::All, id: id(2), expected_version: Some(1) };
        let held = stage.play(&clear).unwrap().0;
        assert_eq!((held.owner, held.own.map(|own| own.version)), (Some(id(1)), Some(2)));
        assert_eq!(told(&mut stage), [(2, Some(7), 0), (4, Some(7), 0)]);
        let again = ClearBranchCalendar { expected_version: None, ..clear };
        assert_eq!(stage.play(&again), Err(Refusal::NoOwnCalendar));
    }

    #[test]
    fn a_moved_branch_is_told_the_hours_of_its_new_place() {
        let mut stage = stage();
        stage.play(&set(2, daily(9, 18), vec![])).unwrap();
        stage.told();
        let scope = BranchScope::All;
        let away = crate::domain::MoveBranch { scope, id: id(4), expected_version: None, parent: id(3) };
        let moved = stage.play(&away).unwrap().0;
        assert_eq!(told(&mut stage), [(4, None, 0)]);
        assert_eq!(stage.world.branches.get(id(4)).unwrap().unwrap().version, moved.version);
    }

    #[test]
    fn a_change_of_shared_holidays_reaches_every_branch_that_keeps_them() {
        let mut stage = stage();
        let Created(rwanda) = stage.play(&create(vec![holiday(7, 4)])).unwrap();
        assert_eq!(stage.play(&create(vec![])), Err(Refusal::HolidaySetCodeTaken));
        stage.play(&set(2, daily(8, 17), vec![rwanda.id, rwanda.id])).unwrap();
        assert_eq!(told(&mut stage), [(2, Some(8), 1), (4, Some(8), 1)]);
        let update = UpdateHolidaySet {
            scope: BranchScope::All,
            id: rwanda.id,
            expected_version: Some(1),
            display_name: None,
            holidays: Some(vec![holiday(7, 1), holiday(7, 4)]),
        };
        let foreign = UpdateHolidaySet { scope: BranchScope::only([id(4).uuid()]), ..update.clone() };
        assert_eq!(stage.play(&foreign), Err(Refusal::GrantExceedsCaller));
        assert_eq!(stage.play(&update).unwrap().0.version, 2);
        assert_eq!(told(&mut stage), [(2, Some(8), 2), (4, Some(8), 2)]);
        // A new name is nobody's hours.
        let rename = UpdateHolidaySet {
            expected_version: Some(2),
            display_name: Some("Ruanda".into()),
            holidays: None,
            ..update.clone()
        };
        stage.play(&rename).unwrap();
        assert_eq!(told(&mut stage), []);
        assert_eq!(stage.play(&update), Err(Refusal::VersionMismatch { current: 3 }));
        // Who keeps it no longer is not told of it.
        stage.play(&set(2, daily(8, 17), vec![])).unwrap();
        stage.told();
        stage.play(&UpdateHolidaySet { expected_version: None, holidays: Some(vec![]), ..update }).unwrap();
        assert_eq!(told(&mut stage), []);
    }

    #[test]
    fn hours_that_make_no_sense_or_never_open_are_refused() {
        let mut stage = stage();
        let never: [Vec<Shift>; 7] = Default::default();
        assert_eq!(stage.play(&set(4, never, vec![])), Err(Refusal::CalendarNeverOpens));
        let faulty = stage.play(&set(4, daily(24, 25), vec![])).unwrap_err();
        assert!(matches!(faulty, Refusal::HoursFaulty { field, .. } if field == "weekly[0].intervals[0]"));
        let unknown = HolidaySetId(Uuid::from_u128(9));
        assert_eq!(stage.play(&set(4, daily(8, 9), vec![unknown])), Err(Refusal::HolidaySetNotFound));
        let faulty = stage.play(&create(vec![holiday(2, 30)])).unwrap_err();
        assert!(matches!(faulty, Refusal::HoursFaulty { field, .. } if field == "holidays[0].every_year"));
        // A set that would close a branch for ever does not change.
        let Created(empty) = stage.play(&create(vec![])).unwrap();
        let mut sundays: [Vec<Shift>; 7] = Default::default();
        sundays[6] = vec![Shift::hours(8, 9)];
        stage.play(&set(4, sundays, vec![empty.id])).unwrap();
        let always = (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day)));
        let days = always.filter(|(month, day)| jiff::civil::Date::new(2024, *month, *day).is_ok());
        let closing = UpdateHolidaySet {
            scope: BranchScope::All,
            id: empty.id,
            expected_version: None,
            display_name: None,
            holidays: Some(days.map(|(month, day)| holiday(month, day)).collect()),
        };
        assert_eq!(stage.play(&closing), Err(Refusal::CalendarNeverOpens));
    }
}
