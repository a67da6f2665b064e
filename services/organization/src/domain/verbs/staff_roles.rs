//! Giving roles to staff members and ending them, up to the end of all their work.

use commit::{Cx, Stop, Verb, ensure, refuse};

use super::staff_care::keep;
use super::{Grantor, keep_an_administrator, working_member};
use crate::Organization;
use crate::domain::{
    Business, CLAIM_IDENTITY, Deactivated, Ended, Event, Granted, Reach, Refusal, RoleGrant, StaffMember, StaffMemberId,
};

/// Most grants of one person.
const MAX_GRANTS: usize = 50;

/// Gives a staff member a role in more branches, or everywhere.
#[derive(Clone, Debug)]
pub struct GrantStaffRole {
    /// Who gives: no more than it has.
    pub grantor: Grantor,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// The role, and where.
    pub grant: RoleGrant,
}

impl Verb<Organization> for GrantStaffRole {
    type Reply = Granted<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Granted<StaffMember>, Stop<Refusal>> {
        let before = working_member(world, self.id, &self.grantor.scope, self.expected_version)?;
        self.grantor.check(world, &self.grant.role, &self.grant.reach)?;
        let grants = with(&before.grants, &self.grant);
        ensure!(grants.len() <= MAX_GRANTS, Refusal::TooManyGrants);
        let after = StaffMember { grants, ..before.clone() };
        keep_an_administrator(world, before.is_administrator(), after.is_administrator())?;
        Ok(Granted(keep(world, cx, &before, after)?))
    }
}

/// Ends a role of a staff member in some branches, or where it holds everywhere.
#[derive(Clone, Debug)]
pub struct EndStaffRole {
    /// Who ends it: takes no more than it has.
    pub grantor: Grantor,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// The role, and where it ends.
    pub grant: RoleGrant,
}

impl Verb<Organization> for EndStaffRole {
    type Reply = Ended<StaffMember>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Ended<StaffMember>, Stop<Refusal>> {
        let before = working_member(world, self.id, &self.grantor.scope, self.expected_version)?;
        let Some(grants) = without(&before.grants, &self.grant) else { refuse!(Refusal::GrantNotFound) };
        self.grantor.check_held(world, &self.grant.role, &self.grant.reach)?;
        let after = StaffMember { grants, ..before.clone() };
        keep_an_administrator(world, before.is_administrator(), after.is_administrator())?;
        Ok(Ended(keep(world, cx, &before, after)?))
    }
}

/// Ends the work of a person for the business, for good.
#[derive(Clone, Debug)]
pub struct DeactivateStaffMember {
    /// Who ends it: takes no more than it has.
    pub grantor: Grantor,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for DeactivateStaffMember {
    type Reply = Deactivated<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Deactivated<StaffMember>, Stop<Refusal>> {
        let before = working_member(world, self.id, &self.grantor.scope, self.expected_version)?;
        for grant in &before.grants {
            self.grantor.check_held(world, &grant.role, &grant.reach)?;
        }
        keep_an_administrator(world, before.is_administrator(), false)?;
        if let Some(identity) = &before.identity {
            world.claims.release(CLAIM_IDENTITY, identity.key().as_bytes())?;
        }
        for team in &before.teams {
            let Some(team) = world.teams.edit(*team)? else { continue };
            team.members.retain(|member| *member != self.id);
            team.lead = team.lead.filter(|lead| *lead != self.id);
            team.updated_at_us = cx.now_us;
            let told = team.clone();
            cx.emit(team, Event::TeamUpdated(told));
        }
        cancel_coming_shifts(world, cx, self.id)?;
        let Some(member) = world.staff.edit(self.id)? else { refuse!(Refusal::StaffMemberNotFound) };
        member.grants.clear();
        member.teams.clear();
        member.matching_attributes.clear();
        member.matching_opted_in_at_us = None;
        member.identity = None;
        member.deactivated_at_us = Some(cx.now_us);
        member.updated_at_us = cx.now_us;
        cx.emit(member, Event::StaffMemberDeactivated(self.id));
        Ok(Deactivated(member.clone()))
    }
}

fn cancel_coming_shifts(
    world: &mut Business,
    cx: &mut Cx<'_, Organization>,
    person: StaffMemberId,
) -> Result<(), Stop<Refusal>> {
    let Some(roster) = world.rosters.get(person)?.cloned() else { return Ok(()) };
    let coming: Vec<_> = roster.shifts.iter().filter(|(_, starts_at_us, _)| *starts_at_us > cx.now_us).collect();
    for (id, ..) in &coming {
        let Some(shift) = world.shifts.edit(*id)? else { continue };
        shift.cancelled_at_us = Some(cx.now_us);
        shift.updated_at_us = cx.now_us;
        let told = shift.clone();
        cx.emit(shift, Event::ShiftCancelled(told));
    }
    if let Some(roster) = world.rosters.edit(person)? {
        roster.shifts.clear();
    }
    Ok(())
}

/// The grants with one more: branches of the same role are gathered.
fn with(grants: &[RoleGrant], more: &RoleGrant) -> Vec<RoleGrant> {
    let mut grants = grants.to_vec();
    if more.reach.is_all() {
        if !grants.contains(more) {
            grants.push(more.clone());
        }
        return grants;
    }
    match grants.iter_mut().find(|grant| grant.role == more.role && !grant.reach.is_all()) {
        Some(known) => {
            let mut branches = [known.reach.branches(), more.reach.branches()].concat();
            branches.sort_unstable();
            branches.dedup();
            known.reach = Reach::Branches(branches);
        }
        None => grants.push(more.clone()),
    }
    grants
}

/// The grants without one; `None` when they do not hold it.
fn without(grants: &[RoleGrant], less: &RoleGrant) -> Option<Vec<RoleGrant>> {
    let mut grants = grants.to_vec();
    let place =
        grants.iter().position(|grant| grant.role == less.role && grant.reach.is_all() == less.reach.is_all())?;
    let held = grants.get_mut(place)?;
    if !less.reach.branches().iter().all(|branch| held.reach.branches().contains(branch)) {
        return None;
    }
    let left: Vec<_> =
        held.reach.branches().iter().copied().filter(|branch| !less.reach.branches().contains(branch)).collect();
    if left.is_empty() {
        grants.remove(place);
    } else {
        held.reach = Reach::Branches(left);
    }
    Some(grants)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{
        ADMIN, Branch, BranchId, BranchKind, ExternalIdentity, Roster, Shift, ShiftId, Team, TeamId, permissions_of,
    };

    const HERE: u128 = 11;
    const THERE: u128 = 12;

    fn reach(branches: &[u128]) -> Reach {
        Reach::Branches(branches.iter().map(|branch| Uuid::from_u128(*branch)).collect())
    }

    fn grant(role: &str, reach: Reach) -> RoleGrant {
        RoleGrant { role: role.into(), reach }
    }

    fn by(role: &str, scope: BranchScope) -> Grantor {
        Grantor { permissions: permissions_of([role]), scope }
    }

    fn stage(grants: Vec<RoleGrant>) -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 100);
        for branch in [HERE, THERE] {
            stage.world.branches.given(Branch::sample(BranchId(Uuid::from_u128(branch)), BranchKind::Branch));
        }
        let member = StaffMember::new(StaffMemberId(Uuid::from_u128(1)), "Aline", 1);
        let home = Some(BranchId(Uuid::from_u128(HERE)));
        stage.world.staff.given(StaffMember { version: 1, grants, home, ..member });
        stage
    }

    fn give(grant: RoleGrant) -> GrantStaffRole {
        let id = StaffMemberId(Uuid::from_u128(1));
        GrantStaffRole { grantor: by(ADMIN, BranchScope::All), id, expected_version: None, grant }
    }

    fn end(grant: RoleGrant) -> EndStaffRole {
        let id = StaffMemberId(Uuid::from_u128(1));
        EndStaffRole { grantor: by(ADMIN, BranchScope::All), id, expected_version: None, grant }
    }

    fn deactivate() -> DeactivateStaffMember {
        let id = StaffMemberId(Uuid::from_u128(1));
        DeactivateStaffMember { grantor: by(ADMIN, BranchScope::All), id, expected_version: None }
    }

    #[test]
    fn branches_of_a_role_are_gathered_and_end_one_by_one() {
        let mut stage = stage(vec![]);
        stage.play(&give(grant("agent", reach(&[HERE])))).unwrap();
        let member = stage.play(&give(grant("agent", reach(&[THERE, HERE])))).unwrap().0;
        assert_eq!(member.grants, [grant("agent", reach(&[HERE, THERE]))]);
        stage.told();
        stage.play(&give(grant("agent", reach(&[HERE])))).unwrap();
        assert_eq!(stage.told(), [], "what is held already is no change");
        let member = stage.play(&give(grant("agent", Reach::All))).unwrap().0;
        assert_eq!(member.grants.len(), 2);
        let member = stage.play(&end(grant("agent", reach(&[HERE])))).unwrap().0;
        assert_eq!(member.grants, [grant("agent", reach(&[THERE])), grant("agent", Reach::All)]);
        assert_eq!(stage.play(&end(grant("agent", reach(&[HERE])))), Err(Refusal::GrantNotFound));
        stage.play(&end(grant("agent", reach(&[THERE])))).unwrap();
        assert_eq!(stage.play(&end(grant("agent", Reach::All))).unwrap().0.grants, []);
        assert_eq!(stage.play(&end(grant("agent", Reach::All))), Err(Refusal::GrantNotFound));
    }

    #[test]
    fn nobody_gives_or_ends_more_than_they_have() {
        let mut stage = stage(vec![grant("agent", Reach::All)]);
        let here = BranchScope::only([Uuid::from_u128(HERE)]);
        let everywhere = GrantStaffRole { grantor: by(ADMIN, here.clone()), ..give(grant("auditor", Reach::All)) };
        assert_eq!(stage.play(&everywhere), Err(Refusal::GrantExceedsCaller));
        let there = GrantStaffRole { grantor: by(ADMIN, here.clone()), ..give(grant("auditor", reach(&[THERE]))) };
        assert_eq!(stage.play(&there), Err(Refusal::BranchNotFound));
        let higher = GrantStaffRole { grantor: by("agent", BranchScope::All), ..give(grant(ADMIN, Reach::All)) };
        assert_eq!(stage.play(&higher), Err(Refusal::GrantExceedsCaller));
        let taking = EndStaffRole { grantor: by(ADMIN, here), ..end(grant("agent", Reach::All)) };
        assert_eq!(stage.play(&taking), Err(Refusal::GrantExceedsCaller));
        assert_eq!(stage.play(&give(grant("king", Reach::All))), Err(Refusal::RoleNotFound));
    }

    #[test]
    fn who_ceases_to_work_here_keeps_nothing() {
        let mut stage = stage(vec![grant("agent", reach(&[HERE]))]);
        let id = StaffMemberId(Uuid::from_u128(1));
        let identity = ExternalIdentity { issuer: "https://id.example/".into(), subject: "aline".into() };
        stage.world.claims.given(CLAIM_IDENTITY, identity.key().as_bytes(), Some(id.uuid()));
        let team = TeamId(Uuid::from_u128(5));
        let member = stage.world.staff.get(id).unwrap().unwrap().clone();
        stage.world.staff.given(StaffMember { identity: Some(identity.clone()), teams: vec![team], ..member });
        let (branch, version) = (BranchId(Uuid::from_u128(HERE)), 1);
        stage.world.teams.given(Team {
            id: team,
            version,
            branch,
            display_name: "Till".into(),
            members: vec![id],
            lead: Some(id),
            created_at_us: 1,
            updated_at_us: 1,
            dissolved_at_us: None,
        });
        let shift = |number: u128, starts_at_us| Shift {
            id: ShiftId(Uuid::from_u128(number)),
            version,
            member: id,
            branch,
            starts_at_us,
            ends_at_us: starts_at_us + 50,
            created_at_us: 1,
            updated_at_us: 1,
            cancelled_at_us: None,
        };
        let (running, coming) = (shift(7, 80), shift(8, 150));
        let shifts = [&running, &coming].map(|shift| (shift.id, shift.starts_at_us, shift.ends_at_us)).to_vec();
        stage.world.rosters.given(Roster { id, shifts, version: 0 });
        stage.world.shifts.given(running).given(coming.clone());

        let member = stage.play(&deactivate()).unwrap().0;
        assert!(member.grants.is_empty() && member.identity.is_none() && !member.is_active());
        let kinds: Vec<&str> = stage.told().iter().map(commit::DomainEvent::kind).collect();
        assert_eq!(kinds, ["team.updated", "shift.cancelled", "staff_member.deactivated"]);
        let team = stage.world.teams.get(team).unwrap().unwrap();
        assert_eq!((team.members.len(), team.lead), (0, None));
        assert_eq!(stage.world.shifts.get(coming.id).unwrap().unwrap().cancelled_at_us, Some(100));
        assert_eq!(stage.world.claims.owner(CLAIM_IDENTITY, identity.key().as_bytes()).unwrap(), None);
        assert_eq!(stage.play(&deactivate()), Err(Refusal::StaffMemberDeactivated));
        assert_eq!(stage.play(&give(grant("agent", Reach::All))), Err(Refusal::StaffMemberDeactivated));
    }

    #[test]
    fn the_last_person_who_administers_the_business_stays() {
        let mut stage = stage(vec![]);
        let identity = ExternalIdentity { issuer: "https://id.example/".into(), subject: "aline".into() };
        let member = stage.world.staff.get(StaffMemberId(Uuid::from_u128(1))).unwrap().unwrap().clone();
        stage.world.staff.given(StaffMember { identity: Some(identity), ..member });
        stage.play(&give(grant(ADMIN, Reach::All))).unwrap();
        assert_eq!(stage.play(&end(grant(ADMIN, Reach::All))), Err(Refusal::LastAdministrator));
        assert_eq!(stage.play(&deactivate()), Err(Refusal::LastAdministrator));
    }
}
