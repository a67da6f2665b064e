//! Keyset paging: sizes, and opaque page tokens. A token carries a mark that only Karibu can make, over its place, the
//! filter and the branch scope it was made for: nobody can use it elsewhere, or look behind it for what is hidden.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::BranchScope;

/// Page size when the caller names none.
const DEFAULT_SIZE: i32 = 50;
/// Largest page size; a larger wish is answered with this many.
const MAX_SIZE: i32 = 500;
const VERSION: u8 = 2;
/// Bytes of the mark.
const MARK_BYTES: usize = 16;
/// Bytes of a token before its mark: version, sort value, id.
const PLACE_BYTES: usize = 25;
/// Bytes of a block of the hash (FIPS 198-1): a shorter key is filled up with zeros.
const BLOCK_BYTES: usize = 64;

/// Why a page request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `page_size` is negative.
    #[error("page_size must not be negative")]
    NegativeSize,
    /// `page_token` is not a token of ours, or was made for other arguments or another branch scope.
    #[error("page_token was not made for this request; start again without it")]
    ForeignToken,
}

/// A place in a list that is ordered by (`sort`, `id`): the last row already shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sort value of the row, such as its time in microseconds.
    pub sort: i64,
    /// The id of the row, which breaks ties.
    pub id: Uuid,
}

/// The secrets behind page tokens: the first makes marks, all are believed, so that one can be changed without a gap.
/// Cheap to clone.
#[derive(Clone)]
pub struct PageKeys(Arc<[[u8; 32]]>);

impl fmt::Debug for PageKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageKeys").field("keys", &self.0.len()).finish()
    }
}

impl PageKeys {
    /// Keys made of these secrets, the newest first; without any, `own` takes their place.
    pub fn new(secrets: &[String], own: [u8; 32]) -> Self {
        let keys: Vec<[u8; 32]> = secrets.iter().map(|secret| Sha256::digest(secret.as_bytes()).into()).collect();
        Self(if keys.is_empty() { vec![own].into() } else { keys.into() })
    }

    /// What marks the tokens of one list: `filter` names every argument that selects or orders its rows, `scope` is
    /// that of the caller.
    fn seal(&self, filter: &[u8], scope: &BranchScope) -> Seal {
        let mut bound = Sha256::new();
        bound.update((filter.len() as u64).to_be_bytes());
        bound.update(filter);
        bound.update([u8::from(scope.is_all())]);
        for branch in scope.branches() {
            bound.update(branch.as_bytes());
        }
        Seal { keys: self.clone(), bound: bound.finalize().into() }
    }
}

/// Marks and checks the tokens of one list under one filter and scope.
#[derive(Clone, Debug)]
struct Seal {
    keys: PageKeys,
    bound: [u8; 32],
}

impl Seal {
    fn hmac(&self, key: &[u8; 32], place: &[u8]) -> Hmac<Sha256> {
        let mut block = [0; BLOCK_BYTES];
        block[..key.len()].copy_from_slice(key);
        let mut hmac = Hmac::<Sha256>::new(&block.into());
        hmac.update(&self.bound);
        hmac.update(place);
        hmac
    }

    fn encode(&self, cursor: Cursor) -> String {
        let mut bytes = Vec::with_capacity(PLACE_BYTES + MARK_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&cursor.sort.to_be_bytes());
        bytes.extend_from_slice(cursor.id.as_bytes());
        let full = self.hmac(&self.keys.0[0], &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&full[..MARK_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(&self, token: &str) -> Result<Cursor, PageError> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageError::ForeignToken)?;
        let (place, mark) = bytes.split_last_chunk::<MARK_BYTES>().ok_or(PageError::ForeignToken)?;
        // Compared in constant time: a mark must not be found byte by byte.
        let ours = self.keys.0.iter().any(|key| self.hmac(key, place).verify_truncated_left(mark).is_ok());
        let rest = place.strip_prefix(&[VERSION]).filter(|_| ours);
        let (sort, id) = rest.and_then(|rest| rest.split_first_chunk::<8>()).ok_or(PageError::ForeignToken)?;
        let id = Uuid::from_slice(id).map_err(|_| PageError::ForeignToken)?;
        Ok(Cursor { sort: i64::from_be_bytes(*sort), id })
    }
}

/// One page of a list, checked.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Rows wanted: 1 to 500.
    pub size: usize,
    /// Where the page before ended; `None` for the first page.
    pub after: Option<Cursor>,
    seal: Seal,
}

impl PageRequest {
    /// Reads `page_size` (0 = 50, more than 500 = 500) and `page_token`. `filter` names every argument that selects or
    /// orders rows, such as the name of the list and the encoded request without its paging fields.
    pub fn read(
        keys: &PageKeys,
        scope: &BranchScope,
        page_size: i32,
        page_token: &str,
        filter: &[u8],
    ) -> Result<Self, PageError> {
        let size = match page_size {
            ..0 => return Err(PageError::NegativeSize),
            0 => DEFAULT_SIZE,
            wish => wish.min(MAX_SIZE),
        };
        let seal = keys.seal(filter, scope);
        let after = if page_token.is_empty() { None } else { Some(seal.decode(page_token)?) };
        Ok(Self { size: size.unsigned_abs() as usize, after, seal })
    }

    /// How many rows to fetch: one more than is shown tells whether there is a next page.
    pub const fn limit(&self) -> i64 {
        self.size as i64 + 1
    }

    /// Cuts `rows` (fetched with [`Self::limit`]) to the page and gives the token of the next one, empty
    /// on the last page.
    pub fn cut<T>(&self, rows: &mut Vec<T>, place: impl Fn(&T) -> Cursor) -> String {
        if rows.len() <= self.size {
            return String::new();
        }
        rows.truncate(self.size);
        rows.last().map_or_else(String::new, |last| self.seal.encode(place(last)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(secrets: &[&str]) -> PageKeys {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        PageKeys::new(&secrets, [7; 32])
    }

    fn read(keys: &PageKeys, size: i32, token: &str, filter: &[u8]) -> Result<PageRequest, PageError> {
        PageRequest::read(keys, &BranchScope::All, size, token, filter)
    }

    fn token(keys: &PageKeys, scope: &BranchScope, filter: &[u8], place: Cursor) -> String {
        PageRequest::read(keys, scope, 1, "", filter).unwrap().cut(&mut vec![(), ()], |()| place)
    }

    #[test]
    fn sizes_are_defaulted_capped_or_refused() {
        let keys = keys(&[]);
        assert_eq!(read(&keys, 0, "", b"").unwrap().size, 50);
        assert_eq!(read(&keys, i32::MAX, "", b"").unwrap().size, 500);
        assert_eq!(read(&keys, -1, "", b"").unwrap_err(), PageError::NegativeSize);
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = read(&keys(&[]), 2, "", b"f").unwrap();
        assert_eq!(page.cut(&mut vec![1, 2], |_| Cursor { sort: 0, id: Uuid::nil() }), "");
    }

    #[test]
    fn a_token_serves_the_scope_it_was_made_for_alone() {
        let (keys, id) = (keys(&[]), Uuid::from_u128);
        let place = Cursor { sort: 1, id: id(9) };
        let scopes = [
            BranchScope::All,
            BranchScope::only([]),
            BranchScope::only([id(1)]),
            BranchScope::only([id(2)]),
            BranchScope::only([id(1), id(2)]),
        ];
        for made in &scopes {
            let token = token(&keys, made, b"f", place);
            for used in &scopes {
                let read = PageRequest::read(&keys, used, 1, &token, b"f");
                assert_eq!(read.is_ok(), made == used, "made for {made:?}, used with {used:?}");
            }
        }
    }

    #[test]
    fn a_secret_that_was_changed_is_believed_while_it_is_listed() {
        let place = Cursor { sort: 1, id: Uuid::nil() };
        let old = token(&keys(&["old"]), &BranchScope::All, b"f", place);
        assert!(read(&keys(&["new", "old"]), 1, &old, b"f").is_ok());
        assert_eq!(read(&keys(&["new"]), 1, &old, b"f").unwrap_err(), PageError::ForeignToken);
        assert_eq!(read(&keys(&[]), 1, &old, b"f").unwrap_err(), PageError::ForeignToken);
    }

    proptest! {
        #[test]
        fn a_token_leads_back_to_its_place_and_only_with_its_filter(sort: i64, id: u128, filter: Vec<u8>, other: Vec<u8>) {
            let keys = keys(&["secret"]);
            let place = Cursor { sort, id: Uuid::from_u128(id) };
            let token = token(&keys, &BranchScope::All, &filter, place);
            prop_assert_eq!(read(&keys, 1, &token, &filter).unwrap().after, Some(place));
            if other != filter {
                prop_assert_eq!(read(&keys, 1, &token, &other).unwrap_err(), PageError::ForeignToken);
            }
        }

        #[test]
        fn a_token_with_any_bit_changed_or_any_end_cut_is_refused(at: prop::sample::Index, bit in 0..8_u8) {
            let keys = keys(&["secret"]);
            let token = token(&keys, &BranchScope::All, b"f", Cursor { sort: 5, id: Uuid::from_u128(6) });
            let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..1 + at.index(bytes.len() - 1)]);
            prop_assert_eq!(read(&keys, 1, &cut, b"f").unwrap_err(), PageError::ForeignToken);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert_eq!(read(&keys, 1, &changed, b"f").unwrap_err(), PageError::ForeignToken);
        }

        #[test]
        fn garbage_is_refused_and_never_panics(token in ".{1,64}") {
            prop_assert_eq!(read(&keys(&[]), 1, &token, b"x").unwrap_err(), PageError::ForeignToken);
        }
    }
}
