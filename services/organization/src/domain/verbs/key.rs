//! Creating and revoking API keys. Ids and hashes of keys come in from outside, where the randomness is.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::Grantor;
use crate::Organization;
use crate::domain::{
    ADMIN, ApiKey, ApiKeyId, Business, CLAIM_FIRST_KEY, Created, Event, Reach, Refusal, Revoked, StaffMemberId,
    check_version,
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
            let is_within = world.staff.get(member)?.is_some_and(|member| member.is_within(scope));
            ensure!(is_within, Refusal::StaffMemberNotFound);
        }
        ensure!(self.expires_at_us.is_none_or(|end| end > self.wall_us), Refusal::ExpiryPassed);
        let mut roles = self.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        let key = world.keys.insert(ApiKey {
            id: self.id,
            version: 0,
            secret_hash: self.secret_hash,
            display_name: self.display_name.clone(),
            roles,
            reach: self.reach.clone(),
            staff_member: self.staff_member,
            expires_at_us: self.expires_at_us,
            revoked_at_us: None,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
        });
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
        let key = world.keys.insert(ApiKey {
            id: self.id,
            version: 0,
            secret_hash: self.secret_hash,
            display_name: "First key".to_owned(),
            roles: vec![ADMIN.to_owned()],
            reach: Reach::All,
            staff_member: None,
            expires_at_us: None,
            revoked_at_us: None,
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
        });
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
        let key = match world.keys.edit(self.id)? {
            Some(key) if key.reach.is_within(&self.scope) => key,
            _ => refuse!(Refusal::ApiKeyNotFound),
        };
        check_version(self.expected_version, key.version).map_err(Stop::Refused)?;
        ensure!(key.revoked_at_us.is_none(), Refusal::ApiKeyRevoked);
        key.revoked_at_us = Some(cx.now_us);
        key.updated_at_us = cx.now_us;
        cx.emit(key, Event::ApiKeyRevoked(self.id));
        Ok(Revoked(key.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::IdSource;
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

    fn decide<V: Verb<Organization>>(world: &mut Business, verb: &V) -> Result<V::Reply, Stop<Refusal>> {
        let mut ids = IdSource::seeded(1);
        verb.decide(world, &mut Cx::new(&(), 7, "tester", &mut ids))
    }

    #[test]
    fn a_key_carries_its_roles_once_each() {
        let Created(key) = decide(&mut Business::default(), &create()).unwrap();
        assert_eq!((key.id.uuid(), key.version), (Uuid::from_u128(5), 1));
        assert_eq!(key.roles, ["agent", "marketing"]);
    }

    #[test]
    fn a_key_never_exceeds_its_creator_and_ends_in_the_future() {
        let poor = CreateApiKey {
            grantor: Grantor { permissions: permissions_of(["integrator"]), scope: BranchScope::All },
            ..create()
        };
        assert_eq!(decide(&mut Business::default(), &poor), Err(Stop::Refused(Refusal::GrantExceedsCaller)));
        let over = CreateApiKey { expires_at_us: Some(1_000), ..create() };
        assert_eq!(decide(&mut Business::default(), &over), Err(Stop::Refused(Refusal::ExpiryPassed)));
    }

    #[test]
    fn a_key_acts_only_for_staff_of_the_creators_branches() {
        let (here, there) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let member = StaffMember {
            id: StaffMemberId(Uuid::from_u128(7)),
            version: 1,
            display_name: "Aline".into(),
            grants: vec![],
            home: Some(BranchId(here)),
            created_at_us: 1,
            updated_at_us: 1,
        };
        let create = |scope| {
            let mut stage = commit::Rehearsal::<Organization>::new((), 7);
            stage.world.staff.given(member.clone());
            let permissions = permissions_of([ADMIN]);
            let (staff_member, roles) = (Some(member.id), vec![]);
            stage.play(&CreateApiKey { grantor: Grantor { permissions, scope }, staff_member, roles, ..create() })
        };
        assert!(create(BranchScope::only([here])).is_ok());
        assert_eq!(create(BranchScope::only([there])), Err(Refusal::StaffMemberNotFound));
    }

    #[test]
    fn the_first_key_is_made_once() {
        let first = RegisterFirstKey { id: ApiKeyId(Uuid::from_u128(5)), secret_hash: [1; 32] };
        let mut world = Business::default();
        world.claims.given(CLAIM_FIRST_KEY, b"", None);
        assert_eq!(decide(&mut world, &first).unwrap().0.roles, [ADMIN]);
        world.claims.given(CLAIM_FIRST_KEY, b"", Some(Uuid::from_u128(5)));
        assert_eq!(decide(&mut world, &first), Err(Stop::Refused(Refusal::FirstKeyExists)));
    }

    #[test]
    fn a_key_is_revoked_once_and_only_by_who_reaches_it() {
        let mut world = Business::default();
        let Created(key) = decide(&mut world, &create()).unwrap();
        let revoke = RevokeApiKey { scope: BranchScope::only([]), id: key.id, expected_version: None };
        world.keys.given(key.clone());
        assert_eq!(decide(&mut world, &revoke), Err(Stop::Refused(Refusal::ApiKeyNotFound)));
        let revoke = RevokeApiKey { scope: BranchScope::All, ..revoke };
        let mut world = Business::default();
        world.keys.given(key);
        let Revoked(revoked) = decide(&mut world, &revoke).unwrap();
        assert_eq!((revoked.revoked_at_us, revoked.version), (Some(7), 2));
        let mut world = Business::default();
        world.keys.given(revoked);
        assert_eq!(decide(&mut world, &revoke), Err(Stop::Refused(Refusal::ApiKeyRevoked)));
    }
}
