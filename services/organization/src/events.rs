//! What the organization tells the others: its events as types and payloads of the contract. It hears of nobody.

use calendar::CalendarSpec;
use commit::DomainEvent;
use prost::Message;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;

use crate::domain::{Branch, BranchId, Event, StaffMemberId, Team, TeamId};
use crate::grpc::wire::{branch_kind, numbers, opening_calendar, presence_state, role_grant, skill};

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::BranchCreated { .. } => "branch.created",
            Self::BranchUpdated { .. } => "branch.updated",
            Self::BranchClosed(_) => "branch.closed",
            Self::HolidaySetCreated(_) => "holiday_set.created",
            Self::HolidaySetUpdated(_) => "holiday_set.updated",
            Self::BranchSuspended(_) => "branch.suspended",
            Self::BranchResumed(_) => "branch.resumed",
            Self::BranchMoved { .. } => "branch.moved",
            Self::StaffMemberCreated(_) => "staff_member.created",
            Self::StaffMemberUpdated { .. } => "staff_member.updated",
            Self::StaffMemberDeactivated(_) => "staff_member.deactivated",
            Self::TeamCreated(_) => "team.created",
            Self::TeamUpdated(_) => "team.updated",
            Self::TeamDissolved(_) => "team.dissolved",
            Self::ShiftPlanned(_) => "shift.planned",
            Self::ShiftCancelled(_) => "shift.cancelled",
            Self::PresenceChanged(_) => "presence.changed",
            Self::ApiKeyCreated { .. } => "api_key.created",
            Self::ApiKeyRotated { .. } => "api_key.rotated",
            Self::ApiKeyRevoked(_) => "api_key.revoked",
            Self::RoleCreated(_) => "role.created",
            Self::RoleChanged(_) => "role.changed",
            Self::RoleDeleted { .. } => "role.deleted",
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::BranchCreated { branch, hours } => branch_created(branch, hours.as_ref()).encode_to_vec(),
            Self::BranchUpdated { branch, changed, hours } => wire::BranchUpdated {
                branch_id: branch.id.to_string(),
                changed_fields: changed.iter().map(|&field| field.to_owned()).collect(),
                time_zone: branch.time_zone.clone(),
                currency_code: branch.currency.to_string(),
                locale: branch.locale.clone(),
                opening_calendar: opening_calendar(hours.as_ref()),
            }
            .encode_to_vec(),
            Self::BranchClosed(id) => wire::BranchClosed { branch_id: id.to_string() }.encode_to_vec(),
            Self::HolidaySetCreated(set) => {
                wire::HolidaySetCreated { holiday_set_id: set.id.to_string(), code: set.code.clone() }.encode_to_vec()
            }
            Self::HolidaySetUpdated(set) => {
                wire::HolidaySetUpdated { holiday_set_id: set.id.to_string(), code: set.code.clone() }.encode_to_vec()
            }
            Self::BranchSuspended(id) => wire::BranchSuspended { branch_id: id.to_string() }.encode_to_vec(),
            Self::BranchResumed(id) => wire::BranchResumed { branch_id: id.to_string() }.encode_to_vec(),
            Self::BranchMoved { id, former, parent, ancestors } => wire::BranchMoved {
                branch_id: id.to_string(),
                former_parent_branch_id: former.to_string(),
                parent_branch_id: parent.to_string(),
                ancestor_branch_ids: ancestors.iter().map(BranchId::to_string).collect(),
            }
            .encode_to_vec(),
            Self::StaffMemberCreated(member) => wire::StaffMemberCreated {
                staff_member_id: member.id.to_string(),
                home_branch_id: member.home.as_ref().map(BranchId::to_string).unwrap_or_default(),
                role_grants: member.grants.iter().map(role_grant).collect(),
            }
            .encode_to_vec(),
            Self::StaffMemberUpdated { member, changed } => wire::StaffMemberUpdated {
                staff_member_id: member.id.to_string(),
                changed_fields: changed.iter().map(|&field| field.to_owned()).collect(),
                home_branch_id: member.home.as_ref().map(BranchId::to_string).unwrap_or_default(),
                role_grants: member.grants.iter().map(role_grant).collect(),
                skills: member.skills.iter().map(skill).collect(),
                languages: member.languages.clone(),
                team_ids: member.teams.iter().map(TeamId::to_string).collect(),
                is_matchable: member.matching_opted_in_at_us.is_some(),
            }
            .encode_to_vec(),
            Self::StaffMemberDeactivated(id) => {
                wire::StaffMemberDeactivated { staff_member_id: id.to_string() }.encode_to_vec()
            }
            Self::TeamCreated(team) => team_created(team).encode_to_vec(),
            Self::TeamUpdated(team) => {
                let wire::TeamCreated { team_id, branch_id, member_ids, lead_id } = team_created(team);
                wire::TeamUpdated { team_id, branch_id, member_ids, lead_id }.encode_to_vec()
            }
            Self::TeamDissolved(id) => wire::TeamDissolved { team_id: id.to_string() }.encode_to_vec(),
            Self::ShiftPlanned(shift) => wire::ShiftPlanned {
                shift_id: shift.id.to_string(),
                staff_member_id: shift.member.to_string(),
                branch_id: shift.branch.to_string(),
                start_time: Some(timestamp_from_us(shift.starts_at_us)),
                end_time: Some(timestamp_from_us(shift.ends_at_us)),
            }
            .encode_to_vec(),
            Self::ShiftCancelled(shift) => wire::ShiftCancelled {
                shift_id: shift.id.to_string(),
                staff_member_id: shift.member.to_string(),
                branch_id: shift.branch.to_string(),
            }
            .encode_to_vec(),
            Self::PresenceChanged(presence) => wire::PresenceChanged {
                staff_member_id: presence.id.to_string(),
                branch_id: presence.branch.to_string(),
                state: presence_state(presence.state).into(),
                since_time: Some(timestamp_from_us(presence.since_us)),
                until_time: presence.until_us.map(timestamp_from_us),
            }
            .encode_to_vec(),
            Self::ApiKeyCreated { id, roles } => {
                wire::ApiKeyCreated { api_key_id: id.to_string(), roles: roles.clone() }.encode_to_vec()
            }
            Self::ApiKeyRotated { id, former_until_us } => wire::ApiKeyRotated {
                api_key_id: id.to_string(),
                former_secret_expire_time: former_until_us.map(timestamp_from_us),
            }
            .encode_to_vec(),
            Self::RoleCreated(role) => {
                wire::RoleCreated { role: role.code.clone(), permissions: numbers(&role.allowed()) }.encode_to_vec()
            }
            Self::RoleChanged(role) => {
                wire::RoleChanged { role: role.code.clone(), permissions: numbers(&role.allowed()) }.encode_to_vec()
            }
            Self::RoleDeleted { code } => wire::RoleDeleted { role: code.clone() }.encode_to_vec(),
            Self::ApiKeyRevoked(id) => wire::ApiKeyRevoked { api_key_id: id.to_string() }.encode_to_vec(),
        }
    }
}

fn branch_created(branch: &Branch, hours: Option<&CalendarSpec>) -> wire::BranchCreated {
    wire::BranchCreated {
        branch_id: branch.id.to_string(),
        code: branch.code.clone(),
        parent_branch_id: branch.parent.as_ref().map(BranchId::to_string).unwrap_or_default(),
        kind: branch_kind(branch.kind).into(),
        time_zone: branch.time_zone.clone(),
        currency_code: branch.currency.to_string(),
        locale: branch.locale.clone(),
        opening_calendar: opening_calendar(hours),
    }
}

fn team_created(team: &Team) -> wire::TeamCreated {
    wire::TeamCreated {
        team_id: team.id.to_string(),
        branch_id: team.branch.to_string(),
        member_ids: team.members.iter().map(StaffMemberId::to_string).collect(),
        lead_id: team.lead.as_ref().map(StaffMemberId::to_string).unwrap_or_default(),
    }
}
