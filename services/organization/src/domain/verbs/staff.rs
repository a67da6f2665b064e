//! Adding staff members.

use commit::{Cx, Stop, Verb};

use super::{Grantor, known_branch};
use crate::Organization;
use crate::domain::{BranchId, Business, Created, Event, Refusal, RoleGrant, StaffMember, StaffMemberId};

/// Adds someone who works for the business.
#[derive(Clone, Debug)]
pub struct CreateStaffMember {
    /// Who adds: gives no more than it has.
    pub grantor: Grantor,
    /// Name for people.
    pub display_name: String,
    /// Roles, and where.
    pub grants: Vec<RoleGrant>,
    /// Where the person mainly works.
    pub home: Option<BranchId>,
}

impl Verb<Organization> for CreateStaffMember {
    type Reply = Created<StaffMember>;

    fn decide(
        &self,
        world: &mut Business,
        cx: &mut Cx<'_, Organization>,
    ) -> Result<Created<StaffMember>, Stop<Refusal>> {
        for grant in &self.grants {
            self.grantor.check(world, &grant.role, &grant.reach)?;
        }
        if let Some(home) = self.home {
            known_branch(world, home.uuid(), &self.grantor.scope)?;
        }
        let new = StaffMember::new(StaffMemberId(cx.new_id()), &self.display_name, cx.now_us);
        let member = world.staff.insert(StaffMember { grants: self.grants.clone(), home: self.home, ..new });
        let told = member.clone();
        cx.emit(member, Event::StaffMemberCreated(told));
        Ok(Created(member.clone()))
    }
}

#[cfg(test)]
mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Reach, permissions_of};

    fn decide(role: &str, reach: Reach, grantor: Grantor) -> Result<Created<StaffMember>, Refusal> {
        Rehearsal::new((), 7).play(&CreateStaffMember {
            grantor,
            display_name: "Aline".into(),
            grants: vec![RoleGrant { role: role.into(), reach }],
            home: None,
        })
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let lead = Grantor { permissions: permissions_of(["customer_care_lead", "auditor"]), scope: BranchScope::All };
        assert!(decide("agent", Reach::All, lead.clone()).is_err(), "an agent may write purchases, a lead may not");
        assert!(decide("auditor", Reach::All, lead.clone()).is_ok());
        assert_eq!(decide("king", Reach::All, lead.clone()), Err(Refusal::RoleNotFound));
        let local = Grantor { scope: BranchScope::only([]), ..lead.clone() };
        assert_eq!(decide("auditor", Reach::All, local), Err(Refusal::GrantExceedsCaller));
        let nowhere = Reach::Branches(vec![Uuid::from_u128(1)]);
        assert_eq!(decide("auditor", nowhere, lead), Err(Refusal::BranchNotFound));
    }
}
