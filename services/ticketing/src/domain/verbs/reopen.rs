//! Reopen: a resolved complaint is taken up again, while its window lasts.

use std::sync::Arc;

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::complaint::Reopening;
use crate::domain::follow_up::FollowUp;
use crate::domain::lifecycle::Command;
use crate::domain::routing::Trigger;
use crate::domain::{Case, CaseFile, Cx, Desk, Outcome, Policy, Refusal};

use super::escalate::rise;

/// The reopening with which it goes to a higher place.
const RISES_AT_REOPENING: i32 = 2;

/// Look at it again.
#[derive(Clone, Debug)]
pub struct Reopen {
    /// The complaint.
    pub case: Case,
    /// Code of the reason.
    pub reason_code: String,
    /// The reason in words.
    pub reason: String,
    /// How long it can be reopened.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for Reopen {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::Reopen)?;
        let resolved_at_us = complaint.story.resolved_at_us().unwrap_or(complaint.opened_at_us);
        ensure!(self.policy.may_reopen(resolved_at_us, cx.now_us), Refusal::ReopenWindowOver);

        FollowUp::cancel_open(complaint, &mut desk.follow_ups)?;
        let why = Reopening { reason_code: self.reason_code.clone(), reason: self.reason.clone(), at_us: cx.now_us };
        complaint.take_up_again(why, &mut desk.history, cx);
        if complaint.story.reopen_count() >= RISES_AT_REOPENING {
            rise(self.case.complaint, Trigger::SecondReopening, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::DAY_US;

    use super::*;
    use crate::domain::Event;
    use crate::domain::follow_up::FollowUpState;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, reopening};

    #[test]
    fn it_goes_back_to_the_cause_and_nobody_is_asked_whether_all_is_well() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let file = stage.play(&reopening(case)).unwrap();
        assert_eq!((file.complaint.state, file.complaint.story.reopen_count()), (State::Investigating, 1));
        assert_eq!(file.follow_ups[0].state, FollowUpState::Cancelled);
        assert!(matches!(&stage.told()[..], [Event::Reopened { reopen_count: 1, resolution_count: 1, .. }]));
    }

    #[test]
    fn after_two_weeks_it_is_another_complaint() {
        for (after_us, refusal) in [(14 * DAY_US, None), (14 * DAY_US + 1, Some(Refusal::ReopenWindowOver))] {
            let (mut stage, case) = Stage::at(State::Resolved);
            stage.pass(after_us);
            assert_eq!(stage.play(&reopening(case)).err(), refusal);
        }
    }
}
