//! Roles, keys and principals as messages of the contract.

use std::collections::BTreeSet;

use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;
use server::status;
use sha2::{Digest, Sha256};
use tonic::Status;
use uuid::Uuid;

use super::{staff_member, texts};
use crate::domain::{
    ApiKey, ApiKeyState, Created, Deleted, Linked, Permission, Power, Revoked, Role, Rotated, StaffMember,
    StaffMemberId, Updated, held_everywhere,
};

/// Bytes of the hint that tells secrets of one key apart.
const SECRET_HINT_BYTES: usize = 6;

/// Permissions that a role can carry. Fails with INVALID_ARGUMENT on those that no role can.
pub(crate) fn permissions(numbers: &[i32]) -> Result<BTreeSet<Permission>, Status> {
    let found: Option<BTreeSet<Permission>> = numbers.iter().map(|number| Permission::find(*number)).collect();
    found.ok_or_else(|| status::invalid([("permissions", "holds one that no role can carry")]))
}

pub(crate) fn role(role: &Role) -> wire::Role {
    let stored = |us: i64| (role.version > 0).then(|| timestamp_from_us(us));
    wire::Role {
        role: role.code.clone(),
        display_name: role.display_name.clone(),
        permissions: numbers(&role.allowed()),
        is_default: role.is_default(),
        etag: role.version.to_string(),
        create_time: stored(role.created_at_us),
        update_time: stored(role.updated_at_us),
        delete_time: role.deleted_at_us.map(timestamp_from_us),
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
        secret_hint: secret_hint(&key.secret_hash),
        rotate_time: key.rotated_at_us.map(timestamp_from_us),
        former_secret_expire_time: key.former.as_ref().map(|former| timestamp_from_us(former.until_us)),
        last_use_time: None,
    }
}

/// Tells which secret a key has without telling anything about it: the beginning of the hash of its hash.
pub(crate) fn secret_hint(secret_hash: &[u8; 32]) -> String {
    Sha256::digest(secret_hash)
        .iter()
        .take(SECRET_HINT_BYTES)
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The holder of a key, with what its roles allow today; `branches` are those of its grant with all below them.
pub(crate) fn key_principal(key: &ApiKey, permissions: &BTreeSet<Permission>, branches: &[Uuid]) -> wire::Principal {
    wire::Principal {
        subject: key.id.to_string(),
        kind: wire::PrincipalKind::ApiKey.into(),
        permissions: numbers(permissions),
        all_branches: key.reach.is_all(),
        branch_ids: texts(branches),
        staff_member_id: key.staff_member.as_ref().map(StaffMemberId::to_string).unwrap_or_default(),
        expire_time: key.expires_at_us.map(timestamp_from_us),
        grants: Vec::new(),
    }
}

/// A member of staff, with what each role allows where.
pub(crate) fn staff_principal(member: &StaffMember, powers: &[Power]) -> wire::Principal {
    let whole = held_everywhere(powers);
    let grant = |power: &Power| wire::PrincipalGrant {
        permissions: numbers(&power.permissions),
        all_branches: power.scope.is_all(),
        branch_ids: texts(power.scope.branches()),
    };
    wire::Principal {
        subject: member.id.to_string(),
        kind: wire::PrincipalKind::Staff.into(),
        permissions: numbers(&whole.permissions),
        all_branches: whole.scope.is_all(),
        branch_ids: texts(whole.scope.branches()),
        staff_member_id: member.id.to_string(),
        expire_time: None,
        grants: powers.iter().map(grant).collect(),
    }
}

pub(crate) fn numbers(permissions: &BTreeSet<Permission>) -> Vec<i32> {
    permissions.iter().map(|permission| permission.number()).collect()
}

impl Answer for Linked<StaffMember> {
    type Wire = wire::LinkStaffIdentityResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::LinkStaffIdentityResponse { staff_member: Some(staff_member(&self.0)) }
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

impl Answer for Rotated<ApiKey> {
    type Wire = wire::RotateApiKeyResponse;
    /// Without the secret, because this is stored.
    fn to_wire(&self) -> Self::Wire {
        wire::RotateApiKeyResponse { api_key: Some(api_key(&self.0, ApiKeyState::Active)), secret: String::new() }
    }
}

impl Answer for Created<Role> {
    type Wire = wire::CreateRoleResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateRoleResponse { role: Some(role(&self.0)) }
    }
}

impl Answer for Updated<Role> {
    type Wire = wire::UpdateRoleResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::UpdateRoleResponse { role: Some(role(&self.0)) }
    }
}

impl Answer for Deleted<Role> {
    type Wire = wire::DeleteRoleResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::DeleteRoleResponse { role: Some(role(&self.0)) }
    }
}

/// The permission of the contract with this number must be the one of the domain, and the other way round.
#[cfg(test)]
mod tests {
    use proto::Permission;

    use crate::grpc::wire::expected_version;

    #[test]
    fn the_permissions_of_the_domain_are_those_of_the_contract() {
        let not_in_roles = [Permission::Unspecified, Permission::Public, Permission::Internal, Permission::CustomerOwn];
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
