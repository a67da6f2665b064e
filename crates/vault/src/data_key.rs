//! The key of one customer: it seals and opens what is personal, each time bound to its place. How the key itself is
//! kept stands in `master.rs`.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};
use uuid::Uuid;

use crate::master::KeyFault;

/// Bytes of a key: 256 bits.
pub(crate) const KEY_BYTES: usize = 32;
/// Bytes of a nonce of XChaCha20-Poly1305: so many that random ones never meet.
pub(crate) const NONCE_BYTES: usize = 24;
/// The form of what is sealed, its first byte. Bound into the tag as well.
const FORM: u8 = 1;

/// What was sealed: a form byte, the nonce, and the ciphertext with its tag.
pub type Sealed = Vec<u8>;

/// Where a sealed value stands. It opens nowhere else: moved to another record, field or customer it is worthless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Short name of the service.
    pub service: &'a str,
    /// The table.
    pub table: &'a str,
    /// The column.
    pub field: &'a str,
    /// The record.
    pub record: Uuid,
    /// The customer; nil for what belongs to none.
    pub subject: Uuid,
}

impl Place<'_> {
    /// Each text behind its length, so that no two places share their bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        for text in [self.service, self.table, self.field] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(self.record.as_bytes());
        bytes.extend_from_slice(self.subject.as_bytes());
        bytes
    }
}

/// A key in the clear. Wiped from memory when it is dropped, and never printed.
pub struct DataKey(SecretBox<[u8; KEY_BYTES]>);

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey(..)")
    }
}

impl DataKey {
    /// A new random key.
    pub fn generate() -> Self {
        Self(SecretBox::init_with_mut(|bytes: &mut [u8; KEY_BYTES]| *bytes = rand::random()))
    }

    /// The key with these bytes.
    pub fn from_bytes(given: &[u8; KEY_BYTES]) -> Self {
        Self(SecretBox::init_with_mut(|bytes: &mut [u8; KEY_BYTES]| bytes.copy_from_slice(given)))
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        self.0.expose_secret()
    }

    /// Encrypts `text` for `place`.
    ///
    /// # Errors
    /// Never for texts below 256 GiB.
    pub fn seal(&self, place: &Place<'_>, text: &[u8]) -> Result<Sealed, KeyFault> {
        seal(self.expose(), &place.bytes(), text)
    }

    /// Decrypts what was sealed for `place`.
    ///
    /// # Errors
    /// It was sealed under another key or for another place, or it was changed.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
        open(self.expose(), &place.bytes(), sealed)
    }
}

/// Encrypts under a fresh random nonce, bound to `bound`.
pub(crate) fn seal(key: &[u8; KEY_BYTES], bound: &[u8], text: &[u8]) -> Result<Vec<u8>, KeyFault> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let cipher = XChaCha20Poly1305::new(key.into());
    let ciphertext =
        cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: bound }).map_err(|_| KeyFault::Unsealed)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + ciphertext.len());
    sealed.push(FORM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Decrypts what [`seal`] gave under the same key and bound.
pub(crate) fn open(key: &[u8; KEY_BYTES], bound: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyFault> {
    let rest = sealed.strip_prefix(&[FORM]).ok_or(KeyFault::Unsealed)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(KeyFault::Unsealed)?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let text = cipher.decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad: bound });
    text.map(Zeroizing::new).map_err(|_| KeyFault::Unsealed)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    const HERE: Place<'static> =
        Place { service: "ticketing", table: "interaction", field: "body", record: Uuid::nil(), subject: Uuid::nil() };

    #[test]
    fn what_was_sealed_opens_in_its_place_only() {
        let key = DataKey::generate();
        let sealed = key.seal(&HERE, b"the lift is broken").unwrap();
        assert_eq!(key.open(&HERE, &sealed).unwrap().as_slice(), b"the lift is broken");
        for there in [
            Place { service: "feedback", ..HERE },
            Place { table: "response", ..HERE },
            Place { field: "note", ..HERE },
            Place { record: Uuid::max(), ..HERE },
            Place { subject: Uuid::max(), ..HERE },
            Place { service: "ticketinginteraction", table: "", ..HERE },
        ] {
            assert_eq!(key.open(&there, &sealed), Err(KeyFault::Unsealed), "{there:?}");
        }
        assert_eq!(DataKey::generate().open(&HERE, &sealed), Err(KeyFault::Unsealed), "another key");
    }

    #[test]
    fn no_two_sealings_share_a_nonce() {
        let key = DataKey::generate();
        let nonces: HashSet<Vec<u8>> =
            (0..10_000).map(|_| key.seal(&HERE, b"x").unwrap()[1..=NONCE_BYTES].to_vec()).collect();
        assert_eq!(nonces.len(), 10_000);
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", DataKey::from_bytes(&[7; KEY_BYTES])), "DataKey(..)");
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(text: Vec<u8>, at: prop::sample::Index, flip in 1_u8..=255) {
            let key = DataKey::generate();
            let mut sealed = key.seal(&HERE, &text).unwrap();
            let opened = key.open(&HERE, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), text.as_slice());
            let place = at.index(sealed.len());
            sealed[place] ^= flip;
            prop_assert_eq!(key.open(&HERE, &sealed), Err(KeyFault::Unsealed));
        }

        #[test]
        fn garbage_never_opens_and_never_panics(bytes: Vec<u8>) {
            prop_assert!(DataKey::from_bytes(&[1; KEY_BYTES]).open(&HERE, &bytes).is_err());
        }
    }
}
