//! What the organization tells the others: its events as types and payloads of the contract. It hears of nobody.

use commit::DomainEvent;
use prost::Message;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;

use crate::domain::{Branch, BranchId, Event, TeamId};
use crate::grpc::wire::{branch_kind, numbers, role_grant, skill};

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::BranchCreated(_) => "branch.created",
            Self::BranchUpdated { .. } => "branch.updated",
            Self::BranchClosed(_) => "branch.closed",
            Self::BranchSuspended(_) => "branch.suspended",
            Self::BranchResumed(_) => "branch.resumed",
            Self::BranchMoved { .. } => "branch.moved",
            Self::StaffMemberCreated(_) => "staff_member.created",
            Self::StaffMemberUpdated { .. } => "staff_member.updated",
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
            Self::BranchCreated(branch) => branch_created(branch).encode_to_vec(),
            Self::BranchUpdated { branch, changed } => wire::BranchUpdated {
                branch_id: branch.id.to_string(),
                changed_fields: changed.iter().map(|&field| field.to_owned()).collect(),
                time_zone: branch.time_zone.clone(),
                currency_code: branch.currency.to_string(),
                locale: branch.locale.clone(),
                opening_calendar: None,
            }
            .encode_to_vec(),
            Self::BranchClosed(id) => wire::BranchClosed { branch_id: id.to_string() }.encode_to_vec(),
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

fn branch_created(branch: &Branch) -> wire::BranchCreated {
    wire::BranchCreated {
        branch_id: branch.id.to_string(),
        code: branch.code.clone(),
        parent_branch_id: branch.parent.as_ref().map(BranchId::to_string).unwrap_or_default(),
        kind: branch_kind(branch.kind).into(),
        time_zone: branch.time_zone.clone(),
        currency_code: branch.currency.to_string(),
        locale: branch.locale.clone(),
        opening_calendar: None,
    }
}
