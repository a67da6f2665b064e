//! Identity inside the suite: who calls (`Principal`), how the gateway says so to a service (`Minter`) and how the
//! service checks it (`Verifier`, `Rules`). API keys and logins from outside belong to the gateway.

mod keys;
mod mint;
mod principal;
mod rules;
mod verify;

pub use keys::{KeyError, SigningKeys, VerifyingKeys};
pub use mint::Minter;
pub use principal::{Kind, PermissionSet, Principal};
pub use rules::{Access, Rule, Rules};
pub use verify::Verifier;

use serde::{Deserialize, Serialize};
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

/// Branch scope on the wire: `"*"` or a list of ids.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Branches {
    Every(Star),
    Only(Vec<Uuid>),
}

#[derive(Serialize, Deserialize)]
enum Star {
    #[serde(rename = "*")]
    Star,
}

/// Seconds since the epoch by the wall clock: tokens never follow the business clock.
fn wall_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
