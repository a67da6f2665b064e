//! Setting the own hours of a branch, and taking them away.

use commit::{Cx, Stop, Verb, ensure};
use kernel::BranchScope;

use super::branch::open_branch;
use super::hours::{check_opens, hours_of, path_of, sets_of, tell_hours};
use crate::Organization;
use crate::domain::calendar::{in_force, owner};
use crate::domain::{
    Branch, BranchCalendar, BranchId, Business, Cleared, HolidaySetId, HolidayUse, HoursInForce, OpeningHours, Refusal,
    Updated, check_version,
};

/// Says when a branch is open.
#[derive(Clone, Debug)]
pub struct SetBranchCalendar {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version of the own hours that the caller knows.
    pub expected_version: Option<i64>,
    /// The hours.
    pub hours: OpeningHours,
}

impl Verb<Organization> for SetBranchCalendar {
    type Reply = Updated<HoursInForce>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Updated<HoursInForce>, Stop<Refusal>> {
        let branch = open_branch(world, self.id, &self.scope, None)?;
        let mut hours = self.hours.clone();
        hours.set_ids.sort_unstable();
        hours.set_ids.dedup();
        let sets = sets_of(world, &hours.set_ids)?;
        let before = world.calendars.get(self.id)?.cloned();
        check_version(self.expected_version, before.as_ref().map_or(0, |known| known.version))
            .map_err(Stop::Refused)?;
        let known = before.as_ref().and_then(|known| known.hours.clone());
        if known.as_ref() == Some(&hours) {
            return Ok(Updated(in_force_at(world, &branch)?));
        }
        let after = BranchCalendar {
            id: self.id,
            version: before.as_ref().map_or(0, |known| known.version),
            hours: Some(hours.clone()),
            created_at_us: before.as_ref().map_or(cx.now_us, |known| known.created_at_us),
            updated_at_us: cx.now_us,
        };
        check_opens(in_force(&branch.time_zone, std::slice::from_ref(&after), &sets).as_ref(), cx.now_us)?;
        keep_uses(world, self.id, &known.map(|known| known.set_ids).unwrap_or_default(), &hours.set_ids)?;
        put(world, after)?;
        tell_hours(world, cx, self.id)?;
        Ok(Updated(in_force_at(world, &branch)?))
    }
}

/// Takes the own hours of a branch away, so that it inherits again.
#[derive(Clone, Debug)]
pub struct ClearBranchCalendar {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version of the own hours that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for ClearBranchCalendar {
    type Reply = Cleared<HoursInForce>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Cleared<HoursInForce>, Stop<Refusal>> {
        let branch = open_branch(world, self.id, &self.scope, None)?;
        let Some(before) = world.calendars.get(self.id)?.cloned() else {
            check_version(self.expected_version, 0).map_err(Stop::Refused)?;
            return Err(Stop::Refused(Refusal::NoOwnCalendar));
        };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        ensure!(before.hours.is_some(), Refusal::NoOwnCalendar);
        let sets = before.hours.as_ref().map(|hours| hours.set_ids.clone()).unwrap_or_default();
        keep_uses(world, self.id, &sets, &[])?;
        put(world, BranchCalendar { hours: None, updated_at_us: cx.now_us, ..before })?;
        tell_hours(world, cx, self.id)?;
        Ok(Cleared(in_force_at(world, &branch)?))
    }
}

/// Stores the own hours as their next version. It is counted here, because no event is about them: they are told as the
/// branch's.
fn put(world: &mut Business, calendar: BranchCalendar) -> Result<(), Stop<Refusal>> {
    let calendar = BranchCalendar { version: calendar.version + 1, ..calendar };
    match world.calendars.edit(calendar.id)? {
        Some(known) => *known = calendar,
        None => {
            world.calendars.insert(calendar);
        }
    }
    Ok(())
}

/// What holds in the branch now, as the reply tells it.
fn in_force_at(world: &mut Business, branch: &Branch) -> Result<HoursInForce, Stop<Refusal>> {
    let path = path_of(world, branch)?;
    let hours = hours_of(world, branch)?;
    let own = path.first().filter(|calendar| calendar.id == branch.id).cloned();
    let owner = owner(&path);
    let set_ids = owner.and_then(|owner| owner.hours.as_ref()).map(|hours| hours.set_ids.clone()).unwrap_or_default();
    Ok(HoursInForce { branch: branch.id, owner: owner.map(|owner| owner.id), own, hours, set_ids })
}

fn keep_uses(
    world: &mut Business,
    branch: BranchId,
    before: &[HolidaySetId],
    after: &[HolidaySetId],
) -> Result<(), Stop<Refusal>> {
    for set in before.iter().filter(|set| !after.contains(set)) {
        if let Some(known) = world.holiday_uses.edit(*set)? {
            known.branches.retain(|user| *user != branch);
        }
    }
    for set in after.iter().filter(|set| !before.contains(set)) {
        match world.holiday_uses.edit(*set)? {
            Some(known) => {
                known.branches.push(branch);
                known.branches.sort_unstable();
                known.branches.dedup();
            }
            None => {
                world.holiday_uses.insert(HolidayUse { id: *set, branches: vec![branch], version: 0 });
            }
        }
    }
    Ok(())
}
