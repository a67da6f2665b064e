//! What this service tells the others, as plain data: ids, codes and numbers, nothing personal.

use kernel::Points;

use super::{
    AccountId, AccountKind, Balances, BranchId, CompensationId, ComplaintId, CustomerId, GoodwillRefusal, ProgramId,
    PurchaseId,
};

/// Points that came to an account or left it, and how the account stands after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The account.
    pub account: AccountId,
    /// Whose it is.
    pub customer: CustomerId,
    /// How many points.
    pub points: Points,
    /// The balances after.
    pub balances: Balances,
    /// Number of the last ledger entry.
    pub seq: i64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A programme was created.
    ProgramCreated {
        /// Which.
        program: ProgramId,
        /// Its code.
        code: String,
    },
    /// A programme was changed.
    ProgramUpdated {
        /// Which.
        program: ProgramId,
        /// The fields that changed.
        changed: Vec<&'static str>,
        /// Version of its rules now.
        rule_version: i64,
    },
    /// A customer got an account.
    AccountEnrolled {
        /// The account.
        account: AccountId,
        /// Of this programme.
        program: ProgramId,
        /// For this customer.
        customer: CustomerId,
        /// Who shares it.
        kind: AccountKind,
        /// Where it is at home.
        home_branch: Option<BranchId>,
    },
    /// Points were earned by a purchase.
    PointsAccrued {
        /// What came.
        moved: Moved,
        /// The purchase.
        purchase: PurchaseId,
        /// Where it was made.
        branch: BranchId,
    },
    /// Points of a returned purchase were taken back.
    PointsClawedBack {
        /// What left; the points are those missing included.
        moved: Moved,
        /// Points that were missing and became a debt.
        short: Points,
        /// The return.
        purchase: PurchaseId,
    },
    /// Points were given or taken by hand.
    PointsAdjusted {
        /// What came, or left (negative).
        moved: Moved,
        /// Code of the reason.
        reason_code: String,
    },
    /// Points were given to make good for a complaint.
    GoodwillGranted {
        /// What came.
        moved: Moved,
        /// The compensation.
        compensation: CompensationId,
        /// The complaint.
        complaint: ComplaintId,
    },
    /// Points to make good for a complaint were refused.
    GoodwillRefused {
        /// The compensation.
        compensation: CompensationId,
        /// The complaint.
        complaint: ComplaintId,
        /// Who would have got them, if known.
        customer: Option<CustomerId>,
        /// How many were asked for.
        points: Points,
        /// Why not.
        reason: GoodwillRefusal,
    },
}
