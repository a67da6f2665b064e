//! Why this service says no. Each refusal has one stable reason on the wire; the map stands in `error.rs`.

use super::IdentifierFault;

/// Why a verb was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The branch is outside of the caller's scope.
    BranchNotFound,
    /// The branch is not known here; its event may be a moment away.
    BranchUnknown,
    /// The branch was closed for good.
    BranchClosed,
    /// No such customer, or none that the caller may see.
    CustomerNotFound,
    /// The customer's data is erased, or it was merged into another.
    CustomerErased,
    /// Only an anonymous visitor can be identified.
    CustomerAlreadyIdentified,
    /// A customer of this kind cannot be made this way.
    KindNotAllowed,
    /// An anonymous visitor has no name, no birthday and no handles.
    AnonymousWithDetails,
    /// Another customer has the handle.
    IdentifierTaken {
        /// Its place in the list of the request, from 0; none if the request has just one.
        at: Option<usize>,
    },
    /// The handle is not well formed.
    IdentifierInvalid {
        /// Its place in the list of the request, from 0; none if the request has just one.
        at: Option<usize>,
        /// What is wrong with it.
        fault: IdentifierFault,
    },
    /// The customer would have too many handles.
    TooManyIdentifiers,
    /// No such day in any year.
    BirthdayInvalid,
    /// The customer was changed since the caller read it.
    VersionMismatch {
        /// The version that stands.
        current: i64,
    },
    /// It lies more than a day in the future.
    OccursInFuture,
    /// The same receipt stands with another content.
    PurchaseMismatch,
    /// The total given is not the sum of the lines.
    TotalMismatch,
    /// An amount does not fit.
    AmountTooLarge,
    /// Not a currency of ISO 4217.
    CurrencyUnknown,
    /// Only a return refers to an earlier sale.
    OriginalOfSale,
}
