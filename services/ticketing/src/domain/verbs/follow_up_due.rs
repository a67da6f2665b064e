//! A follow-up comes due: the timer asks, and this verb decides whether anything is still due. Late or
//! twice, it is told once and with its true time.

use commit::Verb;

use crate::Ticketing;
use crate::domain::branch::path_of;
use crate::domain::contact;
use crate::domain::follow_up::FollowUpState;
use crate::domain::{BranchId, Cx, Desk, Event, FollowUpId, Outcome};

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
        let branch = working_branch(desk, due.branch)?;
        let due_at_us = contact::open_from(cx.settings, branch, due.due_at_us);
        if due_at_us > cx.now_us {
            // The hours changed since it was planned: it is moved, not lost.
            if let Some(follow_up) = desk.follow_ups.edit(self.follow_up)? {
                (follow_up.due_at_us, follow_up.branch) = (due_at_us, branch);
            }
            return Ok(());
        }
        let Some(complaint) = desk.complaints.edit(due.complaint)? else { return Ok(()) };
        let Some(follow_up) = desk.follow_ups.edit(self.follow_up)? else { return Ok(()) };

        follow_up.state = FollowUpState::Due;
        (follow_up.due_at_us, follow_up.branch) = (due_at_us, branch);
        let event = Event::FollowUpDue {
            complaint: complaint.id,
            follow_up: follow_up.id,
            customer: complaint.customer,
            branch: follow_up.branch,
            kind: follow_up.kind,
            attempt: follow_up.attempt,
            due_at_us: follow_up.due_at_us,
        };
        complaint.tell(event, &mut desk.history, cx);
        Ok(())
    }
}

/// The branch, or the nearest above it that has not closed for good.
fn working_branch(desk: &mut Desk, branch: BranchId) -> Outcome<BranchId> {
    for candidate in path_of(&mut desk.branches, branch)? {
        if desk.branches.get(candidate)?.is_some_and(|found| !found.closed) {
            return Ok(candidate);
        }
    }
    Ok(branch)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use calendar::{CalendarSpec, Holiday, HolidayDay, OpeningCalendar, Shift};
    use kernel::{DAY_US, HOUR_US};

    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::sla::hours::Spell;
    use crate::domain::stage::{KIGALI, LONDON, Stage, reopening};

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
    fn a93_what_falls_on_a_holiday_that_came_up_is_moved_and_not_lost() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let (timer, due_us) = planned(&mut stage, &case);
        // Monday, ten o'clock; the branch turns out to be closed that day.
        let mut spec = CalendarSpec::weekdays("Africa/Kigali", &[Shift::hours(8, 17)]);
        let day = HolidayDay::On("2026-11-23".parse().unwrap());
        spec.holidays.push(Holiday { day, closed: vec![], set_code: "RW".to_owned() });
        let calendar = Some(Arc::new(OpeningCalendar::new(spec).unwrap()));
        stage.rules().hours.insert(KIGALI, vec![Spell { since_us: 0, calendar }]);
        stage.pass(due_us - stage.now_us());
        stage.play(&timer).unwrap();
        assert!(stage.told().is_empty());
        let (timer, moved_us) = planned(&mut stage, &case);
        assert_eq!(moved_us, due_us + DAY_US - 2 * HOUR_US, "Tuesday at eight");
        stage.pass(3 * DAY_US);
        stage.play(&timer).unwrap();
        assert!(matches!(&stage.told()[..], [Event::FollowUpDue { due_at_us, .. }] if *due_at_us == moved_us));
    }

    #[test]
    fn a93_a_branch_that_closed_for_good_leaves_it_to_the_one_above() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let (timer, due_us) = planned(&mut stage, &case);
        stage.edit_branch(KIGALI, |branch| (branch.closed, branch.parent) = (true, Some(LONDON)));
        stage.pass(due_us - stage.now_us());
        stage.play(&timer).unwrap();
        assert!(matches!(&stage.told()[..], [Event::FollowUpDue { branch, .. }] if *branch == LONDON));
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
