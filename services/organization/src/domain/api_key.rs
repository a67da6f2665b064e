//! API keys: what opens the door to programs. The secret itself is never here, only its hash.

use super::{ApiKeyId, Reach, StaffMemberId};

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
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl ApiKey {
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
        let mut key = ApiKey {
            id: ApiKeyId(uuid::Uuid::from_u128(1)),
            version: 1,
            secret_hash: [0; 32],
            display_name: "till".into(),
            roles: vec!["agent".into()],
            reach: Reach::All,
            staff_member: None,
            expires_at_us: Some(100),
            revoked_at_us: None,
            created_at_us: 0,
            updated_at_us: 0,
        };
        assert_eq!(key.state(99), ApiKeyState::Active);
        assert_eq!(key.state(100), ApiKeyState::Expired);
        key.revoked_at_us = Some(50);
        assert_eq!(key.state(0), ApiKeyState::Revoked);
    }
}
