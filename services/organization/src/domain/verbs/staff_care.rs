//! Keeping what is known of staff members: their record, skills, and by what customers may choose them.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;
use uuid::Uuid;

use super::{Grantor, known_branch, working_member};
use crate::Organization;
use crate::domain::{
    BranchId, Business, Event, Matched, Permission, Refusal, Skill, Skilled, StaffMember, StaffMemberId, Updated,
};

/// Who changes something that people may change for themselves.
#[derive(Clone, Debug)]
pub struct Asker {
    /// What the caller may do, and where.
    pub grantor: Grantor,
    /// The staff member or the key that calls, if it is one.
    pub subject: Option<Uuid>,
    /// Whether it is a staff member.
    pub is_staff: bool,
}

impl Asker {
    /// Whether the caller is the person: signed in as such, or a key that acts for them.
    pub(super) fn is_person(&self, world: &mut Business, person: StaffMemberId) -> Result<bool, Stop<Refusal>> {
        Ok(match self.subject {
            Some(subject) if self.is_staff => subject == person.uuid(),
            Some(subject) => world.keys.get(subject)?.is_some_and(|key| key.staff_member == Some(person)),
            None => false,
        })
    }

    /// The person, if the caller is them or plans staff where they work. Fails with whether it is the person.
    pub(super) fn member(
        &self,
        world: &mut Business,
        person: StaffMemberId,
        expected: Option<i64>,
    ) -> Result<(StaffMember, bool), Stop<Refusal>> {
        let is_person = self.is_person(world, person)?;
        let scope = if is_person { &BranchScope::All } else { &self.grantor.scope };
        let member = working_member(world, person, scope, expected)?;
        let plans = self.grantor.permissions.contains(&Permission::StaffWrite);
        ensure!(is_person || plans, Refusal::OnlyThePerson);
        Ok((member, is_person))
    }
}

/// Changes the record of a staff member; `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct UpdateStaffMember {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// New name for people.
    pub display_name: Option<String>,
    /// Where the person mainly works from now on; `Some(None)` for nowhere.
    pub home: Option<Option<BranchId>>,
    /// BCP 47 tags, the best first.
    pub languages: Option<Vec<String>>,
}

impl Verb<Organization> for UpdateStaffMember {
    type Reply = Updated<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Updated<StaffMember>, Stop<Refusal>> {
        let before = working_member(world, self.id, &self.scope, self.expected_version)?;
        let mut after = before.clone();
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(home) = self.home.filter(|home| *home != before.home) {
            // Whoever takes a person away from a branch must reach it, as much as who brings them there.
            for branch in [before.home, home].into_iter().flatten() {
                known_branch(world, branch.uuid(), &self.scope)?;
            }
            after.home = home;
        }
        if let Some(languages) = &self.languages {
            after.languages = distinct(languages);
        }
        Ok(Updated(keep(world, cx, &before, after)?))
    }
}

/// Says what a staff member can do.
#[derive(Clone, Debug)]
pub struct SetStaffSkills {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// All that the person can do.
    pub skills: Vec<Skill>,
}

impl Verb<Organization> for SetStaffSkills {
    type Reply = Skilled<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Skilled<StaffMember>, Stop<Refusal>> {
        let before = working_member(world, self.id, &self.scope, self.expected_version)?;
        let mut skills = self.skills.clone();
        skills.sort_by(|one, other| one.code.cmp(&other.code));
        ensure!(skills.windows(2).all(|pair| pair[0].code != pair[1].code), Refusal::SkillTwice);
        let after = StaffMember { skills, ..before.clone() };
        Ok(Skilled(keep(world, cx, &before, after)?))
    }
}

/// Says by what customers may choose a staff member; nothing ends the opt-in.
#[derive(Clone, Debug)]
pub struct SetStaffMatching {
    /// Who says it: only the person can opt in.
    pub asker: Asker,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// Codes of attributes.
    pub attributes: Vec<String>,
}

impl Verb<Organization> for SetStaffMatching {
    type Reply = Matched<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Matched<StaffMember>, Stop<Refusal>> {
        let (before, is_person) = self.asker.member(world, self.id, self.expected_version)?;
        ensure!(is_person || self.attributes.is_empty(), Refusal::OnlyThePerson);
        let mut matching_attributes = self.attributes.clone();
        matching_attributes.sort_unstable();
        matching_attributes.dedup();
        let opted_in = before.matching_opted_in_at_us.or(Some(cx.now_us));
        let matching_opted_in_at_us = opted_in.filter(|_| !matching_attributes.is_empty());
        let after = StaffMember { matching_attributes, matching_opted_in_at_us, ..before.clone() };
        Ok(Matched(keep(world, cx, &before, after)?))
    }
}

/// Stores the person as they are now and tells what changed; nothing when nothing did.
pub(super) fn keep(
    world: &mut Business,
    cx: &mut Cx<'_, Organization>,
    before: &StaffMember,
    after: StaffMember,
) -> Result<StaffMember, Stop<Refusal>> {
    let changed: Vec<&'static str> = [
        ("display_name", before.display_name != after.display_name),
        ("home_branch_id", before.home != after.home),
        ("role_grants", before.grants != after.grants),
        ("skills", before.skills != after.skills),
        ("languages", before.languages != after.languages),
        ("matching_attributes", before.matching_attributes != after.matching_attributes),
        ("team_ids", before.teams != after.teams),
    ]
    .into_iter()
    .filter_map(|(field, differs)| differs.then_some(field))
    .collect();
    if changed.is_empty() {
        return Ok(before.clone());
    }
    let Some(member) = world.staff.edit(before.id)? else { refuse!(Refusal::StaffMemberNotFound) };
    *member = StaffMember { updated_at_us: cx.now_us, ..after };
    let told = member.clone();
    cx.emit(member, Event::StaffMemberUpdated { member: told, changed });
    Ok(member.clone())
}

/// Without repeats, in the order given.
fn distinct(texts: &[String]) -> Vec<String> {
    let mut seen: Vec<String> = Vec::with_capacity(texts.len());
    for text in texts {
        if !seen.contains(text) {
            seen.push(text.clone());
        }
    }
    seen
}
