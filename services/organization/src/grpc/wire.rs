//! Domain types as messages of the contract, and fields of requests as domain types. Requests were validated before.

use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;
pub(crate) use server::field::{expected_version, id, instant, maybe_id};
use server::status;
use tonic::Status;
use uuid::Uuid;

use crate::domain::{
    ApiKey, ApiKeyState, Branch, BranchChange, BranchId, BranchKind, Closed, Created, Reach, Refusal, Revoked, Role,
    RoleGrant, StaffMember, StaffMemberId, Updated, permissions_of,
};

/// Validated ids.
pub(crate) fn ids(texts: &[String]) -> Vec<Uuid> {
    texts.iter().map(|text| id(text)).collect()
}

/// Where a grant of the contract holds.
pub(crate) fn reach(all_branches: bool, branch_ids: &[String]) -> Result<Reach, Refusal> {
    Reach::read(all_branches, &ids(branch_ids))
}

/// What an update changes: only fields that the mask names.
pub(crate) fn branch_change(request: &wire::UpdateBranchRequest) -> Result<BranchChange, Status> {
    let paths = request.update_mask.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
    let chosen =
        |field: &str, value: &String| paths.iter().any(|path| path == "*" || path == field).then(|| value.clone());
    let display_name = chosen("display_name", &request.display_name);
    if display_name.as_ref().is_some_and(String::is_empty) {
        return Err(status::invalid([("display_name", "must be given")]));
    }
    Ok(BranchChange {
        display_name,
        time_zone: chosen("time_zone", &request.time_zone),
        locale: chosen("locale", &request.locale),
    })
}

pub(crate) const fn branch_kind(kind: BranchKind) -> wire::BranchKind {
    match kind {
        BranchKind::Business => wire::BranchKind::Business,
        BranchKind::Region => wire::BranchKind::Region,
        BranchKind::Branch => wire::BranchKind::Branch,
        BranchKind::Desk => wire::BranchKind::Desk,
    }
}

/// The level; `None` for unspecified.
pub(crate) fn read_branch_kind(kind: i32) -> Option<BranchKind> {
    match wire::BranchKind::try_from(kind) {
        Ok(wire::BranchKind::Business) => Some(BranchKind::Business),
        Ok(wire::BranchKind::Region) => Some(BranchKind::Region),
        Ok(wire::BranchKind::Branch) => Some(BranchKind::Branch),
        Ok(wire::BranchKind::Desk) => Some(BranchKind::Desk),
        Ok(wire::BranchKind::Unspecified) | Err(_) => None,
    }
}

pub(crate) fn branch(branch: &Branch) -> wire::Branch {
    let state = if branch.is_open() { wire::BranchState::Active } else { wire::BranchState::Closed };
    wire::Branch {
        branch_id: branch.id.to_string(),
        code: branch.code.clone(),
        display_name: branch.display_name.clone(),
        parent_branch_id: branch.parent.as_ref().map(BranchId::to_string).unwrap_or_default(),
        kind: branch_kind(branch.kind).into(),
        state: state.into(),
        time_zone: branch.time_zone.clone(),
        currency_code: branch.currency.to_string(),
        locale: branch.locale.clone(),
        etag: branch.version.to_string(),
        create_time: Some(timestamp_from_us(branch.created_at_us)),
        update_time: Some(timestamp_from_us(branch.updated_at_us)),
        close_time: branch.closed_at_us.map(timestamp_from_us),
    }
}

pub(crate) fn role_grant(grant: &RoleGrant) -> wire::RoleGrant {
    wire::RoleGrant {
        role: grant.role.clone(),
        all_branches: grant.reach.is_all(),
        branch_ids: texts(grant.reach.branches()),
    }
}

pub(crate) fn staff_member(member: &StaffMember) -> wire::StaffMember {
    wire::StaffMember {
        staff_member_id: member.id.to_string(),
        display_name: member.display_name.clone(),
        role_grants: member.grants.iter().map(role_grant).collect(),
        home_branch_id: member.home.as_ref().map(BranchId::to_string).unwrap_or_default(),
        etag: member.version.to_string(),
        create_time: Some(timestamp_from_us(member.created_at_us)),
        update_time: Some(timestamp_from_us(member.updated_at_us)),
    }
}

pub(crate) fn role(role: &Role) -> wire::Role {
    wire::Role {
        role: role.code.to_owned(),
        display_name: role.display_name.to_owned(),
        permissions: role.permissions.iter().map(|permission| permission.number()).collect(),
    }
}

pub(crate) fn api_key(key: &ApiKey, state: ApiKeyState) -> wire::ApiKey {
    let state = match state {
        ApiKeyState::Active => wire::ApiKeyState::Active,
        ApiKeyState::Revoked => wire::ApiKeyState::Revoked,
        ApiKeyState::Expired => wire::ApiKeyState::Expired,
    };
    wire::ApiKey {
        api_key_id: key.id.to_string(),
        display_name: key.display_name.clone(),
        roles: key.roles.clone(),
        all_branches: key.reach.is_all(),
        branch_ids: texts(key.reach.branches()),
        staff_member_id: key.staff_member.as_ref().map(StaffMemberId::to_string).unwrap_or_default(),
        state: state.into(),
        expire_time: key.expires_at_us.map(timestamp_from_us),
        revoke_time: key.revoked_at_us.map(timestamp_from_us),
        etag: key.version.to_string(),
        create_time: Some(timestamp_from_us(key.created_at_us)),
        update_time: Some(timestamp_from_us(key.updated_at_us)),
    }
}

/// The holder of a key; `branches` are those of its grant with all below them.
pub(crate) fn principal(key: &ApiKey, branches: &[Uuid]) -> wire::Principal {
    let permissions = permissions_of(key.roles.iter().map(String::as_str));
    wire::Principal {
        subject: key.id.to_string(),
        kind: wire::PrincipalKind::ApiKey.into(),
        permissions: permissions.into_iter().map(|permission| permission.number()).collect(),
        all_branches: key.reach.is_all(),
        branch_ids: texts(branches),
        staff_member_id: key.staff_member.as_ref().map(StaffMemberId::to_string).unwrap_or_default(),
        expire_time: key.expires_at_us.map(timestamp_from_us),
    }
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

impl Answer for Created<Branch> {
    type Wire = wire::CreateBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Updated<Branch> {
    type Wire = wire::UpdateBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::UpdateBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Closed<Branch> {
    type Wire = wire::CloseBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CloseBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Created<StaffMember> {
    type Wire = wire::CreateStaffMemberResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateStaffMemberResponse { staff_member: Some(staff_member(&self.0)) }
    }
}

impl Answer for Created<ApiKey> {
    type Wire = wire::CreateApiKeyResponse;
    /// Without the secret, because this is stored.
    fn to_wire(&self) -> Self::Wire {
        wire::CreateApiKeyResponse { api_key: Some(api_key(&self.0, ApiKeyState::Active)), secret: String::new() }
    }
}

impl Answer for Revoked<ApiKey> {
    type Wire = wire::RevokeApiKeyResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::RevokeApiKeyResponse { api_key: Some(api_key(&self.0, ApiKeyState::Revoked)) }
    }
}

/// The permission of the contract with this number must be the one of the domain, and the other way round.
#[cfg(test)]
mod tests {
    use proto::Permission;

    use super::*;

    #[test]
    fn the_permissions_of_the_domain_are_those_of_the_contract() {
        let not_in_roles = [Permission::Unspecified, Permission::Public, Permission::Internal];
        let by_contract: Vec<i32> = (0..128)
            .filter_map(|number| Permission::try_from(number).ok())
            .filter(|permission| !not_in_roles.contains(permission))
            .map(i32::from)
            .collect();
        let by_domain: Vec<i32> = crate::domain::Permission::ALL.iter().map(|permission| permission.number()).collect();
        assert_eq!(by_domain, by_contract);
        for permission in crate::domain::Permission::ALL {
            let name = Permission::try_from(permission.number()).map(|named| named.as_str_name()).unwrap_or_default();
            let spoken = name.trim_start_matches("PERMISSION_").replace('_', "").to_lowercase();
            assert_eq!(format!("{permission:?}").to_lowercase(), spoken);
        }
    }

    #[test]
    fn an_etag_beyond_all_versions_fits_none() {
        assert_eq!(expected_version(""), None);
        assert_eq!(expected_version("7"), Some(7));
        assert_eq!(expected_version("9999999999999999999"), Some(-1));
    }
}
