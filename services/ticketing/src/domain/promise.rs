//! Promises: what we said we would do. A complaint is not resolved while one is open.

use serde::{Deserialize, Serialize};

use super::{PromiseId, ProposalId};

/// How far a promise is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PromiseState {
    /// To be kept.
    Open,
    /// Kept.
    Kept {
        /// When.
        at_us: i64,
        /// Reference to the proof, if there is one.
        proof: Option<String>,
    },
}

impl PromiseState {
    /// Forgets the reference to the proof.
    pub fn forget_proof(&mut self) {
        if let Self::Kept { proof, .. } = self {
            *proof = None;
        }
    }
}

/// Something that we said we would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Its id.
    pub id: PromiseId,
    /// The chosen proposal that it makes true.
    pub proposal: ProposalId,
    /// What we said, in words.
    pub text: String,
    /// How far it is.
    pub state: PromiseState,
    /// Until when, if a time was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_us: Option<i64>,
}
