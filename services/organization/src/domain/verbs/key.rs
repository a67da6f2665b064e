//! Creating and revoking API keys. Ids and hashes of keys come in from outside, where the randomness is.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::{Grantor, count, keep_an_administrator};
use crate::Organization;
use crate::domain::{
    ADMIN, ApiKey, ApiKeyId, Business, CLAIM_FIRST_KEY, Counted, Created, Event, Reach, Refusal, Revoked,
    StaffMemberId, check_version,
};

/// Creates a key. The reply does not hold the secret, so a repeat of the request cannot show it again.
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    /// Who creates: gives no more than it has.
    pub grantor: Grantor,
    /// Id of the new key, drawn outside.
    pub id: ApiKeyId,
    /// SHA-256 of the secret, drawn outside.
    pub secret_hash: [u8; 32],
    /// Name for people.
    pub display_name: String,
    /// Codes of its roles.
    pub roles: Vec<String>,
    /// Where it holds.
    pub reach: Reach,
    /// The staff member on whose behalf it acts.
    pub staff_member: Option<StaffMemberId>,
    /// When it ends by the wall clock, microseconds since the Unix epoch.
    pub expires_at_us: Option<i64>,
    /// The wall clock when the request came, microseconds since the Unix epoch.
    pub wall_us: i64,
}

impl Verb<Organization> for CreateApiKey {
    type Reply = Created<ApiKey>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Created<ApiKey>, Stop<Refusal>> {
        for role in &self.roles {
            self.grantor.check(world, role, &self.reach)?;
        }
        if let Some(member) = self.staff_member {
            let scope = &self.grantor.scope;
            let is_within =
                world.staff.get(member)?.is_some_and(|member| member.is_active() && member.is_within(scope));
            ensure!(is_within, Refusal::StaffMemberNotFound);
        }
        ensure!(self.expires_at_us.is_none_or(|end| end > self.wall_us), Refusal::ExpiryPassed);
        let mut roles = self.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        let new = ApiKey::new(self.id, self.secret_hash, &self.display_name, self.reach.clone(), cx.now_us);
        let (staff_member, expires_at_us) = (self.staff_member, self.expires_at_us);
        let new = ApiKey { roles, staff_member, expires_at_us, ..new };
        if new.is_administrator() {
            count(world, Counted::Administrators, 1)?;
        }
        let key = world.keys.insert(new);
        Ok(tell_created(key, cx))
    }
}

/// Makes the very first key, of an administrator everywhere, without a caller. Only one such key is ever made.
#[derive(Clone, Debug)]
pub struct RegisterFirstKey {
    /// Id of the key.
    pub id: ApiKeyId,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
}

impl Verb<Organization> for RegisterFirstKey {
    type Reply = Created<ApiKey>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Created<ApiKey>, Stop<Refusal>> {
        ensure!(world.claims.owner(CLAIM_FIRST_KEY, b"")?.is_none(), Refusal::FirstKeyExists);
        ensure!(world.claims.take(CLAIM_FIRST_KEY, b"", self.id)?.is_ok(), Refusal::FirstKeyExists);
        count(world, Counted::Administrators, 1)?;
        let new = ApiKey::new(self.id, self.secret_hash, "First key", Reach::All, cx.now_us);
        let key = world.keys.insert(ApiKey { roles: vec![ADMIN.to_owned()], ..new });
        Ok(tell_created(key, cx))
    }
}

fn tell_created(key: &mut ApiKey, cx: &mut Cx<'_, Organization>) -> Created<ApiKey> {
    let event = Event::ApiKeyCreated { id: key.id, roles: key.roles.clone() };
    cx.emit(key, event);
    Created(key.clone())
}

/// Takes a key out of use for good.
#[derive(Clone, Debug)]
pub struct RevokeApiKey {
    /// Where the caller may act: a key that reaches farther cannot be seen.
    pub scope: BranchScope,
    /// The key.
    pub id: ApiKeyId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for RevokeApiKey {
    type Reply = Revoked<ApiKey>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Revoked<ApiKey>, Stop<Refusal>> {
        let is_administrator = match world.keys.get(self.id)? {
            Some(key) if key.reach.is_within(&self.scope) => {
                check_version(self.expected_version, key.version).map_err(Stop::Refused)?;
                ensure!(key.revoked_at_us.is_none(), Refusal::ApiKeyRevoked);
                key.is_administrator()
            }
            _ => refuse!(Refusal::ApiKeyNotFound),
        };
        keep_an_administrator(world, is_administrator, false)?;
        let Some(key) = world.keys.edit(self.id)? else { refuse!(Refusal::ApiKeyNotFound) };
        key.former = None;
        key.revoked_at_us = Some(cx.now_us);
        key.updated_at_us = cx.now_us;
        cx.emit(key, Event::ApiKeyRevoked(self.id));
        Ok(Revoked(key.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{BranchId, StaffMember, permissions_of};

    fn admin() -> Grantor {
        Grantor { permissions: permissions_of([ADMIN]), scope: BranchScope::All }
    }

    fn create() -> CreateApiKey {
        CreateApiKey {
            grantor: admin(),
            id: ApiKeyId(Uuid::from_u128(5)),
            secret_hash: [1; 32],
            display_name: "till".into(),
            roles: vec!["marketing".into(), "agent".into(), "agent".into()],
            reach: Reach::All,
            staff_member: None,
            expires_at_us: None,
            wall_us: 1_000,
        }
    }

    fn stage() -> Rehearsal<Organization> {
        Rehearsal::new((), 7)
    }

    #[test]
    fn a_key_carries_its_roles_once_each() {
        let Created(key) = stage().play(&create()).unwrap();
        assert_eq!((key.id.uuid(), key.version), (Uuid::from_u128(5), 1));
        assert_eq!(key.roles, ["agent", "marketing"]);
    }

    #[test]
    fn a_key_never_exceeds_its_creator_and_ends_in_the_future() {
        let poor = Grantor { permissions: permissions_of(["integrator"]), scope: BranchScope::All };
        assert_eq!(stage().play(&CreateApiKey { grantor: poor, ..create() }), Err(Refusal::GrantExceedsCaller));
        let over = CreateApiKey { expires_at_us: Some(1_000), ..create() };
        assert_eq!(stage().play(&over), Err(Refusal::ExpiryPassed));
    }

    #[test]
    fn a_key_acts_only_for_working_staff_of_the_creators_branches() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let member = StaffMember::new(StaffMemberId(Uuid::from_u128(7)), "Aline", 1);
        let member = StaffMember { version: 1, home: Some(BranchId(here)), ..member };
        let create = |scope, member: &StaffMember| {
            let mut stage = stage();
            stage.world.staff.given(member.clone());
            let permissions = permissions_of([ADMIN]);
            let (staff_member, roles) = (Some(member.id), vec![]);
            stage.play(&CreateApiKey { grantor: Grantor { permissions, scope }, staff_member, roles, ..create() })
        };
        let reach = Err(Refusal::StaffMemberNotFound);
        assert!(create(BranchScope::All, &member).is_ok());
        assert_eq!(create(BranchScope::only([there]), &member), reach);
        let gone = StaffMember { deactivated_at_us: Some(3), ..member };
        assert_eq!(create(BranchScope::only([here]), &gone), reach);
    }

    #[test]
    fn the_first_key_is_made_once() {
        let mut stage = stage();
        let first = RegisterFirstKey { id: ApiKeyId(Uuid::from_u128(5)), secret_hash: [1; 32] };
        assert_eq!(stage.play(&first).unwrap().0.roles, [ADMIN]);
        let second = RegisterFirstKey { id: ApiKeyId(Uuid::from_u128(6)), ..first };
        assert_eq!(stage.play(&second), Err(Refusal::FirstKeyExists));
    }

    #[test]
    fn a_key_is_revoked_once_and_only_by_who_reaches_it() {
        let mut stage = stage();
        let Created(key) = stage.play(&create()).unwrap();
        let revoke = RevokeApiKey { scope: BranchScope::only([]), id: key.id, expected_version: None };
        assert_eq!(stage.play(&revoke), Err(Refusal::ApiKeyNotFound));
        let revoke = RevokeApiKey { scope: BranchScope::All, ..revoke };
        let Revoked(revoked) = stage.play(&revoke).unwrap();
        assert_eq!((revoked.revoked_at_us, revoked.version), (Some(7), 2));
        assert_eq!(stage.play(&revoke), Err(Refusal::ApiKeyRevoked));
    }

    #[test]
    fn the_last_administrators_key_stays() {
        let mut stage = stage();
        let first = RegisterFirstKey { id: ApiKeyId(Uuid::from_u128(1)), secret_hash: [1; 32] };
        stage.play(&first).unwrap();
        let revoke = |id: u128| RevokeApiKey {
            scope: BranchScope::All,
            id: ApiKeyId(Uuid::from_u128(id)),
            expected_version: None,
        };
        assert_eq!(stage.play(&revoke(1)), Err(Refusal::LastAdministrator));
        // One that ends by itself is no way in that lasts.
        let admin = |id: u128, expires_at_us| CreateApiKey {
            id: ApiKeyId(Uuid::from_u128(id)),
            roles: vec![ADMIN.into()],
            expires_at_us,
            ..create()
        };
        stage.play(&admin(2, Some(2_000))).unwrap();
        assert_eq!(stage.play(&revoke(1)), Err(Refusal::LastAdministrator));
        stage.play(&admin(3, None)).unwrap();
        stage.play(&revoke(1)).unwrap();
        stage.play(&revoke(2)).unwrap();
        assert_eq!(stage.play(&revoke(3)), Err(Refusal::LastAdministrator));
    }
}
