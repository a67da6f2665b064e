//! A branch, as far as this service must know it. Its owner tells of it by events.

use super::BranchId;

/// A branch of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// Counts up with every change heard of.
    pub version: i64,
    /// Its IANA time zone.
    pub time_zone: String,
    /// It was closed for good.
    pub closed: bool,
}
