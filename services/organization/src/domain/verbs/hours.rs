//! Finding the hours that hold in a branch, and telling every branch whose hours have changed.

use std::collections::HashSet;

use calendar::{CalendarSpec, OpeningCalendar};
use commit::{Cx, Missing, Stop, ensure};

use crate::Organization;
use crate::domain::calendar::{Path, in_force, owner};
use crate::domain::{Branch, BranchId, Business, Event, HolidaySet, HolidaySetId, Refusal};

/// Most branches that are told of one change.
const MAX_TOLD: usize = 5_000;

/// What is written down for the branch and for those above it.
pub(super) fn path_of(world: &mut Business, branch: &Branch) -> Result<Path, Stop<Refusal>> {
    let mut places = vec![branch.id];
    let mut above = branch.parent;
    while let Some(parent) = above {
        places.push(parent);
        above = world.branches.get(parent)?.and_then(|branch| branch.parent);
    }
    let path = each(&places, |id| world.calendars.get(id).map(|calendar| calendar.cloned()))?;
    Ok(path.into_iter().flatten().collect())
}

/// The hours that hold in the branch, if it is not open day and night.
pub(super) fn hours_of(world: &mut Business, branch: &Branch) -> Result<Option<CalendarSpec>, Stop<Refusal>> {
    let path = path_of(world, branch)?;
    let sets = match owner(&path).and_then(|calendar| calendar.hours.as_ref()) {
        Some(hours) => sets_of(world, &hours.set_ids)?,
        None => Vec::new(),
    };
    Ok(in_force(&branch.time_zone, &path, &sets))
}

/// The hours that will hold in a branch that is about to be made.
pub(super) fn inherited_hours(world: &mut Business, branch: &Branch) -> Result<Option<CalendarSpec>, Stop<Refusal>> {
    let Some(parent) = branch.parent else { return Ok(None) };
    let Some(above) = world.branches.get(parent)?.cloned() else { return Ok(None) };
    let hours = hours_of(world, &above)?;
    Ok(hours.map(|hours| CalendarSpec { time_zone: branch.time_zone.clone(), ..hours }))
}

/// These sets of holidays.
pub(super) fn sets_of(world: &mut Business, ids: &[HolidaySetId]) -> Result<Vec<HolidaySet>, Stop<Refusal>> {
    let mut sets = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(set) = world.holiday_sets.get(*id)? else { return Err(Stop::Refused(Refusal::HolidaySetNotFound)) };
        sets.push(set.clone());
    }
    Ok(sets)
}

/// Refuses hours that make no sense, or that never open within 370 days.
pub(super) fn check_opens(spec: Option<&CalendarSpec>, now_us: i64) -> Result<(), Stop<Refusal>> {
    let Some(spec) = spec else { return Ok(()) };
    let calendar = OpeningCalendar::new(spec.clone())
        .map_err(|fault| Stop::Refused(Refusal::HoursFaulty { field: fault.field, why: fault.problem.to_string() }))?;
    calendar.check_opens(now_us).map_err(|_| Stop::Refused(Refusal::CalendarNeverOpens))
}

/// Tells the hours that hold now to the branch and to every working branch below that inherits them.
pub(super) fn tell_hours(
    world: &mut Business,
    cx: &mut Cx<'_, Organization>,
    top: BranchId,
) -> Result<(), Stop<Refusal>> {
    let (mut heirs, mut known) = (vec![top], HashSet::from([top]));
    for level in levels_below(world, top)?.into_iter().skip(1) {
        // Who has hours of its own inherits nothing, and neither does what lies below.
        for id in level {
            let parent = world.branches.get(id)?.and_then(|branch| branch.parent);
            let has_own = world.calendars.get(id)?.is_some_and(|calendar| calendar.hours.is_some());
            if !has_own && parent.is_some_and(|parent| known.contains(&parent)) {
                heirs.push(id);
                known.insert(id);
            }
        }
    }
    for id in heirs {
        let Some(branch) = world.branches.get(id)?.filter(|branch| branch.is_open()).cloned() else { continue };
        let hours = hours_of(world, &branch)?;
        if let Some(branch) = world.branches.edit(id)? {
            let told = branch.clone();
            cx.emit(branch, Event::BranchUpdated { branch: told, changed: vec!["opening_calendar"], hours });
        }
    }
    Ok(())
}

/// The branch itself and the working branches below it, level by level. All that is asked of them later is loaded here.
pub(super) fn levels_below(world: &mut Business, top: BranchId) -> Result<Vec<Vec<BranchId>>, Stop<Refusal>> {
    let (mut levels, mut level, mut known) = (Vec::new(), vec![top], 0);
    while !level.is_empty() {
        known += level.len();
        ensure!(known <= MAX_TOLD, Refusal::TreeTooWide);
        let calendars = each(&level, |id| world.calendars.get(id).map(drop));
        let branches = each(&level, |id| world.branches.get(id).map(drop));
        let below = each(&level, |id| Ok(world.children.get(id)?.map(|children| children.ids.clone())))?;
        calendars?;
        branches?;
        levels.push(level);
        level = below.into_iter().flatten().flatten().collect();
    }
    Ok(levels)
}

/// Asks for all before the first answer is needed, so that one statement loads them.
pub(super) fn each<I: Copy, T>(ids: &[I], mut ask: impl FnMut(I) -> Result<T, Missing>) -> Result<Vec<T>, Missing> {
    let answers: Vec<Result<T, Missing>> = ids.iter().map(|id| ask(*id)).collect();
    answers.into_iter().collect()
}
