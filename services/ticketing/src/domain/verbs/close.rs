//! Close: a complaint is over for good, once the customer was asked again or could not be reached.

use std::sync::Arc;

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::desk::all_of;
use crate::domain::follow_up::FollowUpState;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Policy, Refusal};

/// It is over.
#[derive(Clone, Debug)]
pub struct Close {
    /// The complaint.
    pub case: Case,
    /// How long a customer who was not reached may still come back.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for Close {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Close)?;
        let follow_ups = all_of(&mut desk.follow_ups, &complaint.story.follow_ups)?;
        ensure!(!follow_ups.iter().any(|follow_up| follow_up.state.is_open()), Refusal::FollowUpOpen);
        let unreached = follow_ups.last().is_some_and(|follow_up| follow_up.state == FollowUpState::NoContact);
        let resolved_at_us = complaint.story.resolved_at_us().unwrap_or(complaint.opened_at_us);
        let may_come_back = unreached && self.policy.may_reopen(resolved_at_us, cx.now_us);
        ensure!(!may_come_back, Refusal::ReopenWindowOpen);

        complaint.story.closed_at_us = Some(cx.now_us);
        let event = Event::Closed { complaint: complaint.id, customer: complaint.customer, branch: complaint.branch };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::DAY_US;

    use super::*;
    use crate::domain::follow_up::FollowUpOutcome;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, closing};

    #[test]
    fn the_customer_is_asked_first() {
        let (mut stage, case) = Stage::at(State::Resolved);
        assert_eq!(stage.play(&closing(case.clone())).unwrap_err(), Refusal::FollowUpOpen);
        stage.complete(&case, FollowUpOutcome::Satisfied);
        stage.told();
        let complaint = stage.play(&closing(case)).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.closed_at_us), (State::Closed, Some(stage.now_us())));
        assert!(matches!(&stage.told()[..], [Event::Closed { .. }]));
    }

    #[test]
    fn whoever_was_not_reached_may_come_back_for_two_weeks() {
        let (mut stage, case) = Stage::at(State::Resolved);
        for _ in 0..3 {
            stage.complete(&case, FollowUpOutcome::NoContact);
        }
        assert_eq!(stage.play(&closing(case.clone())).unwrap_err(), Refusal::ReopenWindowOpen);
        stage.pass(14 * DAY_US + 1);
        assert_eq!(stage.play(&closing(case)).unwrap().complaint.state, State::Closed);
    }
}
