//! Why this service says no. Each refusal has one stable reason on the wire; the map stands in `error.rs`.

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such programme.
    ProgramNotFound,
    /// Another programme has the code.
    ProgramCodeTaken,
    /// The programme is over.
    ProgramClosed,
    /// Programmes are changed by those who reach every branch.
    AllBranchesNeeded,
    /// Two rules for one currency; `at` is the place of the second in the list.
    EarnRuleTwice {
        /// Place in the list of the request, from 0.
        at: usize,
    },
    /// The IANA time zone database has no such zone.
    TimeZoneUnknown,
    /// No such account, or out of the caller's reach.
    AccountNotFound,
    /// Nothing may be spent from the account.
    AccountFrozen,
    /// The account is closed, merged or erased.
    AccountClosed,
    /// The customer has an account that is at home outside of the caller's reach.
    EnrolledElsewhere,
    /// Who does not reach every branch must say at which one an account is at home.
    HomeBranchNeeded,
    /// The branch is outside of the caller's scope.
    BranchNotFound,
    /// The branch is not known here; its event may be a moment away.
    BranchUnknown,
    /// The branch was closed for good.
    BranchClosed,
    /// The account has fewer points than are to be taken.
    InsufficientPoints {
        /// Points that can be taken.
        available: i64,
    },
    /// A number of points or an amount does not fit.
    TooManyPoints,
    /// A return in another currency than its sale.
    CurrencyMismatch,
    /// Every card number tried is another customer's.
    CardNumbersTaken,
    /// It was changed since the caller read it.
    VersionMismatch {
        /// The version that stands.
        current: i64,
    },
}

impl From<Refusal> for commit::Stop<Refusal> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
