//! Caring for API keys while they live: giving one a new secret, and remembering when it was last used.

use commit::{Cx, Stop, Verb, ensure, refuse};

use super::Grantor;
use crate::Organization;
use crate::domain::{
    ApiKey, ApiKeyId, ApiKeyState, ApiKeyUse, Business, Event, FormerSecret, Refusal, Rotated, check_version,
};

/// Longest time that an old secret opens the door beside the new one, in microseconds: 30 days.
const MAX_OVERLAP_US: i64 = 30 * 24 * 3_600 * 1_000_000;

/// Gives a key a new secret; the old one opens the door for a while longer. Whoever rotates learns the new secret, so only
/// someone who may do all that the key may can do it.
#[derive(Clone, Debug)]
pub struct RotateApiKey {
    /// Who rotates.
    pub grantor: Grantor,
    /// The key.
    pub id: ApiKeyId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// SHA-256 of the new secret, drawn outside.
    pub secret_hash: [u8; 32],
    /// How long the old secret still opens the door, microseconds.
    pub overlap_us: i64,
    /// The wall clock when the request came, microseconds since the Unix epoch.
    pub wall_us: i64,
}

impl Verb<Organization> for RotateApiKey {
    type Reply = Rotated<ApiKey>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Rotated<ApiKey>, Stop<Refusal>> {
        ensure!((0..=MAX_OVERLAP_US).contains(&self.overlap_us), Refusal::OverlapTooLong);
        let before = match world.keys.get(self.id)? {
            Some(key) if key.reach.is_within(&self.grantor.scope) => key.clone(),
            _ => refuse!(Refusal::ApiKeyNotFound),
        };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        match before.state(self.wall_us) {
            ApiKeyState::Active => {}
            ApiKeyState::Revoked => refuse!(Refusal::ApiKeyRevoked),
            ApiKeyState::Expired => refuse!(Refusal::ApiKeyExpired),
        }
        for role in &before.roles {
            self.grantor.check_held(world, role, &before.reach)?;
        }
        let until_us = self.wall_us.saturating_add(self.overlap_us);
        let Some(key) = world.keys.edit(self.id)? else { refuse!(Refusal::ApiKeyNotFound) };
        key.former = (self.overlap_us > 0).then_some(FormerSecret { hash: key.secret_hash, until_us });
        key.secret_hash = self.secret_hash;
        key.rotated_at_us = Some(cx.now_us);
        key.updated_at_us = cx.now_us;
        let former_until_us = key.former.as_ref().map(|former| former.until_us);
        cx.emit(key, Event::ApiKeyRotated { id: self.id, former_until_us });
        Ok(Rotated(key.clone()))
    }
}

/// Remembers when keys were last used. Unknown keys are passed over; an earlier time than the known one changes nothing.
#[derive(Clone, Debug)]
pub struct RecordApiKeyUse {
    /// Keys, and when each was used by the wall clock, microseconds since the Unix epoch.
    pub uses: Vec<(ApiKeyId, i64)>,
}

impl Verb<Organization> for RecordApiKeyUse {
    type Reply = ();

    fn decide(&self, world: &mut Business, _: &mut Cx<'_, Organization>) -> Result<(), Stop<Refusal>> {
        // All are asked for before the first answer is needed, so that one statement loads them.
        let mut is_missing = false;
        for (id, _) in &self.uses {
            is_missing |= world.keys.get(*id).is_err() | world.uses.get(*id).is_err();
        }
        if is_missing {
            return Err(Stop::Missing);
        }
        for (id, used_at_us) in &self.uses {
            if world.keys.get(*id)?.is_none() {
                continue;
            }
            match world.uses.get(*id)?.map(|known| known.last_used_at_us) {
                Some(known_us) if known_us >= *used_at_us => {}
                Some(_) => {
                    if let Some(known) = world.uses.edit(*id)? {
                        known.last_used_at_us = *used_at_us;
                    }
                }
                None => {
                    world.uses.insert(ApiKeyUse { id: *id, last_used_at_us: *used_at_us, version: 0 });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ADMIN, Reach, permissions_of};

    const OLD: [u8; 32] = [1; 32];
    const NEW: [u8; 32] = [2; 32];

    fn stage() -> Rehearsal<Organization> {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let key = ApiKey::new(ApiKeyId(Uuid::from_u128(5)), OLD, "till", Reach::All, 1);
        stage.world.keys.given(ApiKey { version: 1, roles: vec!["agent".into()], ..key });
        stage
    }

    fn rotate(secret_hash: [u8; 32], overlap_us: i64) -> RotateApiKey {
        RotateApiKey {
            grantor: Grantor { permissions: permissions_of([ADMIN]), scope: BranchScope::All },
            id: ApiKeyId(Uuid::from_u128(5)),
            expected_version: None,
            secret_hash,
            overlap_us,
            wall_us: 1_000,
        }
    }

    #[test]
    fn both_secrets_open_until_the_overlap_is_over() {
        let mut stage = stage();
        let Rotated(key) = stage.play(&rotate(NEW, 500)).unwrap();
        assert_eq!(key.former, Some(FormerSecret { hash: OLD, until_us: 1_500 }));
        assert_eq!((key.secret_hash, key.version, key.rotated_at_us), (NEW, 2, Some(7)));
        assert_eq!((key.former_hash(1_499), key.former_hash(1_500)), (Some(&OLD), None));
        assert_eq!(stage.told(), [Event::ApiKeyRotated { id: key.id, former_until_us: Some(1_500) }]);
        // Without an overlap the old one is dead at once, and so is the one before it.
        assert_eq!(stage.play(&rotate([3; 32], 0)).unwrap().0.former, None);
    }

    #[test]
    fn only_a_living_key_is_rotated_and_only_by_who_may_as_much() {
        let mut stage = stage();
        assert_eq!(stage.play(&rotate(NEW, MAX_OVERLAP_US + 1)), Err(Refusal::OverlapTooLong));
        assert_eq!(stage.play(&rotate(NEW, -1)), Err(Refusal::OverlapTooLong));
        let poor = Grantor { permissions: permissions_of(["auditor"]), scope: BranchScope::All };
        assert_eq!(stage.play(&RotateApiKey { grantor: poor, ..rotate(NEW, 0) }), Err(Refusal::GrantExceedsCaller));
        let local = Grantor { permissions: permissions_of([ADMIN]), scope: BranchScope::only([]) };
        assert_eq!(stage.play(&RotateApiKey { grantor: local, ..rotate(NEW, 0) }), Err(Refusal::ApiKeyNotFound));
        let key = stage.world.keys.get(Uuid::from_u128(5)).unwrap().unwrap().clone();
        stage.world.keys.given(ApiKey { expires_at_us: Some(1_000), ..key.clone() });
        assert_eq!(stage.play(&rotate(NEW, 0)), Err(Refusal::ApiKeyExpired));
        stage.world.keys.given(ApiKey { revoked_at_us: Some(2), ..key });
        assert_eq!(stage.play(&rotate(NEW, 0)), Err(Refusal::ApiKeyRevoked));
    }

    #[test]
    fn the_last_use_only_goes_forward_and_changes_no_version() {
        let mut stage = stage();
        let id = ApiKeyId(Uuid::from_u128(5));
        let unknown = ApiKeyId(Uuid::from_u128(6));
        for (used_at_us, expected) in [(100, 100), (300, 300), (200, 300)] {
            stage.play(&RecordApiKeyUse { uses: vec![(id, used_at_us), (unknown, used_at_us)] }).unwrap();
            assert_eq!(stage.world.uses.get(id).unwrap().unwrap().last_used_at_us, expected);
        }
        assert!(stage.world.uses.get(unknown).unwrap().is_none());
        assert_eq!(stage.world.keys.get(id).unwrap().unwrap().version, 1);
        assert_eq!(stage.told(), []);
    }
}
