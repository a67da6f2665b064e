//! Planning shifts and cancelling them.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::branch::open_branch;
use super::working_member;
use crate::Organization;
use crate::domain::{
    BranchId, Business, Cancelled, Event, Planned, Refusal, Roster, Shift, ShiftId, StaffMemberId, check_version,
};

/// Longest shift, in microseconds: 24 hours.
const MAX_SHIFT_US: i64 = 24 * 3_600 * 1_000_000;
/// How far ahead a shift may begin, in microseconds: 400 days.
const MAX_AHEAD_US: i64 = 400 * 24 * 3_600 * 1_000_000;
/// Most shifts of one person that are not over.
const MAX_SHIFTS: usize = 1_000;

/// Plans a shift of a staff member in a branch.
#[derive(Clone, Debug)]
pub struct PlanShift {
    /// Where the caller may act: must reach the branch and the person.
    pub scope: BranchScope,
    /// Who works.
    pub member: StaffMemberId,
    /// Where.
    pub branch: BranchId,
    /// When it begins, microseconds since the Unix epoch.
    pub starts_at_us: i64,
    /// When it ends, microseconds since the Unix epoch.
    pub ends_at_us: i64,
}

impl Verb<Organization> for PlanShift {
    type Reply = Planned<Shift>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Planned<Shift>, Stop<Refusal>> {
        let length_us = self.ends_at_us.saturating_sub(self.starts_at_us);
        let fits = (1..=MAX_SHIFT_US).contains(&length_us)
            && self.ends_at_us > cx.now_us
            && self.starts_at_us <= cx.now_us.saturating_add(MAX_AHEAD_US);
        ensure!(fits, Refusal::ShiftFaulty);
        open_branch(world, self.branch, &self.scope, None)?;
        working_member(world, self.member, &self.scope, None)?;
        let id = ShiftId(cx.new_id());
        let is_fresh = world.rosters.get(self.member)?.is_none();
        if is_fresh {
            world.rosters.insert(Roster { id: self.member, shifts: Vec::new(), version: 0 });
        }
        let Some(roster) = world.rosters.edit(self.member)? else { refuse!(Refusal::StaffMemberNotFound) };
        roster.shifts.retain(|(_, _, ends_at_us)| *ends_at_us > cx.now_us);
        let overlaps =
            |(_, from_us, to_us): &(ShiftId, i64, i64)| *from_us < self.ends_at_us && self.starts_at_us < *to_us;
        ensure!(!roster.shifts.iter().any(overlaps), Refusal::ShiftOverlaps);
        ensure!(roster.shifts.len() < MAX_SHIFTS, Refusal::TooManyShifts);
        roster.shifts.push((id, self.starts_at_us, self.ends_at_us));
        let shift = world.shifts.insert(Shift {
            id,
            version: 0,
            member: self.member,
            branch: self.branch,
            starts_at_us: self.starts_at_us,
            ends_at_us: self.ends_at_us,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            cancelled_at_us: None,
        });
        let told = shift.clone();
        cx.emit(shift, Event::ShiftPlanned(told));
        Ok(Planned(shift.clone()))
    }
}

/// Cancels a shift that is not over.
#[derive(Clone, Debug)]
pub struct CancelShift {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The shift.
    pub id: ShiftId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for CancelShift {
    type Reply = Cancelled<Shift>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Cancelled<Shift>, Stop<Refusal>> {
        let before = match world.shifts.get(self.id)? {
            Some(shift) if self.scope.allows(shift.branch.uuid()) => shift.clone(),
            _ => refuse!(Refusal::ShiftNotFound),
        };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        ensure!(before.cancelled_at_us.is_none(), Refusal::ShiftCancelled);
        ensure!(before.ends_at_us > cx.now_us, Refusal::ShiftOver);
        if let Some(roster) = world.rosters.edit(before.member)? {
            roster.shifts.retain(|(id, ..)| *id != self.id);
        }
        let Some(shift) = world.shifts.edit(self.id)? else { refuse!(Refusal::ShiftNotFound) };
        shift.cancelled_at_us = Some(cx.now_us);
        shift.updated_at_us = cx.now_us;
        let told = shift.clone();
        cx.emit(shift, Event::ShiftCancelled(told));
        Ok(Cancelled(shift.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Branch, BranchKind, StaffMember};

    const HOUR_US: i64 = 3_600 * 1_000_000;

    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 10 * HOUR_US);
        let home = BranchId(Uuid::from_u128(11));
        stage.world.branches.given(Branch::sample(home, BranchKind::Branch));
        let member = StaffMember::new(StaffMemberId(Uuid::from_u128(1)), "Aline", 1);
        stage.world.staff.given(StaffMember { version: 1, home: Some(home), ..member });
        stage
    }

    fn plan(from_hour: i64, to_hour: i64) -> PlanShift {
        PlanShift {
            scope: BranchScope::All,
            member: StaffMemberId(Uuid::from_u128(1)),
            branch: BranchId(Uuid::from_u128(11)),
            starts_at_us: from_hour * HOUR_US,
            ends_at_us: to_hour * HOUR_US,
        }
    }

    #[test]
    fn shifts_of_a_person_may_touch_but_not_overlap() {
        let mut stage = stage();
        let Planned(first) = stage.play(&plan(12, 20)).unwrap();
        for (from, to) in [(12, 20), (11, 13), (19, 21), (13, 14), (11, 30)] {
            assert_eq!(stage.play(&plan(from, to)), Err(Refusal::ShiftOverlaps), "{from} to {to}");
        }
        stage.play(&plan(20, 28)).unwrap();
        stage.play(&plan(11, 12)).unwrap();
        let cancel = CancelShift { scope: BranchScope::All, id: first.id, expected_version: Some(1) };
        stage.play(&cancel).unwrap();
        stage.play(&plan(13, 14)).unwrap();
        let again = CancelShift { expected_version: None, ..cancel };
        assert_eq!(stage.play(&again), Err(Refusal::ShiftCancelled));
    }

    #[test]
    fn a_shift_lies_ahead_and_has_an_end() {
        let mut stage = stage();
        let far = 10 + 400 * 24;
        for (from, to) in [(12, 12), (13, 12), (12, 37), (8, 10), (far + 1, far + 2)] {
            assert_eq!(stage.play(&plan(from, to)), Err(Refusal::ShiftFaulty), "{from} to {to}");
        }
        // One that runs already can be planned, and cancelled until it is over.
        let Planned(running) = stage.play(&plan(9, 12)).unwrap();
        stage.now_us = 12 * HOUR_US;
        let cancel = CancelShift { scope: BranchScope::All, id: running.id, expected_version: None };
        assert_eq!(stage.play(&cancel), Err(Refusal::ShiftOver));
        stage.play(&plan(far, far + 8)).unwrap();
    }

    #[test]
    fn who_plans_reaches_the_branch_and_the_person() {
        let foreign = PlanShift { scope: BranchScope::only([]), ..plan(12, 13) };
        assert_eq!(stage().play(&foreign), Err(Refusal::BranchNotFound));
        let unknown = PlanShift { member: StaffMemberId(Uuid::from_u128(9)), ..plan(12, 13) };
        assert_eq!(stage().play(&unknown), Err(Refusal::StaffMemberNotFound));
        let mut stage = stage();
        let Planned(shift) = stage.play(&plan(12, 13)).unwrap();
        let cancel = CancelShift { scope: BranchScope::only([]), id: shift.id, expected_version: None };
        assert_eq!(stage.play(&cancel), Err(Refusal::ShiftNotFound));
    }
}
