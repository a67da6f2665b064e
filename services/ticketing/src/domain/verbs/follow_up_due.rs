//! A follow-up comes due: the timer asks, and this verb decides whether anything is still due. Late or
//! twice, it is told once and with its true time.

use commit::Verb;

use crate::Ticketing;
use crate::domain::follow_up::FollowUpState;
use crate::domain::{Cx, Desk, Event, FollowUpId, Outcome};

/// The time has come.
#[derive(Clone, Debug)]
pub struct FollowUpComesDue {
    /// The follow-up.
    pub follow_up: FollowUpId,
}

impl Verb<Ticketing> for FollowUpComesDue {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let due = desk.follow_ups.get(self.follow_up)?.filter(|found| found.is_due(cx.now_us)).cloned();
        let Some(due) = due else { return Ok(()) };
        let Some(complaint) = desk.complaints.edit(due.complaint)? else { return Ok(()) };
        let Some(follow_up) = desk.follow_ups.edit(self.follow_up)? else { return Ok(()) };

        follow_up.state = FollowUpState::Due;
        let event = Event::FollowUpDue {
            complaint: complaint.id,
            follow_up: follow_up.id,
            customer: complaint.customer,
            branch: complaint.branch,
            kind: follow_up.kind,
            attempt: follow_up.attempt,
            due_at_us: follow_up.due_at_us,
        };
        complaint.tell(event, &mut desk.history, cx);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::DAY_US;

    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, reopening};

    fn planned(stage: &mut Stage, case: &crate::domain::Case) -> (FollowUpComesDue, i64) {
        let follow_up = stage.complaint(case).story.follow_ups[0];
        (FollowUpComesDue { follow_up }, stage.follow_up(follow_up).due_at_us)
    }

    #[test]
    fn it_is_told_once_and_late_ones_keep_their_time() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let (timer, due_us) = planned(&mut stage, &case);
        for (passed_us, events) in [(0, 0), (5 * DAY_US, 1), (0, 0)] {
            stage.pass(passed_us);
            stage.play(&timer).unwrap();
            let told = stage.told();
            assert_eq!(told.len(), events);
            for event in told {
                assert!(matches!(event, Event::FollowUpDue { due_at_us, .. } if due_at_us == due_us));
            }
        }
        assert_eq!(stage.complaint(&case).state, State::Resolved);
    }

    #[test]
    fn it_falls_due_to_the_microsecond() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let (timer, due_us) = planned(&mut stage, &case);
        let wait_us = due_us - stage.now_us();
        for (passed_us, events) in [(wait_us - 1, 0), (1, 1)] {
            stage.pass(passed_us);
            stage.play(&timer).unwrap();
            assert_eq!(stage.told().len(), events);
        }
    }

    #[test]
    fn a_complaint_that_is_open_again_has_nothing_due() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let (timer, _) = planned(&mut stage, &case);
        stage.play(&reopening(case)).unwrap();
        stage.pass(5 * DAY_US);
        stage.told();
        stage.play(&timer).unwrap();
        assert!(stage.told().is_empty());
    }
}
