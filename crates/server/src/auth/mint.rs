//! Makes internal tokens. One token serves a principal and an audience for half a minute, since signing costs as
//! much as a hop; that is why nothing of the single call may stand in it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::HeaderValue;
use jsonwebtoken::{Algorithm, Header};
use tonic::Status;

use super::{Branches, Claims, ISSUER, Principal, SigningKeys, wall_seconds};
use crate::{limits, status};

/// Makes and remembers tokens. Clones share what they remember.
#[derive(Clone)]
pub struct Minter(Arc<Mint>);

type Made = HashMap<Principal, HashMap<Arc<str>, (HeaderValue, Instant)>>;

struct Mint {
    keys: SigningKeys,
    made: Mutex<Made>,
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Minter").field(&self.0.keys).finish()
    }
}

impl Minter {
    /// A minter that signs with these keys.
    pub fn new(keys: SigningKeys) -> Self {
        Self(Arc::new(Mint { keys, made: Mutex::default() }))
    }

    /// A secret for `purpose`, the same in every process that signs with this key, and of no use for signing.
    pub fn derived_secret(&self, purpose: &str) -> [u8; 32] {
        self.0.keys.derive(purpose)
    }

    /// `Bearer <token>` for calls of `principal` to the service `audience`.
    pub fn bearer(&self, principal: &Principal, audience: &str) -> Result<HeaderValue, Status> {
        let now = Instant::now();
        if let Some((token, until)) = self.lock().get(principal).and_then(|by| by.get(audience))
            && *until > now
        {
            return Ok(token.clone());
        }
        let token = self.mint(principal, audience)?;
        let mut made = self.lock();
        if made.len() >= limits::MAX_TOKENS {
            made.retain(|_, by| by.values().any(|(_, until)| *until > now));
        }
        if made.len() >= limits::MAX_TOKENS {
            made.clear();
        }
        made.entry(principal.clone()).or_default().insert(audience.into(), (token.clone(), now + limits::TOKEN_REUSE));
        Ok(token)
    }

    fn mint(&self, principal: &Principal, audience: &str) -> Result<HeaderValue, Status> {
        let now = wall_seconds();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            sub: principal.subject.as_ref().to_owned(),
            aud: audience.to_owned(),
            kind: principal.kind,
            permissions: principal.permissions,
            branches: Branches(principal.scope.clone()),
            iat: now,
            exp: now + limits::TOKEN_LIFE.as_secs(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.0.keys.id.clone());
        let failed = |error: String| {
            tracing::error!(error, audience, "cannot sign an internal token");
            status::internal()
        };
        let token =
            jsonwebtoken::encode(&header, &claims, &self.0.keys.encoding).map_err(|error| failed(error.to_string()))?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|error| failed(error.to_string()))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A panic elsewhere cannot leave the map half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> std::sync::MutexGuard<'_, Made> {
        self.0.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
