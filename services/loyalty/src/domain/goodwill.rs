//! Points given to make good for a complaint: how many so far, and why some were refused.

use kernel::Points;

use super::{BranchId, ComplaintId, CustomerId};

/// Points given for one complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComplaintGoodwill {
    /// The complaint.
    pub complaint: ComplaintId,
    /// Counts up with every change.
    pub version: i64,
    /// The branch that gives.
    pub branch: Option<BranchId>,
    /// Who complains, if known.
    pub customer: Option<CustomerId>,
    /// Points given so far, over all compensations.
    pub granted: Points,
}

/// Why points were refused. The one who approved them hears of it by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoodwillRefusal {
    /// No programme runs.
    NoProgram,
    /// The complaint has no known customer.
    NoCustomer,
    /// The customer has no account, and no programme enrols by itself.
    NoAccount,
    /// The account is closed, merged or erased.
    AccountClosed,
    /// One complaint may not give so many points.
    GoodwillLimit,
    /// Not a number of points that can be given.
    PointsInvalid,
}

impl GoodwillRefusal {
    /// The stable reason.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoProgram => "NO_PROGRAM",
            Self::NoCustomer => "NO_CUSTOMER",
            Self::NoAccount => "NO_ACCOUNT",
            Self::AccountClosed => "ACCOUNT_CLOSED",
            Self::GoodwillLimit => "GOODWILL_LIMIT",
            Self::PointsInvalid => "POINTS_INVALID",
        }
    }
}
