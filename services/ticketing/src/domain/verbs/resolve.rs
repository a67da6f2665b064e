//! Resolve: the work is done. The follow-up is planned in the same step, by the calendar of the branch.

use std::sync::Arc;

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::complaint::{Decision, Resolution};
use crate::domain::desk::branch_of;
use crate::domain::follow_up::FollowUp;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Policy, Refusal};

/// It is done.
#[derive(Clone, Debug)]
pub struct Resolve {
    /// The complaint.
    pub case: Case,
    /// What was decided.
    pub decision: Decision,
    /// Why, in words for the customer.
    pub reason: String,
    /// Code of the root cause; `None` takes that of the last finding.
    pub root_cause: Option<String>,
    /// The customer was asked whether anything else is open.
    pub anything_else_asked: bool,
    /// When to ask again.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for Resolve {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Resolve)?;
        let branch = branch_of(&mut desk.branches, complaint.branch)?;
        ensure!(!complaint.story.has_open_promise(), Refusal::PromiseOpen);
        ensure!(!complaint.story.has_pending_compensation(), Refusal::CompensationPending);
        ensure!(self.anything_else_asked, Refusal::AnythingElseNotAsked);

        let last_cause = || complaint.story.findings.last().and_then(|finding| finding.cause.clone());
        let root_cause = self.root_cause.clone().or_else(last_cause);
        complaint.story.resolution = Some(Resolution {
            decision: self.decision,
            reason: self.reason.clone(),
            root_cause: root_cause.clone(),
            at_us: cx.now_us,
        });
        complaint.story.resolution_count += 1;
        let days = self.policy.days_to_follow_up(complaint.story.severity);
        FollowUp::schedule(complaint, 1, days, branch, &self.policy, &mut desk.follow_ups, cx);

        let event = Event::Resolved {
            complaint: complaint.id,
            customer: complaint.customer,
            branch: complaint.branch,
            decision: self.decision,
            root_cause,
            resolution_count: complaint.story.resolution_count,
            channel: complaint.channel,
            duration_ms: cx.now_us.saturating_sub(complaint.opened_at_us) / 1_000,
        };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::complaint::Severity;
    use crate::domain::follow_up::FollowUpState;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, keeping, resolution};
    use crate::domain::verbs::settle_compensation::Settlement;

    #[test]
    fn nothing_that_we_owe_may_be_left() {
        let (mut stage, case) = Stage::at(State::Fulfilling);
        let verb = resolution(case.clone());
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::PromiseOpen);
        let kept = keeping(&stage.complaint(&case), case.clone());
        stage.play(&kept).unwrap();
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::CompensationPending);
        stage.settle(&case, Settlement::Granted);
        let silent = Resolve { anything_else_asked: false, ..verb.clone() };
        assert_eq!(stage.play(&silent).unwrap_err(), Refusal::AnythingElseNotAsked);
        assert_eq!(stage.play(&verb).unwrap().complaint.state, State::Resolved);
    }

    #[test]
    fn the_follow_up_falls_due_at_ten_of_the_branch_by_severity() {
        for (severity, hours) in [(Severity::Critical, 24), (Severity::High, 48), (Severity::Medium, 72)] {
            let (mut stage, case) = Stage::ready_to_resolve();
            stage.edit(&case, |complaint| complaint.story.severity = severity);
            let file = stage.play(&resolution(case)).unwrap();
            let [follow_up] = &file.follow_ups[..] else { unreachable!("one follow-up") };
            assert_eq!((follow_up.state, follow_up.attempt), (FollowUpState::Scheduled, 1));
            // The stage stands at 14:00 in Kigali.
            assert_eq!(follow_up.due_at_us, stage.now_us() + (hours - 4) * HOUR_US, "{severity:?}");
        }
    }

    #[test]
    fn the_root_cause_is_that_of_the_last_finding_unless_it_is_said() {
        for (said, cause) in [(None, "WRONG_SHELF"), (Some("LABEL".to_owned()), "LABEL")] {
            let (mut stage, case) = Stage::ready_to_resolve();
            let verb = Resolve { root_cause: said, ..resolution(case) };
            let resolution = stage.play(&verb).unwrap().complaint.story.resolution.unwrap();
            assert_eq!(resolution.root_cause.as_deref(), Some(cause));
        }
    }

    #[test]
    fn a_second_click_tells_nothing() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let again = stage.play(&resolution(case));
        let refusal = Refusal::WrongState { command: Command::Resolve, state: State::Resolved };
        assert_eq!(again.unwrap_err(), refusal);
        assert!(stage.told().is_empty());
    }
}
