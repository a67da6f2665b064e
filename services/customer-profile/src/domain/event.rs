//! What this service tells the others, as plain data. Ids, codes and amounts; no names, no handles.

use kernel::Money;
use uuid::Uuid;

use super::{BranchId, CustomerId, CustomerKind, IdentifierType, PurchaseId, VisitId};

/// A fact told to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A customer was created, perhaps as an anonymous visitor.
    CustomerCreated {
        /// Who.
        customer: CustomerId,
        /// What it is.
        kind: CustomerKind,
        /// The branch that it belongs to.
        home_branch: BranchId,
        /// Its language; empty if unknown.
        locale: String,
    },
    /// An anonymous visitor became a known customer.
    CustomerIdentified {
        /// Who.
        customer: CustomerId,
        /// What it is now.
        kind: CustomerKind,
        /// The branch that it belongs to.
        home_branch: BranchId,
        /// Its language; empty if unknown.
        locale: String,
        /// Types of the handles that it brought.
        identifier_types: Vec<IdentifierType>,
    },
    /// A customer was changed.
    CustomerUpdated {
        /// Who.
        customer: CustomerId,
        /// Names of the fields that changed.
        changed: Vec<&'static str>,
        /// The branch that it belongs to now.
        home_branch: BranchId,
        /// Its language now; empty if unknown.
        locale: String,
    },
    /// A customer got one more handle.
    IdentifierAdded {
        /// Who.
        customer: CustomerId,
        /// Type of the handle.
        identifier_type: IdentifierType,
    },
    /// A customer asked to be forgotten while a complaint is open.
    CustomerRestricted {
        /// Who.
        customer: CustomerId,
        /// The erasure.
        erasure: Uuid,
        /// Code of the reason.
        reason_code: String,
    },
    /// A customer was erased.
    CustomerErased {
        /// Who.
        customer: CustomerId,
        /// The erasure.
        erasure: Uuid,
        /// Code of the reason.
        reason_code: String,
    },
    /// A customer was there.
    VisitRecorded {
        /// The visit.
        visit: VisitId,
        /// Who came.
        customer: CustomerId,
        /// Where.
        branch: BranchId,
        /// Code of the channel.
        channel: String,
        /// Code of the place in the journey; empty if not said.
        touchpoint_code: String,
        /// When, microseconds since the Unix epoch.
        occurred_at_us: i64,
    },
    /// Goods went to a customer.
    PurchaseRecorded(PurchaseFacts),
    /// Goods came back.
    PurchaseReturned(PurchaseFacts),
}

/// A purchase or a return, for the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseFacts {
    /// Its id.
    pub purchase: PurchaseId,
    /// The system that it comes from.
    pub source_system: String,
    /// Its number there.
    pub source_ref: String,
    /// Number of the sale that came back; empty if unknown, and for a sale.
    pub original_source_ref: String,
    /// Who bought, if known.
    pub customer: Option<CustomerId>,
    /// Where.
    pub branch: BranchId,
    /// Sum of all lines.
    pub total: Money,
    /// Sum of the lines that earn.
    pub earning_total: Money,
    /// How many lines.
    pub line_count: usize,
    /// When, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}
