//! Promises: what we said we would do. A complaint is not resolved while one is open.

use commit::{Log, Slot};
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use super::deadline::{Deadline, DeadlineKind};
use super::history::HistoryEntry;
use super::{Cx, Event, PromiseId, ProposalId, StaffId};

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
    /// Its time ran out. It is still to be kept, or the customer lets us off.
    Broken {
        /// When its time ran out.
        at_us: i64,
    },
    /// The customer let us off.
    Waived {
        /// When.
        at_us: i64,
        /// What the customer said.
        reason: String,
    },
}

impl PromiseState {
    /// Whether it is still to be kept.
    pub const fn is_owed(&self) -> bool {
        matches!(self, Self::Open | Self::Broken { .. })
    }
}

impl PromiseState {
    /// Forgets the reference to the proof, and what the customer said.
    pub fn forget_proof(&mut self) {
        match self {
            Self::Kept { proof, .. } => *proof = None,
            Self::Waived { reason, .. } => reason.clear(),
            Self::Open | Self::Broken { .. } => {}
        }
    }
}

/// Something that we said we would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Its id.
    pub id: PromiseId,
    /// The chosen proposal that it makes true, if it came of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalId>,
    /// What we said, in words.
    pub text: String,
    /// How far it is.
    pub state: PromiseState,
    /// Until when, if a time was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at_us: Option<i64>,
    /// Who sees to it; nobody named = the owner of the complaint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<StaffId>,
    /// When we said it.
    #[serde(default)]
    pub made_at_us: i64,
}

/// Of the time of a promise, this share has passed when it is told that it falls due, in percent.
const NEARS_AT_PERCENT: i64 = 80;

impl Promise {
    /// Puts it on record, tells of it, and plans what happens when its time runs out.
    pub fn make(self, complaint: &mut Complaint, room: Room<'_>, cx: &mut Cx<'_>) {
        let (promise, due_at_us) = (self.id, self.due_at_us);
        if let Some(due_at_us) = due_at_us {
            let left_us = due_at_us.saturating_sub(cx.now_us);
            let nears_at_us = cx.now_us.saturating_add(left_us / 100 * NEARS_AT_PERCENT);
            for (kind, at_us) in [(DeadlineKind::PromiseNears, nears_at_us), (DeadlineKind::PromiseEnds, due_at_us)] {
                Deadline::plan(room.deadlines, kind, complaint.id, promise, at_us, cx);
            }
        }
        complaint.story.promises.push(self);
        complaint.tell(Event::PromiseMade { complaint: complaint.id, promise, due_at_us }, room.history, cx);
    }
}

/// Where a promise leaves its traces.
#[derive(Debug)]
pub struct Room<'w> {
    /// Times at which somebody must look again.
    pub deadlines: &'w mut Slot<Deadline>,
    /// Who did what.
    pub history: &'w mut Log<HistoryEntry>,
}
