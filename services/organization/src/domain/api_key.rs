//! API keys: what opens the door to programs. The secret itself is never here, only its hash.

use super::{ADMIN, ApiKeyId, Reach, StaffMemberId};

/// Whether a key opens the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiKeyState {
    /// It does.
    Active,
    /// Someone revoked it.
    Revoked,
    /// Its time is over.
    Expired,
}

/// A secret that was replaced, and still opens the door for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerSecret {
    /// SHA-256 of it.
    pub hash: [u8; 32],
    /// Until when by the wall clock, microseconds since the Unix epoch.
    pub until_us: i64,
}

/// When a key was last used. Apart from the key, because a use changes no version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyUse {
    /// The key.
    pub id: ApiKeyId,
    /// By the wall clock, microseconds since the Unix epoch.
    pub last_used_at_us: i64,
    /// Not stored, nobody outside sees it.
    pub version: i64,
}

/// A credential for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which also stands in the text of the key.
    pub id: ApiKeyId,
    /// Its version.
    pub version: i64,
    /// SHA-256 of the secret.
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
    /// When it was revoked, microseconds since the Unix epoch.
    pub revoked_at_us: Option<i64>,
    /// The secret before the present one.
    pub former: Option<FormerSecret>,
    /// When it got its present secret, if not at its creation; microseconds since the Unix epoch.
    pub rotated_at_us: Option<i64>,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl ApiKey {
    /// A key made at `now_us` without roles yet, which never ends.
    pub fn new(id: ApiKeyId, secret_hash: [u8; 32], display_name: &str, reach: Reach, now_us: i64) -> Self {
        Self {
            id,
            version: 0,
            secret_hash,
            display_name: display_name.to_owned(),
            roles: Vec::new(),
            reach,
            staff_member: None,
            expires_at_us: None,
            revoked_at_us: None,
            former: None,
            rotated_at_us: None,
            created_at_us: now_us,
            updated_at_us: now_us,
        }
    }

    /// The hash of the former secret while that still opens the door.
    pub fn former_hash(&self, wall_us: i64) -> Option<&[u8; 32]> {
        self.former.as_ref().filter(|former| wall_us < former.until_us).map(|former| &former.hash)
    }

    /// Whether it opens every door without end, for nobody else than its holder.
    pub fn is_administrator(&self) -> bool {
        self.reach.is_all()
            && self.staff_member.is_none()
            && self.expires_at_us.is_none()
            && self.revoked_at_us.is_none()
            && self.roles.iter().any(|role| role == ADMIN)
    }

    /// Whether it opens the door at `wall_us`: credentials follow the wall clock, never the business clock.
    pub fn state(&self, wall_us: i64) -> ApiKeyState {
        if self.revoked_at_us.is_some() {
            ApiKeyState::Revoked
        } else if self.expires_at_us.is_some_and(|end| end <= wall_us) {
            ApiKeyState::Expired
        } else {
            ApiKeyState::Active
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_its_time_and_revoking_wins() {
        let key = ApiKey::new(ApiKeyId(uuid::Uuid::from_u128(1)), [0; 32], "till", Reach::All, 0);
        let mut key = ApiKey { expires_at_us: Some(100), ..key };
        assert_eq!(key.state(99), ApiKeyState::Active);
        assert_eq!(key.state(100), ApiKeyState::Expired);
        key.revoked_at_us = Some(50);
        assert_eq!(key.state(0), ApiKeyState::Revoked);
    }

    #[test]
    fn an_administrators_key_reaches_everything_without_end() {
        let key = ApiKey::new(ApiKeyId(uuid::Uuid::from_u128(1)), [0; 32], "owner", Reach::All, 0);
        let key = ApiKey { roles: vec!["agent".into(), ADMIN.into()], ..key };
        assert!(key.is_administrator());
        let narrow = Reach::Branches(vec![uuid::Uuid::from_u128(2)]);
        for other in [
            ApiKey { roles: vec!["agent".into()], ..key.clone() },
            ApiKey { reach: narrow, ..key.clone() },
            ApiKey { expires_at_us: Some(i64::MAX), ..key.clone() },
            ApiKey { revoked_at_us: Some(1), ..key.clone() },
            ApiKey { staff_member: Some(StaffMemberId(uuid::Uuid::from_u128(3))), ..key },
        ] {
            assert!(!other.is_administrator(), "{other:?}");
        }
    }
}
