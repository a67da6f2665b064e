//! A visit: a customer was at a branch, or on its web site.

use super::{BranchId, CustomerId, VisitId};

/// A visit. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// 1 once it stands.
    pub version: i64,
    /// Who came.
    pub customer: CustomerId,
    /// Where.
    pub branch: BranchId,
    /// Code of the channel, such as `in_person`. No rule here depends on it.
    pub channel: String,
    /// Code of the place in the customer's journey; empty if not said.
    pub touchpoint_code: String,
    /// When it was, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
}
