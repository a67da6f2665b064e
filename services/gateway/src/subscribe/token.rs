//! Resume tokens: a position in every log, the filter it belongs to, and a mark that only the gateway can make.
//! A token says where, never what its holder may see.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// First byte of every token.
const VERSION: u8 = 1;
/// Bytes of the mark.
const MARK_BYTES: usize = 16;
/// Logs in one token.
const MAX_LOGS: usize = 64;
/// Longest name of a log, bytes.
const MAX_NAME_BYTES: usize = 64;

/// A place in one log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the log.
    pub log: String,
    /// Epoch of the log.
    pub epoch: i64,
    /// The last event that is done with; 0 before the first.
    pub seq: i64,
}

/// Why a token cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// It was not made here, or was changed.
    Forged,
    /// It belongs to another filter.
    OtherFilter,
}

/// Makes and reads tokens.
#[derive(Clone)]
pub struct Tokens {
    /// The first makes marks, all of them are believed.
    keys: Vec<[u8; 32]>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("keys", &self.keys.len()).finish()
    }
}

impl Tokens {
    /// Tokens under these secrets: the first one makes marks, all are believed. Without any, `own` takes their place.
    pub fn new(secrets: &[String], own: [u8; 32]) -> Self {
        let given = secrets.iter().map(|secret| Sha256::digest(secret.as_bytes()).into());
        let keys: Vec<[u8; 32]> = given.collect();
        Self { keys: if keys.is_empty() { vec![own] } else { keys } }
    }

    /// The token for these places under the filter with this hash.
    pub fn make(&self, filter: u64, places: &[Place]) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&filter.to_be_bytes());
        for place in places.iter().take(MAX_LOGS) {
            let name = &place.log.as_bytes()[..place.log.len().min(MAX_NAME_BYTES)];
            bytes.push(name.len() as u8);
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(&place.epoch.to_be_bytes());
            bytes.extend_from_slice(&place.seq.to_be_bytes());
        }
        let mark = self.mark(&self.keys[0], &bytes);
        bytes.extend_from_slice(&mark);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The places of a token.
    pub fn read(&self, token: &str, filter: u64) -> Result<Vec<Place>, TokenFault> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenFault::Forged)?;
        let (bytes, mark) = bytes.split_last_chunk::<MARK_BYTES>().ok_or(TokenFault::Forged)?;
        // Compared in constant time: a mark must not be found byte by byte.
        let ours = self.keys.iter().any(|key| hmac(key, bytes).verify_truncated_left(mark).is_ok());
        if !ours {
            return Err(TokenFault::Forged);
        }
        let rest = bytes.strip_prefix(&[VERSION]).ok_or(TokenFault::Forged)?;
        let (hash, mut rest) = rest.split_first_chunk().ok_or(TokenFault::Forged)?;
        if u64::from_be_bytes(*hash) != filter {
            return Err(TokenFault::OtherFilter);
        }
        let mut places = Vec::new();
        while let Some((length, after)) = rest.split_first() {
            let (place, after) = place(usize::from(*length), after).ok_or(TokenFault::Forged)?;
            places.push(place);
            rest = after;
        }
        Ok(places)
    }

    fn mark(&self, key: &[u8; 32], bytes: &[u8]) -> [u8; MARK_BYTES] {
        let full = hmac(key, bytes).finalize().into_bytes();
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(&full[..MARK_BYTES]);
        mark
    }
}

fn place(name: usize, bytes: &[u8]) -> Option<(Place, &[u8])> {
    let (name, rest) = bytes.split_at_checked(name)?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let log = std::str::from_utf8(name).ok()?.to_owned();
    Some((Place { log, epoch: i64::from_be_bytes(*epoch), seq: i64::from_be_bytes(*seq) }, rest))
}

fn hmac(key: &[u8; 32], bytes: &[u8]) -> Hmac<Sha256> {
    // A key shorter than a block is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut hmac = Hmac::<Sha256>::new(&block.into());
    hmac.update(bytes);
    hmac
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(secrets: &[&str]) -> Tokens {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Tokens::new(&secrets, [1; 32])
    }

    fn places() -> impl Strategy<Value = Vec<Place>> {
        let place = ("[a-z]{1,12}", 1..i64::MAX, 0..i64::MAX).prop_map(|(log, epoch, seq)| Place { log, epoch, seq });
        proptest::collection::vec(place, 0..8)
    }

    proptest! {
        #[test]
        fn a_token_gives_back_its_places_and_only_under_its_filter(places in places(), filter: u64, other: u64) {
            let tokens = tokens(&["secret"]);
            let token = tokens.make(filter, &places);
            prop_assert_eq!(tokens.read(&token, filter).unwrap(), places);
            prop_assume!(filter != other);
            prop_assert_eq!(tokens.read(&token, other), Err(TokenFault::OtherFilter));
        }

        #[test]
        fn a_token_with_any_bit_changed_or_any_end_cut_is_forged(places in places(), at: prop::sample::Index, bit in 0..8_u8) {
            let tokens = tokens(&["secret"]);
            let token = tokens.make(7, &places);
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..at.index(bytes.len())]);
            prop_assert_eq!(tokens.read(&cut, 7), Err(TokenFault::Forged));
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(tokens.read(&URL_SAFE_NO_PAD.encode(bytes), 7), Err(TokenFault::Forged));
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,200}") {
            let tokens = tokens(&["secret"]);
            prop_assert_eq!(tokens.read(&text, 7), Err(TokenFault::Forged));
        }
    }

    #[test]
    fn a_changed_secret_is_believed_while_it_is_listed() {
        let token = tokens(&["old"]).make(1, &[]);
        assert!(tokens(&["new", "old"]).read(&token, 1).is_ok());
        assert_eq!(tokens(&["new"]).read(&token, 1), Err(TokenFault::Forged));
        assert_eq!(tokens(&[]).read(&token, 1), Err(TokenFault::Forged));
        let own = tokens(&[]).make(1, &[]);
        assert!(tokens(&[]).read(&own, 1).is_ok());
        assert_eq!(Tokens::new(&[], [2; 32]).read(&own, 1), Err(TokenFault::Forged));
    }
}
