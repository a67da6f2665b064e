//! What may happen: the nouns of ticketing, its verbs, what it refuses and what it tells. Pure: no I/O, no
//! clock, no randomness.

pub mod branch;
pub mod code;
pub mod compensation;
pub mod complaint;
pub mod desk;
pub mod erase;
pub mod event;
pub mod finding;
pub mod follow_up;
pub mod historical;
pub mod history;
pub mod interaction;
pub mod lifecycle;
pub mod number;
pub mod policy;
pub mod promise;
pub mod proposal;
pub mod refusal;
#[cfg(test)]
mod stage;
pub mod verbs;

pub use desk::{Case, CaseFile, Desk};
pub use event::Event;
pub use policy::Policy;
pub use refusal::Refusal;

use crate::Ticketing;

kernel::ids! {
    /// A complaint.
    pub ComplaintId;
    /// A branch of the business.
    pub BranchId;
    /// A customer.
    pub CustomerId;
    /// A member of staff.
    pub StaffId;
    /// A purchase.
    pub PurchaseId;
    /// A finding.
    pub FindingId;
    /// A set of proposals.
    pub ProposalSetId;
    /// A proposal.
    pub ProposalId;
    /// A promise.
    pub PromiseId;
    /// A compensation.
    pub CompensationId;
    /// A follow-up.
    pub FollowUpId;
    /// Words on record.
    pub InteractionId;
}

/// What a verb of ticketing may know besides the desk.
pub type Cx<'a> = commit::Cx<'a, Ticketing>;
/// How a verb of ticketing ends.
pub type Outcome<T> = Result<T, commit::Stop<Refusal>>;
