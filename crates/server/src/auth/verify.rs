//! Checks internal tokens. A token that was verified is believed for half a minute by its hash, since verifying
//! costs as much as a hop; a token that failed is not remembered.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jsonwebtoken::{Algorithm, Validation};
use sha2::{Digest, Sha256};

use super::{Branches, Claims, ISSUER, Principal, VerifyingKeys, wall_seconds};
use crate::limits;

/// Checks tokens for one audience. Clones share what they remember.
#[derive(Clone)]
pub struct Verifier(Arc<Check>);

struct Check {
    keys: VerifyingKeys,
    rules: Validation,
    seen: RwLock<HashMap<[u8; 32], (Principal, Instant)>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.0.rules.aud).field(&self.0.keys).finish()
    }
}

impl Verifier {
    /// A verifier of tokens for `audience` (the name of a service), signed with one of `keys`.
    pub fn new(keys: VerifyingKeys, audience: &str) -> Self {
        // The algorithm is pinned here: what a token says of itself is never asked.
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[audience]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.leeway = limits::TOKEN_LEEWAY.as_secs();
        Self(Arc::new(Check { keys, rules, seen: RwLock::default() }))
    }

    /// The caller that the `authorization` of these headers names; `None` when there is no valid token.
    pub fn principal(&self, headers: &HeaderMap) -> Option<Principal> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next()?;
        if values.next().is_some() || value.len() > limits::MAX_TOKEN_BYTES {
            return None;
        }
        let token = value.as_bytes().strip_prefix(b"Bearer ")?;
        let hash: [u8; 32] = Sha256::digest(token).into();
        let now = Instant::now();
        if let Some((principal, until)) = self.0.seen.read().unwrap_or_else(PoisonError::into_inner).get(&hash)
            && *until > now
        {
            return Some(principal.clone());
        }
        let (principal, left) = self.verify(token)?;
        let mut seen = self.0.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= limits::MAX_TOKENS {
            seen.retain(|_, (_, until)| *until > now);
        }
        if seen.len() >= limits::MAX_TOKENS {
            seen.clear();
        }
        seen.insert(hash, (principal.clone(), now + left.min(limits::TOKEN_CACHE)));
        Some(principal)
    }

    /// The principal, and how long the token still holds.
    fn verify(&self, token: &[u8]) -> Option<(Principal, Duration)> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let key = self.0.keys.find(header.kid.as_deref()?)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.0.rules).ok()?.claims;
        let Branches(scope) = claims.branches;
        let left = claims.exp.saturating_add(self.0.rules.leeway).saturating_sub(wall_seconds());
        let principal =
            Principal { subject: claims.sub.into(), kind: claims.kind, permissions: claims.permissions, scope };
        Some((principal, Duration::from_secs(left)))
    }
}
