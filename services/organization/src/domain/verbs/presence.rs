//! Saying whether someone is there for customers.

use commit::{Cx, Stop, Verb, ensure, refuse};

use super::branch::open_branch;
use super::staff_care::Asker;
use crate::Organization;
use crate::domain::{
    BranchId, Business, Event, Presence, PresenceState, Present, Refusal, StaffMemberId, check_version,
};
use kernel::BranchScope;

/// Says whether a staff member is there.
#[derive(Clone, Debug)]
pub struct SetPresence {
    /// Who says it: the person, or who plans staff.
    pub asker: Asker,
    /// The person.
    pub id: StaffMemberId,
    /// The version of the presence that the caller knows.
    pub expected_version: Option<i64>,
    /// Whether the person is there.
    pub state: PresenceState,
    /// Where; `None` for the home branch.
    pub branch: Option<BranchId>,
    /// Until when this holds, microseconds since the Unix epoch.
    pub until_us: Option<i64>,
}

impl Verb<Organization> for SetPresence {
    type Reply = Present<Presence>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Present<Presence>, Stop<Refusal>> {
        let (member, is_person) = self.asker.member(world, self.id, None)?;
        let Some(branch) = self.branch.or(member.home) else { refuse!(Refusal::PlaceMissing) };
        // People may say that they are at home wherever they have been given a role; elsewhere they must reach it.
        let at_home = is_person && member.home == Some(branch);
        let scope = if at_home { &BranchScope::All } else { &self.asker.grantor.scope };
        open_branch(world, branch, scope, None)?;
        ensure!(self.until_us.is_none_or(|until_us| until_us > cx.now_us), Refusal::UntilPassed);
        let before = world.presences.get(self.id)?.cloned();
        check_version(self.expected_version, before.as_ref().map_or(0, |known| known.version))
            .map_err(Stop::Refused)?;
        let since_us = match &before {
            Some(known) if known.branch == branch && known.at(cx.now_us).0 == self.state => known.at(cx.now_us).1,
            _ => cx.now_us,
        };
        if let Some(known) = before.as_ref().filter(|known| {
            (known.state, known.branch, known.until_us, known.since_us) == (self.state, branch, self.until_us, since_us)
        }) {
            return Ok(Present(known.clone()));
        }
        let after = Presence {
            id: self.id,
            version: before.as_ref().map_or(0, |known| known.version),
            branch,
            state: self.state,
            since_us,
            until_us: self.until_us,
            created_at_us: before.as_ref().map_or(cx.now_us, |known| known.created_at_us),
            updated_at_us: cx.now_us,
        };
        let presence = match world.presences.edit(self.id)? {
            Some(known) => {
                *known = after;
                known
            }
            None => world.presences.insert(after),
        };
        let told = presence.clone();
        cx.emit(presence, Event::PresenceChanged(told));
        Ok(Present(presence.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::verbs::Grantor;
    use crate::domain::verbs::staff_care::SetStaffMatching;
    use crate::domain::{ApiKey, ApiKeyId, Branch, BranchKind, Reach, StaffMember, permissions_of};

    const PERSON: u128 = 1;
    const KEY: u128 = 2;

    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 100);
        let home = BranchId(Uuid::from_u128(11));
        stage.world.branches.given(Branch::sample(home, BranchKind::Branch));
        let id = StaffMemberId(Uuid::from_u128(PERSON));
        stage.world.staff.given(StaffMember { version: 1, home: Some(home), ..StaffMember::new(id, "Aline", 1) });
        let key = ApiKey::new(ApiKeyId(Uuid::from_u128(KEY)), [0; 32], "tablet", Reach::All, 1);
        stage.world.keys.given(ApiKey { staff_member: Some(id), ..key });
        stage
    }

    fn asker(subject: Option<u128>, is_staff: bool, role: &str) -> Asker {
        let grantor = Grantor { permissions: permissions_of([role]), scope: BranchScope::only([Uuid::from_u128(11)]) };
        Asker { grantor, subject: subject.map(Uuid::from_u128), is_staff }
    }

    fn say(asker: Asker, state: PresenceState) -> SetPresence {
        let id = StaffMemberId(Uuid::from_u128(PERSON));
        SetPresence { asker, id, expected_version: None, state, branch: None, until_us: None }
    }

    #[test]
    fn people_speak_for_themselves_and_planners_for_others() {
        let free = PresenceState::Available;
        assert!(stage().play(&say(asker(Some(PERSON), true, "agent"), free)).is_ok());
        assert!(stage().play(&say(asker(Some(KEY), false, "agent"), free)).is_ok(), "a key that acts for the person");
        assert!(stage().play(&say(asker(None, false, "branch_manager"), free)).is_ok());
        let other = say(asker(Some(9), true, "agent"), free);
        assert_eq!(stage().play(&other), Err(Refusal::OnlyThePerson));
        let named_alike = say(asker(Some(PERSON), false, "agent"), free);
        assert_eq!(stage().play(&named_alike), Err(Refusal::OnlyThePerson), "a key is not the person of its id");
        let mut foreign = say(asker(None, false, "branch_manager"), free);
        foreign.asker.grantor.scope = BranchScope::only([]);
        assert_eq!(stage().play(&foreign), Err(Refusal::StaffMemberNotFound));
    }

    #[test]
    fn the_time_of_a_state_runs_until_it_changes() {
        let mut stage = stage();
        let me = || asker(Some(PERSON), true, "agent");
        let Present(first) = stage.play(&say(me(), PresenceState::Available)).unwrap();
        stage.told();
        stage.now_us = 200;
        assert_eq!(stage.play(&say(me(), PresenceState::Available)).unwrap().0, first);
        assert_eq!(stage.told(), [], "saying the same again is no change");
        let until = SetPresence { until_us: Some(300), ..say(me(), PresenceState::Available) };
        let Present(bounded) = stage.play(&until).unwrap();
        assert_eq!((bounded.since_us, bounded.version), (100, 2));
        stage.now_us = 400;
        // It ended at 300, so this is a new time.
        assert_eq!(stage.play(&say(me(), PresenceState::Available)).unwrap().0.since_us, 400);
        assert_eq!(stage.play(&until), Err(Refusal::UntilPassed));
        let stale = SetPresence { expected_version: Some(1), ..say(me(), PresenceState::Busy) };
        assert_eq!(stage.play(&stale), Err(Refusal::VersionMismatch { current: 3 }));
    }

    #[test]
    fn only_the_person_opts_in_to_be_chosen() {
        let mut stage = stage();
        let set = |asker, attributes: &[&str]| SetStaffMatching {
            asker,
            id: StaffMemberId(Uuid::from_u128(PERSON)),
            expected_version: None,
            attributes: attributes.iter().map(|&code| code.to_owned()).collect(),
        };
        let planner = || asker(None, false, "branch_manager");
        assert_eq!(stage.play(&set(planner(), &["calm"])), Err(Refusal::OnlyThePerson));
        let mine = stage.play(&set(asker(Some(PERSON), true, "agent"), &["quick", "calm", "calm"])).unwrap().0;
        assert_eq!((mine.matching_attributes.len(), mine.matching_opted_in_at_us), (2, Some(100)));
        let ended = stage.play(&set(planner(), &[])).unwrap().0;
        assert_eq!((ended.matching_attributes.len(), ended.matching_opted_in_at_us), (0, None));
    }
}
