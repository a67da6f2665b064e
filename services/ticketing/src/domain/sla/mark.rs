//! Marks: what happened to a case that any clock could care about, in the order in which it became known. They are only
//! ever added to.

use serde::{Deserialize, Serialize};

use super::policy::Terms;
use crate::domain::BranchId;
use crate::domain::complaint::WaitingOn;

/// Something that happened, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When it happened, microseconds since the Unix epoch; it may have become known later.
    #[serde(rename = "at")]
    pub at_us: i64,
    /// What it was.
    #[serde(rename = "is")]
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// The case came in, at a branch.
    Opened {
        /// Where.
        branch: BranchId,
        /// A person spoke with the customer there and then.
        answered: bool,
    },
    /// Another case that was merged into this one had come in earlier.
    ReceivedEarlier {
        /// When.
        at_us: i64,
    },
    /// The customer was told that we have it.
    Acknowledged,
    /// The customer wrote.
    Heard,
    /// We wrote or spoke to the customer.
    Answered {
        /// It was a person.
        by_person: bool,
    },
    /// For whom it waits from now on.
    Waits(WaitingOn),
    /// It has an owner, or another one.
    Assigned,
    /// Another branch handles it.
    Moved(BranchId),
    /// What holds for it from now on.
    Terms(Box<Terms>),
    /// It was resolved.
    Resolved,
    /// It was taken up again.
    Reopened,
    /// Nothing is owed any more.
    Ended,
    /// It goes on after all: a merge was undone.
    Revived,
}
