//! Making, changing and dissolving teams. A person's record names their teams, so both are changed together.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::branch::open_branch;
use super::staff_care::keep;
use super::working_member;
use crate::Organization;
use crate::domain::{
    BranchId, Business, Created, Dissolved, Event, Refusal, StaffMember, StaffMemberId, Team, TeamId, Updated,
    check_version,
};

/// Most teams of one person.
const MAX_TEAMS: usize = 20;

/// Makes a team of a branch.
#[derive(Clone, Debug)]
pub struct CreateTeam {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub branch: BranchId,
    /// Name for people.
    pub display_name: String,
    /// Its members.
    pub members: Vec<StaffMemberId>,
    /// The member who leads it.
    pub lead: Option<StaffMemberId>,
}

impl Verb<Organization> for CreateTeam {
    type Reply = Created<Team>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Created<Team>, Stop<Refusal>> {
        open_branch(world, self.branch, &self.scope, None)?;
        let id = TeamId(cx.new_id());
        let members = sorted(&self.members);
        ensure!(self.lead.is_none_or(|lead| members.contains(&lead)), Refusal::LeadNotMember);
        let team = world.teams.insert(Team {
            id,
            version: 0,
            branch: self.branch,
            display_name: self.display_name.clone(),
            members: members.clone(),
            lead: self.lead,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            dissolved_at_us: None,
        });
        let told = team.clone();
        cx.emit(team, Event::TeamCreated(told));
        let created = Created(team.clone());
        for member in members {
            join(world, cx, id, member, &self.scope)?;
        }
        Ok(created)
    }
}

/// Changes a team; `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct UpdateTeam {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The team.
    pub id: TeamId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// New name for people.
    pub display_name: Option<String>,
    /// All its members from now on.
    pub members: Option<Vec<StaffMemberId>>,
    /// The member who leads it from now on; `Some(None)` for nobody.
    pub lead: Option<Option<StaffMemberId>>,
}

impl Verb<Organization> for UpdateTeam {
    type Reply = Updated<Team>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Updated<Team>, Stop<Refusal>> {
        let before = standing_team(world, self.id, &self.scope, self.expected_version)?;
        let mut after = before.clone();
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(members) = &self.members {
            after.members = sorted(members);
        }
        if let Some(lead) = self.lead {
            after.lead = lead;
        }
        ensure!(after.lead.is_none_or(|lead| after.members.contains(&lead)), Refusal::LeadNotMember);
        if after == before {
            return Ok(Updated(before));
        }
        after.updated_at_us = cx.now_us;
        let Some(team) = world.teams.edit(self.id)? else { refuse!(Refusal::TeamNotFound) };
        *team = after.clone();
        let told = team.clone();
        cx.emit(team, Event::TeamUpdated(told));
        let updated = Updated(team.clone());
        for member in after.members.iter().filter(|member| !before.members.contains(member)) {
            join(world, cx, self.id, *member, &self.scope)?;
        }
        for member in before.members.iter().filter(|member| !after.members.contains(member)) {
            leave(world, cx, self.id, *member)?;
        }
        Ok(updated)
    }
}

/// Dissolves a team.
#[derive(Clone, Debug)]
pub struct DissolveTeam {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The team.
    pub id: TeamId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for DissolveTeam {
    type Reply = Dissolved<Team>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Dissolved<Team>, Stop<Refusal>> {
        let before = standing_team(world, self.id, &self.scope, self.expected_version)?;
        let Some(team) = world.teams.edit(self.id)? else { refuse!(Refusal::TeamNotFound) };
        team.dissolved_at_us = Some(cx.now_us);
        team.updated_at_us = cx.now_us;
        cx.emit(team, Event::TeamDissolved(self.id));
        let dissolved = Dissolved(team.clone());
        for member in before.members {
            leave(world, cx, self.id, member)?;
        }
        Ok(dissolved)
    }
}

fn standing_team(
    world: &mut Business,
    id: TeamId,
    scope: &BranchScope,
    expected: Option<i64>,
) -> Result<Team, Stop<Refusal>> {
    let team = match world.teams.get(id)? {
        Some(team) if scope.allows(team.branch.uuid()) => team.clone(),
        _ => refuse!(Refusal::TeamNotFound),
    };
    check_version(expected, team.version).map_err(Stop::Refused)?;
    ensure!(team.dissolved_at_us.is_none(), Refusal::TeamDissolved);
    Ok(team)
}

fn join(
    world: &mut Business,
    cx: &mut Cx<'_, Organization>,
    team: TeamId,
    member: StaffMemberId,
    scope: &BranchScope,
) -> Result<(), Stop<Refusal>> {
    let before = working_member(world, member, scope, None)?;
    ensure!(before.teams.len() < MAX_TEAMS, Refusal::TooManyTeams);
    let mut teams = before.teams.clone();
    teams.push(team);
    keep(world, cx, &before, StaffMember { teams, ..before.clone() })?;
    Ok(())
}

/// Whoever changes the team may let a member go whom they do not reach otherwise.
fn leave(
    world: &mut Business,
    cx: &mut Cx<'_, Organization>,
    team: TeamId,
    member: StaffMemberId,
) -> Result<(), Stop<Refusal>> {
    let Some(before) = world.staff.get(member)?.cloned() else { return Ok(()) };
    let teams = before.teams.iter().copied().filter(|known| *known != team).collect();
    keep(world, cx, &before, StaffMember { teams, ..before.clone() })?;
    Ok(())
}

fn sorted(members: &[StaffMemberId]) -> Vec<StaffMemberId> {
    let mut members = members.to_vec();
    members.sort_unstable();
    members.dedup();
    members
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Branch, BranchKind};

    fn person(number: u128) -> StaffMemberId {
        StaffMemberId(Uuid::from_u128(number))
    }

    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let home = BranchId(Uuid::from_u128(11));
        stage.world.branches.given(Branch::sample(home, BranchKind::Branch));
        for number in [1, 2] {
            let member = StaffMember::new(person(number), "Aline", 1);
            stage.world.staff.given(StaffMember { version: 1, home: Some(home), ..member });
        }
        stage
    }

    fn create(members: &[u128], lead: Option<u128>) -> CreateTeam {
        CreateTeam {
            scope: BranchScope::All,
            branch: BranchId(Uuid::from_u128(11)),
            display_name: "Till".into(),
            members: members.iter().map(|number| person(*number)).collect(),
            lead: lead.map(person),
        }
    }

    fn teams_of(stage: &mut Rehearsal<Organization>, number: u128) -> usize {
        stage.world.staff.get(person(number)).unwrap().unwrap().teams.len()
    }

    #[test]
    fn the_record_of_a_person_names_their_teams() {
        let mut stage = stage();
        let Created(team) = stage.play(&create(&[2, 1, 2], Some(1))).unwrap();
        assert_eq!((team.members.len(), team.version), (2, 1));
        assert_eq!((teams_of(&mut stage, 1), teams_of(&mut stage, 2)), (1, 1));
        let kinds: Vec<&str> = stage.told().iter().map(commit::DomainEvent::kind).collect();
        assert_eq!(kinds, ["team.created", "staff_member.updated", "staff_member.updated"]);
        let update = UpdateTeam {
            scope: BranchScope::All,
            id: team.id,
            expected_version: Some(1),
            display_name: None,
            members: Some(vec![person(2)]),
            lead: None,
        };
        assert_eq!(stage.play(&update), Err(Refusal::LeadNotMember));
        let without_lead = UpdateTeam { lead: Some(None), ..update };
        assert_eq!(stage.play(&without_lead).unwrap().0.members, [person(2)]);
        assert_eq!((teams_of(&mut stage, 1), teams_of(&mut stage, 2)), (0, 1));
        let dissolve = DissolveTeam { scope: BranchScope::All, id: team.id, expected_version: Some(2) };
        assert!(stage.play(&dissolve).unwrap().0.dissolved_at_us.is_some());
        assert_eq!(teams_of(&mut stage, 2), 0);
        let again = DissolveTeam { expected_version: None, ..dissolve };
        assert_eq!(stage.play(&again), Err(Refusal::TeamDissolved));
    }

    #[test]
    fn a_team_stands_in_reach_and_has_known_members() {
        let mut stage = stage();
        assert_eq!(stage.play(&create(&[1, 9], None)), Err(Refusal::StaffMemberNotFound));
        assert_eq!(teams_of(&mut stage, 1), 0, "a refused team leaves no trace");
        assert_eq!(stage.play(&create(&[1], Some(2))), Err(Refusal::LeadNotMember));
        let foreign = CreateTeam { scope: BranchScope::only([]), ..create(&[], None) };
        assert_eq!(stage.play(&foreign), Err(Refusal::BranchNotFound));
        let Created(team) = stage.play(&create(&[], None)).unwrap();
        let dissolve = DissolveTeam { scope: BranchScope::only([]), id: team.id, expected_version: None };
        assert_eq!(stage.play(&dissolve), Err(Refusal::TeamNotFound));
    }
}
