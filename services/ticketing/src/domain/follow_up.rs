//! Follow-ups: the time at which we ask the customer again. They are found by their due time, so each
//! stands for itself; its complaint knows their ids.

use commit::{Missing, Slot};

use super::branch::Branch;
use super::code::codes;
use super::complaint::Complaint;
use super::contact;
use super::desk::all_of;
use super::{BranchId, ComplaintId, CustomerId, Cx, FollowUpId, Policy};

codes! {
    /// What a follow-up is for.
    pub enum FollowUpKind {
        /// Is the customer satisfied?
        Satisfaction = "SATISFACTION",
        /// Did the goods arrive?
        DeliveryCheck = "DELIVERY_CHECK",
        /// Was the promise kept?
        PromiseCheck = "PROMISE_CHECK",
    }

    /// How far a follow-up is.
    pub enum FollowUpState {
        /// Its time has not come.
        Scheduled = "SCHEDULED",
        /// Its time has come.
        Due = "DUE",
        /// The customer is satisfied.
        DoneSatisfied = "DONE_SATISFIED",
        /// The customer is not satisfied.
        DoneUnsatisfied = "DONE_UNSATISFIED",
        /// The customer could not be reached.
        NoContact = "NO_CONTACT",
        /// It is no longer needed.
        Cancelled = "CANCELLED",
    }

    /// What came of a follow-up.
    pub enum FollowUpOutcome {
        /// The customer is satisfied.
        Satisfied = "SATISFIED",
        /// The customer is not satisfied.
        Unsatisfied = "UNSATISFIED",
        /// The customer could not be reached.
        NoContact = "NO_CONTACT",
    }
}

impl FollowUpState {
    /// Whether the customer is still to be asked.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Scheduled | Self::Due)
    }
}

impl FollowUpOutcome {
    /// The state of a follow-up that ended so.
    pub const fn state(self) -> FollowUpState {
        match self {
            Self::Satisfied => FollowUpState::DoneSatisfied,
            Self::Unsatisfied => FollowUpState::DoneUnsatisfied,
            Self::NoContact => FollowUpState::NoContact,
        }
    }
}

/// A time at which we ask the customer again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// Its id.
    pub id: FollowUpId,
    /// Counts up with every change.
    pub version: i64,
    /// The complaint.
    pub complaint: ComplaintId,
    /// The number of the complaint, for lists.
    pub complaint_number: String,
    /// The branch that asks.
    pub branch: BranchId,
    /// The customer, if known.
    pub customer: Option<CustomerId>,
    /// What it is for.
    pub kind: FollowUpKind,
    /// How far it is.
    pub state: FollowUpState,
    /// Which attempt it is, from 1.
    pub attempt: i32,
    /// When it falls due.
    pub due_at_us: i64,
    /// When it was done.
    pub completed_at_us: Option<i64>,
    /// What the customer said, in words.
    pub note: String,
}

impl FollowUp {
    /// Whether its time has come at `now_us` and has not been told.
    pub fn is_due(&self, now_us: i64) -> bool {
        self.state == FollowUpState::Scheduled && self.due_at_us <= now_us
    }

    /// Plans to ask the customer of `complaint` again: the `attempt` of the current resolution, `days` after
    /// today by the calendar of the branch and at the hour that the policy sets.
    pub fn schedule(
        complaint: &mut Complaint,
        attempt: i32,
        days: i32,
        branch: &Branch,
        policy: &Policy,
        follow_ups: &mut Slot<Self>,
        cx: &mut Cx<'_>,
    ) {
        let due_at_us = contact::time_after(branch, cx.settings, cx.now_us, days, policy);
        Self::plan(FollowUpKind::Satisfaction, due_at_us, complaint, attempt, follow_ups, cx);
        // What was promised for later is looked after when it should have come.
        let later: Vec<i64> = match attempt {
            1 => complaint.story.promises.iter().filter_map(|promise| promise.due_at_us).collect(),
            _ => Vec::new(),
        };
        if let Some(last_us) = later.into_iter().max().filter(|due_us| *due_us > cx.now_us) {
            let due_at_us = contact::time_after(branch, cx.settings, last_us, 1, policy);
            Self::plan(FollowUpKind::DeliveryCheck, due_at_us, complaint, attempt, follow_ups, cx);
        }
    }

    /// Tries again another day, for the same reason.
    pub fn try_again(
        &self,
        complaint: &mut Complaint,
        branch: &Branch,
        policy: &Policy,
        follow_ups: &mut Slot<Self>,
        cx: &mut Cx<'_>,
    ) {
        let due_at_us = contact::time_after(branch, cx.settings, cx.now_us, policy.retry_days, policy);
        Self::plan(self.kind, due_at_us, complaint, self.attempt + 1, follow_ups, cx);
    }

    fn plan(
        kind: FollowUpKind,
        due_at_us: i64,
        complaint: &mut Complaint,
        attempt: i32,
        follow_ups: &mut Slot<Self>,
        cx: &mut Cx<'_>,
    ) {
        let id = FollowUpId(cx.new_id());
        complaint.story.follow_ups.push(id);
        follow_ups.insert(Self {
            id,
            version: 0,
            complaint: complaint.id,
            complaint_number: complaint.number.clone(),
            branch: complaint.branch,
            customer: complaint.customer,
            kind,
            state: FollowUpState::Scheduled,
            attempt,
            due_at_us,
            completed_at_us: None,
            note: String::new(),
        });
    }

    /// Lets go of what is still planned: whoever is not satisfied, or whose complaint is open again, need not
    /// be asked whether all is well.
    pub fn cancel_open(complaint: &Complaint, follow_ups: &mut Slot<Self>) -> Result<(), Missing> {
        for planned in all_of(follow_ups, &complaint.story.follow_ups)? {
            if planned.state.is_open()
                && let Some(follow_up) = follow_ups.edit(planned.id)?
            {
                follow_up.state = FollowUpState::Cancelled;
            }
        }
        Ok(())
    }
}
