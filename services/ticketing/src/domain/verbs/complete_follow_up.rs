//! Complete follow-up: what the customer said when asked again. Who is not satisfied has the complaint
//! reopened in the same step; who was not reached is tried again another day.

use std::sync::Arc;

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::complaint::Reopening;
use crate::domain::desk::branch_of;
use crate::domain::follow_up::{FollowUp, FollowUpOutcome};
use crate::domain::lifecycle::Command;
use crate::domain::routing::Affinity;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, FollowUpId, Outcome, Policy, Refusal};

/// The reason of a reopening that an unsatisfied customer brings about.
const UNSATISFIED: &str = "UNSATISFIED";

/// The customer was asked again.
#[derive(Clone, Debug)]
pub struct CompleteFollowUp {
    /// The complaint.
    pub case: Case,
    /// The follow-up.
    pub follow_up: FollowUpId,
    /// What came of it.
    pub outcome: FollowUpOutcome,
    /// What the customer said, in words.
    pub note: String,
    /// How often and when to try again.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for CompleteFollowUp {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::CompleteFollowUp)?;
        let branch = branch_of(&mut desk.branches, complaint.branch)?;
        let known = complaint.story.follow_ups.contains(&self.follow_up);
        let found = if known { desk.follow_ups.edit(self.follow_up)? } else { None };
        let Some(follow_up) = found else { refuse!(Refusal::FollowUpNotFound) };
        ensure!(follow_up.state.is_open(), Refusal::FollowUpNotOpen);

        follow_up.state = self.outcome.state();
        follow_up.completed_at_us = Some(cx.now_us);
        follow_up.note.clone_from(&self.note);
        let asked = follow_up.clone();
        let event = Event::FollowUpCompleted {
            complaint: complaint.id,
            follow_up: self.follow_up,
            outcome: self.outcome.state(),
        };
        complaint.step(next, event, &mut desk.history, cx);

        match self.outcome {
            FollowUpOutcome::Satisfied => {
                if let (Some(customer), Some(staff)) = (complaint.customer, complaint.owner) {
                    let version = desk.affinities.get(customer)?.map_or(0, |known| known.version);
                    desk.affinities.insert(Affinity { customer, version, staff, at_us: cx.now_us });
                }
            }
            FollowUpOutcome::Unsatisfied => {
                FollowUp::cancel_open(complaint, &mut desk.follow_ups)?;
                let why =
                    Reopening { reason_code: UNSATISFIED.to_owned(), reason: self.note.clone(), at_us: cx.now_us };
                complaint.take_up_again(why, &mut desk.history, cx);
            }
            FollowUpOutcome::NoContact if asked.attempt < self.policy.follow_up_attempts => {
                asked.try_again(complaint, branch, &self.policy, &mut desk.follow_ups, cx);
            }
            FollowUpOutcome::NoContact => {}
        }
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::follow_up::FollowUpState;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, completion};

    #[test]
    fn a_satisfied_customer_ends_it() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let file = stage.complete(&case, FollowUpOutcome::Satisfied);
        assert_eq!((file.complaint.state, file.follow_ups.len()), (State::Resolved, 1));
        assert_eq!(file.follow_ups[0].state, FollowUpState::DoneSatisfied);
    }

    #[test]
    fn an_unsatisfied_customer_reopens_it_whatever_the_window() {
        let (mut stage, case) = Stage::at(State::Resolved);
        stage.pass(30 * kernel::DAY_US);
        let file = stage.complete(&case, FollowUpOutcome::Unsatisfied);
        assert_eq!(file.complaint.state, State::Investigating);
        assert_eq!(file.follow_ups[0].state, FollowUpState::DoneUnsatisfied);
        assert_eq!(file.complaint.story.reopenings[0].reason_code, UNSATISFIED);
        assert!(matches!(&stage.told()[..], [Event::FollowUpCompleted { .. }, Event::Reopened { .. }]));
    }

    #[test]
    fn who_is_not_reached_is_tried_three_times() {
        let (mut stage, case) = Stage::at(State::Resolved);
        for attempts in [2, 3, 3] {
            let file = stage.complete(&case, FollowUpOutcome::NoContact);
            assert_eq!(file.follow_ups.len(), attempts);
            stage.pass(kernel::DAY_US);
        }
        let last = stage.complaint(&case).story.follow_ups[2];
        let verb = completion(case, last, FollowUpOutcome::Satisfied);
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::FollowUpNotOpen);
    }

    #[test]
    fn a_follow_up_of_another_complaint_is_unknown() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let verb = completion(case, FollowUpId(uuid::Uuid::from_u128(3)), FollowUpOutcome::Satisfied);
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::FollowUpNotFound);
    }
}
