//! Finding a handle without keeping it readable: its keyed hash. Without the key, trying all phone numbers against the
//! table tells nothing.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::data_key::{DataKey, KEY_BYTES};

/// What the key of a service is turned into the key of its look-ups by.
const LABEL: &[u8] = b"karibu lookup v1";

/// The keyed hash of a handle.
pub type Blinded = [u8; KEY_BYTES];

/// The key of the look-ups of one service. It follows from the service's own data key, so a rotation of master keys
/// leaves it as it is. Cheap to clone.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sha256>);

impl std::fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LookupKey(..)")
    }
}

impl LookupKey {
    /// The key of the look-ups of the service that `key` belongs to.
    pub fn of(key: &DataKey) -> Self {
        let derived: [u8; KEY_BYTES] = keyed(key.expose()).chain_update(LABEL).finalize().into_bytes().into();
        Self(keyed(&derived))
    }

    /// The keyed hash of `natural` (HMAC-SHA-256, RFC 2104).
    pub fn blind(&self, natural: &[u8]) -> Blinded {
        self.0.clone().chain_update(natural).finalize().into_bytes().into()
    }
}

fn keyed(key: &[u8; KEY_BYTES]) -> Hmac<Sha256> {
    // A key of HMAC may have any length; this one always fits, so the other way is never taken.
    Hmac::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&Default::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_handle_meets_itself_under_one_key_only() {
        let (one, other) = (DataKey::from_bytes(&[1; 32]), DataKey::from_bytes(&[2; 32]));
        let blind = |key| LookupKey::of(key).blind(b"+250788123456");
        assert_eq!(blind(&one), blind(&one));
        assert_ne!(blind(&one), blind(&other));
        assert_ne!(blind(&one), LookupKey::of(&one).blind(b"+250788123457"));
        assert_eq!(format!("{:?}", LookupKey::of(&one)), "LookupKey(..)");
    }
}
