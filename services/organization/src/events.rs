//! What the organization tells the others: its events as types and payloads of the contract. It hears of nobody.

use commit::DomainEvent;
use prost::Message;
use proto::karibu::organization::v1 as wire;

use crate::domain::{Branch, BranchId, Event};
use crate::grpc::wire::{branch_kind, role_grant};

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::BranchCreated(_) => "branch.created",
            Self::BranchUpdated { .. } => "branch.updated",
            Self::BranchClosed(_) => "branch.closed",
            Self::StaffMemberCreated(_) => "staff_member.created",
            Self::ApiKeyCreated { .. } => "api_key.created",
            Self::ApiKeyRevoked(_) => "api_key.revoked",
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
            Self::StaffMemberCreated(member) => wire::StaffMemberCreated {
                staff_member_id: member.id.to_string(),
                home_branch_id: member.home.as_ref().map(BranchId::to_string).unwrap_or_default(),
                role_grants: member.grants.iter().map(role_grant).collect(),
            }
            .encode_to_vec(),
            Self::ApiKeyCreated { id, roles } => {
                wire::ApiKeyCreated { api_key_id: id.to_string(), roles: roles.clone() }.encode_to_vec()
            }
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
