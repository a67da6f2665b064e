//! Staff members, teams, shifts and presence as messages of the contract.

use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;

use super::texts;
use crate::domain::{
    BranchId, Cancelled, Created, Deactivated, Dissolved, Ended, Granted, Matched, Planned, Presence, PresenceState,
    Present, RoleGrant, Shift, Skill, Skilled, StaffMember, StaffMemberId, Team, TeamId, Updated,
};

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

pub(crate) fn team(team: &Team) -> wire::Team {
    wire::Team {
        team_id: team.id.to_string(),
        branch_id: team.branch.to_string(),
        display_name: team.display_name.clone(),
        member_ids: team.members.iter().map(StaffMemberId::to_string).collect(),
        lead_id: team.lead.as_ref().map(StaffMemberId::to_string).unwrap_or_default(),
        etag: team.version.to_string(),
        create_time: Some(timestamp_from_us(team.created_at_us)),
        update_time: Some(timestamp_from_us(team.updated_at_us)),
        dissolve_time: team.dissolved_at_us.map(timestamp_from_us),
    }
}

pub(crate) fn shift(shift: &Shift) -> wire::Shift {
    wire::Shift {
        shift_id: shift.id.to_string(),
        staff_member_id: shift.member.to_string(),
        branch_id: shift.branch.to_string(),
        start_time: Some(timestamp_from_us(shift.starts_at_us)),
        end_time: Some(timestamp_from_us(shift.ends_at_us)),
        etag: shift.version.to_string(),
        create_time: Some(timestamp_from_us(shift.created_at_us)),
        update_time: Some(timestamp_from_us(shift.updated_at_us)),
        cancel_time: shift.cancelled_at_us.map(timestamp_from_us),
    }
}

pub(crate) const fn presence_state(state: PresenceState) -> wire::PresenceState {
    match state {
        PresenceState::Available => wire::PresenceState::Available,
        PresenceState::Busy => wire::PresenceState::Busy,
        PresenceState::Away => wire::PresenceState::Away,
        PresenceState::Offline => wire::PresenceState::Offline,
    }
}

/// The state; `None` for unspecified.
pub(crate) fn read_presence_state(state: i32) -> Option<PresenceState> {
    PresenceState::ALL.into_iter().find(|known| i32::from(presence_state(*known)) == state)
}

/// The presence as it is at `now_us`.
pub(crate) fn presence(presence: &Presence, now_us: i64) -> wire::Presence {
    let (state, since_us) = presence.at(now_us);
    wire::Presence {
        staff_member_id: presence.id.to_string(),
        branch_id: presence.branch.to_string(),
        state: presence_state(state).into(),
        since_time: Some(timestamp_from_us(since_us)),
        until_time: presence.until_us.map(timestamp_from_us),
        etag: presence.version.to_string(),
        create_time: Some(timestamp_from_us(presence.created_at_us)),
        update_time: Some(timestamp_from_us(presence.updated_at_us)),
    }
}

/// Declares what each reply is told as: `Reply<Noun> => Response { field: function }`.
macro_rules! answers {
    ($($reply:ident<$noun:ident> => $response:ident { $field:ident: $told:expr })+) => {$(
        impl Answer for $reply<$noun> {
            type Wire = wire::$response;
            fn to_wire(&self) -> Self::Wire {
                let told: fn(&$noun) -> _ = $told;
                wire::$response { $field: Some(told(&self.0)) }
            }
        }
    )+};
}

answers! {
    Updated<StaffMember> => UpdateStaffMemberResponse { staff_member: staff_member }
    Granted<StaffMember> => GrantStaffRoleResponse { staff_member: staff_member }
    Ended<StaffMember> => EndStaffRoleResponse { staff_member: staff_member }
    Skilled<StaffMember> => SetStaffSkillsResponse { staff_member: staff_member }
    Matched<StaffMember> => SetStaffMatchingResponse { staff_member: staff_member }
    Deactivated<StaffMember> => DeactivateStaffMemberResponse { staff_member: staff_member }
    Created<Team> => CreateTeamResponse { team: team }
    Updated<Team> => UpdateTeamResponse { team: team }
    Dissolved<Team> => DissolveTeamResponse { team: team }
    Planned<Shift> => PlanShiftResponse { shift: shift }
    Cancelled<Shift> => CancelShiftResponse { shift: shift }
    // At the moment when it was said.
    Present<Presence> => SetPresenceResponse { presence: |said| presence(said, said.updated_at_us) }
}
