//! What may happen: the nouns of ticketing, its verbs, what it refuses and what it tells. Pure: no I/O, no
//! clock, no randomness.

pub mod branch;
pub mod budget;
pub mod care;
pub mod class;
pub mod code;
pub mod compensation;
pub mod complaint;
pub mod contact;
pub mod deadline;
pub mod desk;
pub mod ending;
pub mod event;
pub mod finding;
pub mod follow_up;
pub mod historical;
pub mod history;
pub mod interaction;
pub mod lifecycle;
pub mod mandate;
pub mod merge;
pub mod number;
pub mod plain_language;
pub mod policy;
pub mod promise;
pub mod proposal;
pub mod refusal;
pub mod routing;
pub mod ruling;
pub mod search;
pub mod sla;
pub mod staff;
#[cfg(test)]
mod stage;
pub mod tally;
pub mod template;
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
    /// A question that we asked in order to understand.
    pub ClarificationId;
    /// Something that shows what happened.
    pub EvidenceId;
    /// What is promised for which cases.
    pub SlaPolicyId;
}

/// What a verb of ticketing may know besides the desk.
pub type Cx<'a> = commit::Cx<'a, Ticketing>;
/// How a verb of ticketing ends.
pub type Outcome<T> = Result<T, commit::Stop<Refusal>>;
