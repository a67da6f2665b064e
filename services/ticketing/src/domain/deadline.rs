//! Deadlines: times at which somebody must look at a complaint again. Each is found by its due time and fires
//! once; whether anything is still to be done, the verb decides.

use commit::Slot;
use uuid::Uuid;

use super::code::codes;
use super::{ComplaintId, Cx};

codes! {
    /// What a deadline is for.
    pub enum DeadlineKind {
        /// The customer may not choose any more.
        OfferEnds = "OFFER_ENDS",
        /// A promise falls due soon.
        PromiseNears = "PROMISE_NEARS",
        /// A promise is due.
        PromiseEnds = "PROMISE_ENDS",
        /// Nobody accepted an escalation.
        EscalationEnds = "ESCALATION_ENDS",
        /// An agent did not answer whether they take a case.
        AskEnds = "ASK_ENDS",
    }
}

/// A time at which somebody must look at a complaint again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Its id.
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// The complaint.
    pub complaint: ComplaintId,
    /// What it is for.
    pub kind: DeadlineKind,
    /// What of the complaint: an offer, a promise, an escalation.
    pub subject: Uuid,
    /// When.
    pub due_at_us: i64,
    /// It fired.
    pub done: bool,
}

impl Deadline {
    /// Plans one.
    pub fn plan(
        deadlines: &mut Slot<Self>,
        kind: DeadlineKind,
        complaint: ComplaintId,
        subject: impl Into<Uuid>,
        due_at_us: i64,
        cx: &mut Cx<'_>,
    ) {
        let (id, subject) = (cx.new_id(), subject.into());
        deadlines.insert(Self { id, version: 0, complaint, kind, subject, due_at_us, done: false });
    }

    /// Whether its time has come at `now_us` and it has not fired.
    pub const fn is_due(&self, now_us: i64) -> bool {
        !self.done && self.due_at_us <= now_us
    }
}
