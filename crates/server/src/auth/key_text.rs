//! The text of an API key: `kb_<environment>_<id>_<secret>_<check>`. Id and secret are base 62, the check is a CRC-32 of
//! all before it, so that a typo is told from a wrong key without asking anybody: by the gateway first, and by the
//! service that knows the keys. Only the hash of a secret leaves.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

const PREFIX: &str = "kb";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u32 = 62;
/// Bytes of randomness in a secret.
const SECRET_BYTES: usize = 32;
/// Digits that hold 128, 256 and 32 bits in base 62.
const ID_DIGITS: usize = 22;
const SECRET_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;

/// A key as its holder has it. Its secret is never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// Id of the key.
    pub id: Uuid,
    /// SHA-256 of the secret: what is stored and compared.
    pub secret_hash: [u8; 32],
    text: String,
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyText").field("id", &self.id).finish_non_exhaustive()
    }
}

impl KeyText {
    /// A new key with fresh randomness; its id is of `now_us` (microseconds since the Unix epoch).
    pub fn generate(environment: &str, now_us: i64) -> Self {
        let millis = u64::try_from(now_us / 1_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        Self::compose(environment, id, &rand::random())
    }

    /// A new secret for the key with this id: what a rotation hands out.
    pub fn renew(environment: &str, id: Uuid) -> Self {
        Self::compose(environment, id, &rand::random())
    }

    fn compose(environment: &str, id: Uuid, secret: &[u8; SECRET_BYTES]) -> Self {
        let secret = encode(secret, SECRET_DIGITS);
        let body = format!("{PREFIX}_{environment}_{}_{secret}", encode(id.as_bytes(), ID_DIGITS));
        let check = encode(&crc32(body.as_bytes()).to_be_bytes(), CHECK_DIGITS);
        Self { id, secret_hash: Sha256::digest(secret.as_bytes()).into(), text: format!("{body}_{check}") }
    }

    /// Reads a key; `None` when it has not the form of one, or its check does not fit.
    pub fn read(text: &str) -> Option<Self> {
        let (body, check) = text.rsplit_once('_')?;
        if check != encode(&crc32(body.as_bytes()).to_be_bytes(), CHECK_DIGITS) {
            return None;
        }
        let mut parts = body.split('_');
        let (prefix, environment, id, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && prefix == PREFIX && !environment.is_empty();
        let is_secret = secret.len() == SECRET_DIGITS && secret.bytes().all(|digit| ALPHABET.contains(&digit));
        if !whole || !is_secret || id.len() != ID_DIGITS {
            return None;
        }
        let secret_hash = Sha256::digest(secret.as_bytes()).into();
        Some(Self { id: Uuid::from_u128(decode(id)?), secret_hash, text: text.to_owned() })
    }

    /// Whether this is the key with the stored hash, in the same time for every other one.
    pub fn fits(&self, stored_hash: &[u8; 32]) -> bool {
        self.secret_hash.ct_eq(stored_hash).into()
    }

    /// The whole text, to be shown once.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// A number, most significant byte first, as `digits` digits of base 62.
fn encode(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut text = vec![ALPHABET[0]; digits];
    for place in text.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = (rest << 8) | u32::from(*byte);
            *byte = (value / BASE).to_be_bytes()[3];
            rest = value % BASE;
        }
        *place = ALPHABET.get(rest as usize).copied().unwrap_or(ALPHABET[0]);
    }
    text.into_iter().map(char::from).collect()
}

/// The number that these digits stand for; `None` for other characters or more than 128 bits.
fn decode(text: &str) -> Option<u128> {
    text.bytes().try_fold(0_u128, |number, digit| {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        number.checked_mul(u128::from(BASE))?.checked_add(value as u128)
    })
}

/// CRC-32 as in ISO 3309 and zlib: reflected polynomial EDB88320.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_check_is_the_crc_of_zlib() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926, "the check value of the CRC catalogue");
    }

    #[test]
    fn a_key_leads_back_to_its_id_and_fits_only_its_own_hash() {
        let made = KeyText::generate("live", 1_795_000_000_000_000);
        let other = KeyText::generate("live", 1_795_000_000_000_000);
        let text = made.clone().into_text();
        assert_eq!(text.len(), "kb_live_".len() + ID_DIGITS + 1 + SECRET_DIGITS + 1 + CHECK_DIGITS);
        let read = KeyText::read(&text).unwrap();
        assert_eq!(read, made);
        assert!(read.fits(&made.secret_hash) && !read.fits(&other.secret_hash));
        assert_eq!(made.id.get_version_num(), 7);
        assert!(!format!("{made:?}").contains(&text[40..60]), "Debug must not show the secret");
    }

    #[test]
    fn a_renewed_key_keeps_its_id_and_gets_another_secret() {
        let first = KeyText::generate("live", 0);
        let second = KeyText::renew("live", first.id);
        assert_eq!(KeyText::read(&second.clone().into_text()).unwrap().id, first.id);
        assert!(!second.fits(&first.secret_hash) && !first.fits(&second.secret_hash));
    }

    #[test]
    fn extremes_survive() {
        for (id, secret) in [(Uuid::nil(), [0; 32]), (Uuid::max(), [0xFF; 32])] {
            let made = KeyText::compose("test", id, &secret);
            assert_eq!(KeyText::read(&made.clone().into_text()), Some(made));
        }
    }

    #[test]
    fn a_typo_anywhere_is_noticed() {
        let text = KeyText::generate("live", 0).into_text();
        for place in 0..text.len() {
            let mut broken = text.clone().into_bytes();
            broken[place] = if broken[place] == b'x' { b'y' } else { b'x' };
            assert_eq!(KeyText::read(std::str::from_utf8(&broken).unwrap()), None, "place {place}");
        }
        for wrong in ["", "kb", "kb____", "kb_live_a_b_c", "Bearer x", "_____", "kb_live_é_ü_ö"] {
            assert_eq!(KeyText::read(wrong), None, "{wrong}");
        }
    }
}
