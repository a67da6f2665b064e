//! Identity inside the suite: who calls (`Principal`), how the gateway says so to a service (`Minter`) and how the
//! service checks it (`Verifier`, `Rules`). Credentials from outside belong to the gateway; only the form of an API key
//! (`KeyText`) is known here, since two services read it.

mod key_text;
mod keys;
mod mint;
mod principal;
mod rules;
mod verify;

pub use key_text::KeyText;
pub use keys::{KeyError, SigningKeys, VerifyingKeys};
pub use mint::Minter;
pub use principal::{Kind, PermissionSet, Principal};
pub use rules::{Access, Rule, Rules};
pub use verify::Verifier;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::BranchScope;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Issuer of internal tokens.
const ISSUER: &str = "karibu";

/// What an internal token says. Permissions are the numbers of the proto enum, to keep the token short.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    kind: Kind,
    permissions: PermissionSet,
    branches: Branches,
    iat: u64,
    exp: u64,
}

/// Branch scope on the wire: `*`, or the ids side by side in base64url. A list of texts would be three times as long,
/// and the token travels in a header.
struct Branches(BranchScope);

impl Serialize for Branches {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            BranchScope::All => serializer.serialize_str("*"),
            BranchScope::Only(ids) => {
                let bytes: Vec<u8> = ids.iter().flat_map(|id| *id.as_bytes()).collect();
                serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Branches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "*" {
            return Ok(Self(BranchScope::All));
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        let (ids, rest) = bytes.as_chunks::<16>();
        if !rest.is_empty() {
            return Err(D::Error::custom("a branch id has 16 bytes"));
        }
        Ok(Self(BranchScope::only(ids.iter().map(|id| Uuid::from_bytes(*id)))))
    }
}

/// Seconds since the epoch by the wall clock: tokens never follow the business clock.
fn wall_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
