//! Joining staff members to the outer identities they sign in with.

use commit::{Cx, Stop, Verb, ensure, refuse};

use super::{Grantor, keep_an_administrator, working_member};
use crate::Organization;
use crate::domain::{Business, CLAIM_IDENTITY, Event, ExternalIdentity, Linked, Refusal, StaffMember, StaffMemberId};

/// Says who a staff member is to an issuer of access tokens, or that nobody is. Whoever signs in with the identity may do
/// all that the person may, so only someone who may do as much can give it.
#[derive(Clone, Debug)]
pub struct LinkStaffIdentity {
    /// Who links.
    pub grantor: Grantor,
    /// The person.
    pub id: StaffMemberId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// The issuer; empty together with `subject` to end the link.
    pub issuer: String,
    /// The name there.
    pub subject: String,
}

impl Verb<Organization> for LinkStaffIdentity {
    type Reply = Linked<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Linked<StaffMember>, Stop<Refusal>> {
        ensure!(self.issuer.is_empty() == self.subject.is_empty(), Refusal::IdentityUnclear);
        let before = working_member(world, self.id, &self.grantor.scope, self.expected_version)?;
        for grant in &before.grants {
            self.grantor.check_held(world, &grant.role, &grant.reach)?;
        }
        let (issuer, subject) = (self.issuer.clone(), self.subject.clone());
        let after = (!issuer.is_empty()).then_some(ExternalIdentity { issuer, subject });
        if after == before.identity {
            return Ok(Linked(before));
        }
        if let Some(old) = &before.identity {
            world.claims.release(CLAIM_IDENTITY, old.key().as_bytes())?;
        }
        if let Some(new) = &after {
            let is_free = world.claims.take(CLAIM_IDENTITY, new.key().as_bytes(), self.id)?.is_ok();
            ensure!(is_free, Refusal::IdentityTaken);
        }
        let was = before.is_administrator();
        let is = StaffMember { identity: after.clone(), ..before }.is_administrator();
        keep_an_administrator(world, was, is)?;
        let Some(member) = world.staff.edit(self.id)? else { refuse!(Refusal::StaffMemberNotFound) };
        member.identity = after;
        member.updated_at_us = cx.now_us;
        let told = member.clone();
        cx.emit(member, Event::StaffMemberUpdated { member: told, changed: vec!["identity"] });
        Ok(Linked(member.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ADMIN, Reach, RoleGrant, permissions_of};

    fn link(id: u128, issuer: &str, subject: &str) -> LinkStaffIdentity {
        LinkStaffIdentity {
            grantor: Grantor { permissions: permissions_of([ADMIN]), scope: BranchScope::All },
            id: StaffMemberId(Uuid::from_u128(id)),
            expected_version: None,
            issuer: issuer.into(),
            subject: subject.into(),
        }
    }

    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        for id in [1, 2] {
            let grants = vec![RoleGrant { role: "agent".into(), reach: Reach::All }];
            let member = StaffMember::new(StaffMemberId(Uuid::from_u128(id)), "Aline", 1);
            stage.world.staff.given(StaffMember { version: 1, grants, ..member });
        }
        stage
    }

    #[test]
    fn an_identity_belongs_to_one_person_until_it_is_let_go() {
        let mut stage = stage();
        let Linked(member) = stage.play(&link(1, "https://id.example/", "aline")).unwrap();
        assert_eq!(member.version, 2);
        assert!(
            matches!(&stage.told()[..], [Event::StaffMemberUpdated { changed, .. }] if changed[..] == ["identity"])
        );
        // What already stands is no change.
        assert_eq!(stage.play(&link(1, "https://id.example/", "aline")).unwrap().0, member);
        assert_eq!(stage.told(), []);
        assert_eq!(stage.play(&link(2, "https://id.example/", "aline")), Err(Refusal::IdentityTaken));
        // The same name at another issuer is another identity.
        stage.play(&link(2, "https://other.example/", "aline")).unwrap();
        assert_eq!(stage.play(&link(1, "", "")).unwrap().0.identity, None);
        stage.play(&link(2, "https://id.example/", "aline")).unwrap();
    }

    #[test]
    fn only_who_may_as_much_gives_an_identity_and_half_of_one_is_none() {
        let mut stage = stage();
        assert_eq!(stage.play(&link(1, "https://id.example/", "")), Err(Refusal::IdentityUnclear));
        let auditor = Grantor { permissions: permissions_of(["auditor"]), scope: BranchScope::All };
        let poor = LinkStaffIdentity { grantor: auditor, ..link(1, "https://id.example/", "me") };
        assert_eq!(stage.play(&poor), Err(Refusal::GrantExceedsCaller));
        let local = Grantor { scope: BranchScope::only([Uuid::from_u128(9)]), ..link(1, "", "").grantor };
        let foreign = LinkStaffIdentity { grantor: local, ..link(1, "https://id.example/", "me") };
        assert_eq!(stage.play(&foreign), Err(Refusal::StaffMemberNotFound));
        let gone = StaffMember::new(StaffMemberId(Uuid::from_u128(3)), "Eric", 1);
        stage.world.staff.given(StaffMember { version: 1, deactivated_at_us: Some(2), ..gone });
        assert_eq!(stage.play(&link(3, "https://id.example/", "me")), Err(Refusal::StaffMemberDeactivated));
        let stale = LinkStaffIdentity { expected_version: Some(4), ..link(1, "https://id.example/", "me") };
        assert_eq!(stage.play(&stale), Err(Refusal::VersionMismatch { current: 1 }));
    }
}
