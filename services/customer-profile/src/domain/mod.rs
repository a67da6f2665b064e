//! What may happen with customers, their visits and their purchases: pure rules, decided in memory. No I/O, no clock,
//! no wire or table formats may live here.

mod branch;
mod customer;
mod erasure;
mod event;
mod favourite;
mod identifier;
mod purchase;
mod refusal;
mod tally;
mod timeline;
mod verbs;
mod visit;

pub use branch::Branch;
pub use customer::{BirthDay, Customer, CustomerKind, CustomerState, Details};
pub use erasure::Forgetting;
pub use event::{Event, PurchaseFacts};
pub use favourite::{Favourite, favourites};
pub(crate) use identifier::claim_key as identifier_key;
pub use identifier::{Identifier, IdentifierFault, IdentifierType};
pub use purchase::{Buyer, Line, NewPurchase, Purchase, PurchaseKind, purchase_id};
pub use refusal::Refusal;
pub use tally::{Points, Presence, Tally, Totals};
pub use timeline::TimelineEntry;
pub use verbs::{
    AddIdentifier, Change, Changes, CreateCustomer, CustomerReply, EraseCustomer, Erased, IdentifyCustomer, KeepBranch,
    NewCustomer, NoteFact, RecordPurchase, RecordVisit, Recorded, UpdateCustomer, VisitReply,
};
pub use visit::Visit;

use commit::{Claims, Erasure, Keys, Log, Slot};

kernel::ids! {
    /// A customer.
    pub CustomerId;
    /// A visit of a customer.
    pub VisitId;
    /// A purchase or a return.
    pub PurchaseId;
    /// A branch of the business, known from the events of its owner.
    pub BranchId;
}

/// How far ahead of now a visit or purchase may lie, microseconds: tills have wrong clocks, and a day covers every
/// mistaken time zone.
pub const MAX_AHEAD_US: i64 = kernel::DAY_US;
/// Most handles of one customer.
pub const MAX_IDENTIFIERS: usize = 20;

commit::world! {
    /// Everything that the verbs of this service can ask for and change.
    pub struct Desk {
        /// Customers.
        pub customers: Slot<Customer>,
        /// Their running totals.
        pub tallies: Slot<Tally>,
        /// Branches, as far as this service must know them.
        pub branches: Slot<Branch>,
        /// Purchases and returns, by the id that follows from their receipt.
        pub purchases: Slot<Purchase>,
        /// Visits.
        pub visits: Slot<Visit>,
        /// Handles of customers, and complaints that are open.
        pub claims: Claims,
        /// At which branches a customer was seen.
        pub presences: Log<Presence>,
        /// What happened with a customer, in any service.
        pub timeline: Log<TimelineEntry>,
        /// Customers who asked to be forgotten.
        pub forgettings: Slot<Forgetting>,
        /// Keys under which texts are sealed.
        pub keys: Keys,
        /// Customers whose data goes or is gone, as every service notes them.
        pub erasures: Slot<Erasure>,
    }
}

/// Verbs of this service, for short.
pub(crate) type Stop = commit::Stop<Refusal>;
/// The context of its verbs.
pub(crate) type Cx<'a> = commit::Cx<'a, crate::Profile>;
