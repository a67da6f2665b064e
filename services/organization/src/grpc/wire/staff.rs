//! Staff members as messages of the contract.

use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;

use super::texts;
use crate::domain::{BranchId, Created, RoleGrant, Skill, StaffMember, TeamId};

pub(crate) fn role_grant(grant: &RoleGrant) -> wire::RoleGrant {
    wire::RoleGrant {
        role: grant.role.clone(),
        all_branches: grant.reach.is_all(),
        branch_ids: texts(grant.reach.branches()),
    }
}

pub(crate) fn staff_member(member: &StaffMember) -> wire::StaffMember {
    let state = if member.is_active() { wire::StaffMemberState::Active } else { wire::StaffMemberState::Deactivated };
    wire::StaffMember {
        staff_member_id: member.id.to_string(),
        display_name: member.display_name.clone(),
        role_grants: member.grants.iter().map(role_grant).collect(),
        home_branch_id: member.home.as_ref().map(BranchId::to_string).unwrap_or_default(),
        etag: member.version.to_string(),
        create_time: Some(timestamp_from_us(member.created_at_us)),
        update_time: Some(timestamp_from_us(member.updated_at_us)),
        state: state.into(),
        deactivate_time: member.deactivated_at_us.map(timestamp_from_us),
        skills: member.skills.iter().map(skill).collect(),
        languages: member.languages.clone(),
        matching_attributes: member.matching_attributes.clone(),
        matching_opt_in_time: member.matching_opted_in_at_us.map(timestamp_from_us),
        team_ids: member.teams.iter().map(TeamId::to_string).collect(),
        identity_issuer: member.identity.as_ref().map(|identity| identity.issuer.clone()).unwrap_or_default(),
    }
}

pub(crate) fn skill(skill: &Skill) -> wire::Skill {
    wire::Skill {
        skill: skill.code.clone(),
        level: skill.level,
        trained_until_time: skill.trained_until_us.map(timestamp_from_us),
    }
}

impl Answer for Created<StaffMember> {
    type Wire = wire::CreateStaffMemberResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateStaffMemberResponse { staff_member: Some(staff_member(&self.0)) }
    }
}
