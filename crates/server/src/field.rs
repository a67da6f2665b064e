//! Fields of admitted requests as what commands and queries take. Field rules were checked by
//! [`Call::admit`](crate::Call::admit) before, so nothing here can refuse.

use proto::us_from_timestamp;
use uuid::Uuid;

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
}
