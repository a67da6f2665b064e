//! Fields of admitted requests as what commands and queries take. Field rules were checked by
//! [`Call::admit`](crate::Call::admit) before, so nothing here can refuse except a page token, which only its list knows.

use kernel::PageRequest;
use prost::Message;
use proto::us_from_timestamp;
use tonic::Status;
use uuid::Uuid;

use crate::status;

/// A validated id.
pub fn id<I: From<Uuid>>(text: &str) -> I {
    // Validation has refused everything that does not parse.
    text.parse::<Uuid>().unwrap_or_default().into()
}

/// A validated id that may be left out.
pub fn maybe_id<I: From<Uuid>>(text: &str) -> Option<I> {
    (!text.is_empty()).then(|| id(text))
}

/// The version that the caller knows; empty does not check.
pub fn expected_version(etag: &str) -> Option<i64> {
    // An etag of 19 digits may pass i64: no resource has it, so it must not fit.
    (!etag.is_empty()).then(|| etag.parse().unwrap_or(-1))
}

/// The instant in microseconds since the Unix epoch; `None` for an unset one.
pub fn instant(time: Option<&prost_types::Timestamp>) -> Option<i64> {
    // Validation has refused instants that are out of range.
    time.and_then(|time| us_from_timestamp(time).ok())
}

/// The page that a list asks for. Its token fits the list of this name with these filters only; `filter` is the
/// request without its size and token. Fails with INVALID_ARGUMENT on the paging field that is wrong.
pub fn page<T: Message>(list: &str, size: i32, token: &str, filter: &T) -> Result<PageRequest, Status> {
    let filter = [list.as_bytes(), &filter.encode_to_vec()].concat();
    PageRequest::read(size, token, &filter).map_err(|error| status::of_page(&error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_none() {
        assert_eq!(maybe_id::<Uuid>(""), None);
        assert_eq!(maybe_id(&Uuid::max().to_string()), Some(Uuid::max()));
        assert_eq!(expected_version(""), None);
        assert_eq!(expected_version("7"), Some(7));
        assert_eq!(instant(None), None);
    }

    #[test]
    fn an_etag_that_no_resource_can_have_never_fits() {
        assert_eq!(expected_version("9999999999999999999"), Some(-1));
    }

    #[test]
    fn a_page_token_belongs_to_its_list_and_filters() {
        let filter = "open".to_owned();
        let page = page("complaints", 1, "", &filter).unwrap();
        let mut items = vec![1, 2];
        let token = page.cut(&mut items, |sort| kernel::Cursor { sort: *sort, id: Uuid::nil() });
        assert!(super::page("complaints", 1, &token, &filter).is_ok());
        assert!(super::page("interactions", 1, &token, &filter).is_err());
        assert!(super::page("complaints", 1, &token, &"closed".to_owned()).is_err());
    }
}
