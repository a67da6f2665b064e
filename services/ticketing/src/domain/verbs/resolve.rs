//! Resolve: the work is done. The follow-up is planned in the same step, by the calendar of the branch.

use std::sync::Arc;

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::class::{Link, LinkKind};
use crate::domain::code::Channel;
use crate::domain::complaint::{Decision, Resolution, Severity, Story};
use crate::domain::desk::branch_of;
use crate::domain::ending::Ending;
use crate::domain::follow_up::FollowUp;
use crate::domain::lifecycle::Command;
use crate::domain::plain_language::blaming;
use crate::domain::{Case, CaseFile, ComplaintId, Cx, Desk, Event, Outcome, Policy, Refusal};

use super::open::NewCase;

/// Characters of an answer that become the line about its case.
const SUBJECT_CHARS: usize = 80;

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
    /// What came of it for the customer; `None` follows from the decision and the chosen solution.
    pub ending: Option<Ending>,
    /// The customer was asked whether anything else is open.
    pub anything_else_asked: bool,
    /// What the customer answered; empty if nothing. It becomes a case of its own.
    pub anything_else: String,
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
        if let Some(phrase) = blaming(&self.reason) {
            refuse!(Refusal::BlamesCustomer { field: "decision_reason", phrase });
        }

        let last_cause = || complaint.story.findings.last().and_then(|finding| finding.cause.clone());
        let root_cause = self.root_cause.clone().or_else(last_cause);
        let chosen = complaint.story.chosen_kind();
        complaint.story.resolution = Some(Resolution {
            decision: self.decision,
            reason: self.reason.clone(),
            root_cause: root_cause.clone(),
            ending: self.ending.unwrap_or_else(|| Ending::of(self.decision, chosen)),
            anything_else: self.anything_else.clone(),
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
        let matter = (!self.anything_else.is_empty()).then(|| ComplaintId(cx.new_id()));
        if let Some(other) = matter {
            complaint.story.links.push(Link { other, kind: LinkKind::Related });
        }
        complaint.step(next, event, &mut desk.history, cx);
        let resolved = complaint.clone();
        if let Some(id) = matter {
            let mut story = Story::new(self.anything_else.chars().take(SUBJECT_CHARS).collect(), Severity::Medium);
            story.narrative.clone_from(&self.anything_else);
            let channel = resolved.channel.unwrap_or(Channel::InPerson);
            NewCase::beside(id, &resolved, LinkKind::Related, channel, story).open(desk, cx)?;
        }
        Ok(CaseFile::of(&resolved, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
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
    fn a94_words_that_blame_the_customer_are_refused() {
        let (mut stage, case) = Stage::ready_to_resolve();
        let verb = Resolve { reason: "You should have read the label.".to_owned(), ..resolution(case) };
        let refusal = Refusal::BlamesCustomer { field: "decision_reason", phrase: "you should have" };
        assert_eq!(stage.play(&verb).unwrap_err(), refusal);
        let kind = Resolve { decision: Decision::NotUpheld, reason: "We see it differently.".to_owned(), ..verb };
        let ending = stage.play(&kind).unwrap().complaint.story.resolution.unwrap().ending;
        assert_eq!(ending, Ending::SeenDifferently);
    }

    #[test]
    fn whatever_else_there_is_becomes_a_case_of_its_own() {
        let (mut stage, case) = Stage::ready_to_resolve();
        let verb = Resolve { anything_else: "The light in the shop is broken.".to_owned(), ..resolution(case) };
        let resolved = stage.play(&verb).unwrap().complaint;
        let [link] = resolved.story.links[..] else { unreachable!("one link") };
        let other = stage.stored(link.other);
        assert_eq!((other.state, other.customer), (State::Received, resolved.customer));
        assert_eq!(other.story.links, [Link { other: resolved.id, kind: LinkKind::Related }]);
        assert_eq!(resolved.story.resolution.unwrap().ending, Ending::Replaced);
        assert!(matches!(&stage.told()[..], [Event::Resolved { .. }, Event::Opened { .. }]));
    }

    #[test]
    fn a24_a_second_click_tells_nothing() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let again = stage.play(&resolution(case));
        let refusal = Refusal::WrongState { command: Command::Resolve, state: State::Resolved };
        assert_eq!(again.unwrap_err(), refusal);
        assert!(stage.told().is_empty());
    }
}
