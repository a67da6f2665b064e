//! Keyset paging: sizes, and opaque page tokens that are bound to the filter they were made for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Page size when the caller names none.
const DEFAULT_SIZE: i32 = 50;
/// Largest page size; a larger wish is answered with this many.
const MAX_SIZE: i32 = 500;
const VERSION: u8 = 1;
const MARK_BYTES: usize = 8;

/// Why a page request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// `page_size` is negative.
    #[error("page_size must not be negative")]
    NegativeSize,
    /// `page_token` is not a token of ours, or was made for other arguments.
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

/// One page of a list, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows wanted: 1 to 500.
    pub size: usize,
    /// Where the page before ended; `None` for the first page.
    pub after: Option<Cursor>,
    mark: [u8; MARK_BYTES],
}

impl PageRequest {
    /// Reads `page_size` (0 = 50, more than 500 = 500) and `page_token`. `filter` names every argument
    /// that selects or orders rows, such as the encoded request without its paging fields.
    pub fn read(page_size: i32, page_token: &str, filter: &[u8]) -> Result<Self, PageError> {
        let size = match page_size {
            ..0 => return Err(PageError::NegativeSize),
            0 => DEFAULT_SIZE,
            wish => wish.min(MAX_SIZE),
        };
        let mark = mark(filter);
        let after = if page_token.is_empty() { None } else { Some(decode(page_token, &mark)?) };
        Ok(Self { size: size.unsigned_abs() as usize, after, mark })
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
        rows.last().map_or_else(String::new, |last| encode(place(last), &self.mark))
    }
}

fn mark(filter: &[u8]) -> [u8; MARK_BYTES] {
    let digest = Sha256::digest(filter);
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(&digest[..MARK_BYTES]);
    mark
}

fn encode(cursor: Cursor, mark: &[u8; MARK_BYTES]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(mark);
    bytes.extend_from_slice(&cursor.sort.to_be_bytes());
    bytes.extend_from_slice(cursor.id.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(token: &str, mark: &[u8; MARK_BYTES]) -> Result<Cursor, PageError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageError::ForeignToken)?;
    let rest = bytes.strip_prefix(&[VERSION]).and_then(|rest| rest.strip_prefix(mark.as_slice()));
    let (sort, id) = rest.and_then(|rest| rest.split_first_chunk::<8>()).ok_or(PageError::ForeignToken)?;
    let id = Uuid::from_slice(id).map_err(|_| PageError::ForeignToken)?;
    Ok(Cursor { sort: i64::from_be_bytes(*sort), id })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_defaulted_capped_or_refused() {
        assert_eq!(PageRequest::read(0, "", b"").unwrap().size, 50);
        assert_eq!(PageRequest::read(i32::MAX, "", b"").unwrap().size, 500);
        assert_eq!(PageRequest::read(-1, "", b""), Err(PageError::NegativeSize));
    }

    #[test]
    fn the_last_page_has_no_token() {
        let page = PageRequest::read(2, "", b"f").unwrap();
        assert_eq!(page.cut(&mut vec![1, 2], |_| Cursor { sort: 0, id: Uuid::nil() }), "");
    }

    proptest! {
        #[test]
        fn a_token_leads_back_to_its_place_and_only_with_its_filter(sort: i64, id: u128, filter: Vec<u8>, other: Vec<u8>) {
            let page = PageRequest::read(1, "", &filter).unwrap();
            let place = Cursor { sort, id: Uuid::from_u128(id) };
            let token = page.cut(&mut vec![(), ()], |_| place);
            prop_assert_eq!(PageRequest::read(1, &token, &filter).unwrap().after, Some(place));
            if other != filter {
                prop_assert_eq!(PageRequest::read(1, &token, &other), Err(PageError::ForeignToken));
            }
        }

        #[test]
        fn garbage_is_refused_and_never_panics(token in ".{1,64}") {
            prop_assert_eq!(PageRequest::read(1, &token, b"x"), Err(PageError::ForeignToken));
        }
    }
}
