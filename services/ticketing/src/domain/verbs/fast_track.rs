//! Fast track: at the counter, everything at once. The same verbs play one after another within one command, so
//! either all of it stands or nothing does.

use std::sync::Arc;

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::code::Channel;
use crate::domain::compensation::{Authority, Terms};
use crate::domain::complaint::Decision;
use crate::domain::finding::FactStatus;
use crate::domain::lifecycle::{Command, State};
use crate::domain::proposal::{ChoiceMaker, Solution};
use crate::domain::{Case, CaseFile, Cx, Desk, Outcome, Policy, Refusal, StaffId};

use super::{
    Acknowledge, Apologize, Assign, ChooseProposal, ConfirmUnderstanding, KeepPromise, OfferProposals, RecordFinding,
    Resolve, StartInvestigation,
};

/// It is put right on the spot.
#[derive(Clone, Debug)]
pub struct FastTrack {
    /// The complaint.
    pub case: Case,
    /// Our words for it; the customer stands there and agrees.
    pub paraphrase: String,
    /// Code of what it is about; `None` keeps what stands.
    pub category: Option<String>,
    /// Who does it; `None` keeps the owner.
    pub owner: Option<StaffId>,
    /// What was found, in words.
    pub finding: String,
    /// Code of the cause.
    pub cause: String,
    /// References to the evidence.
    pub evidence: Vec<String>,
    /// What the customer gets on the spot.
    pub solution: Solution,
    /// Reference to the proof that it was given.
    pub proof: Option<String>,
    /// Why, in words for the customer.
    pub reason: String,
    /// The customer was asked whether anything else is open.
    pub anything_else_asked: bool,
    /// The limits, and when to ask again.
    pub policy: Arc<Policy>,
}

impl FastTrack {
    /// Brings it to the point where its cause is looked for.
    fn hear(&self, case: &Case, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let complaint = self.case.see(&mut desk.complaints)?;
        let (state, owner) = (complaint.state, complaint.owner);
        let sorry = !complaint.story.care.apologies.is_empty();
        let no_outcome_desired = complaint.story.desired_outcome.is_none();
        if state == State::Received {
            Acknowledge { case: case.clone(), channel: Channel::InPerson, message: String::new() }.decide(desk, cx)?;
        }
        if state == State::Understood {
            if !sorry {
                let (channel, authority) = (Channel::InPerson, Authority::Limited);
                let (wording, admits_liability) = (None, false);
                Apologize { case: case.clone(), channel, wording, admits_liability, authority }.decide(desk, cx)?;
            }
        } else {
            let verb = ConfirmUnderstanding {
                case: case.clone(),
                paraphrase: self.paraphrase.clone(),
                confirmed: true,
                unconfirmed_reason: String::new(),
                desired_outcome: None,
                no_outcome_desired,
                category: self.category.clone(),
                severity: None,
                apologized: true,
                unapologized_reason: None,
            };
            verb.decide(desk, cx)?;
        }
        if let Some(owner) = self.owner.filter(|new| owner != Some(*new)) {
            Assign { case: case.clone(), owner }.decide(desk, cx)?;
        }
        Ok(())
    }
}

impl Verb<Ticketing> for FastTrack {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        self.case.take(&mut desk.complaints, Command::FastTrack)?;
        let points = matches!(self.solution.compensation, Some(Terms::Points(_)));
        ensure!(!points, Refusal::NotImmediate);

        let case = Case { expected_version: None, ..self.case.clone() };
        self.hear(&case, desk, cx)?;
        StartInvestigation { case: case.clone() }.decide(desk, cx)?;
        let found = RecordFinding {
            case: case.clone(),
            summary: self.finding.clone(),
            cause: Some(self.cause.clone()),
            status: FactStatus::Established,
            evidence: self.evidence.clone(),
        };
        found.decide(desk, cx)?;
        let offer = OfferProposals {
            case: case.clone(),
            solutions: vec![self.solution.clone()],
            expires_at_us: None,
            authority: Authority::Limited,
            request_approval: false,
            policy: self.policy.clone(),
        };
        let offered = offer.decide(desk, cx)?.complaint;
        let proposal = offered.story.proposal_sets.last().and_then(|set| set.proposals.first());
        let Some(proposal) = proposal.map(|proposal| proposal.id) else { refuse!(Refusal::ProposalNotFound) };
        let choice =
            ChooseProposal { case: case.clone(), proposal, by: ChoiceMaker::Customer, consent_note: String::new() };
        let chosen = choice.decide(desk, cx)?.complaint;
        let Some(promise) = chosen.story.promises.last().map(|promise| promise.id) else {
            refuse!(Refusal::PromiseNotFound)
        };
        KeepPromise { case: case.clone(), promise, proof: self.proof.clone() }.decide(desk, cx)?;
        let resolution = Resolve {
            case,
            decision: Decision::Upheld,
            reason: self.reason.clone(),
            root_cause: None,
            ending: None,
            anything_else_asked: self.anything_else_asked,
            anything_else: String::new(),
            policy: self.policy.clone(),
        };
        resolution.decide(desk, cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::DomainEvent;
    use kernel::{Money, Points};

    use super::*;
    use crate::domain::compensation::Good;
    use crate::domain::stage::{GRACE, Stage, at_the_counter};

    fn gift(minor: i64) -> Option<Terms> {
        Some(Terms::Worth { good: Good::Gift, amount: Money::new("RWF".parse().unwrap(), minor) })
    }

    #[test]
    fn everything_is_told_in_its_order() {
        let (mut stage, case) = Stage::at(State::Received);
        let mut verb = at_the_counter(case);
        verb.solution.compensation = gift(500);
        let file = stage.play(&verb).unwrap();
        assert_eq!((file.complaint.state, file.follow_ups.len()), (State::Resolved, 1));
        assert_eq!(file.complaint.owner, Some(GRACE));
        let told: Vec<&str> = stage.told().iter().map(DomainEvent::kind).collect();
        assert_eq!(
            told,
            [
                "complaint.acknowledged",
                "complaint.understood",
                "complaint.apologized",
                "complaint.assigned",
                "complaint.investigation_started",
                "complaint.finding_recorded",
                "proposal.offered",
                "proposal.chosen",
                "promise.made",
                "compensation.approved",
                "promise.kept",
                "compensation.issued",
                "complaint.resolved",
            ]
        );
    }

    #[test]
    fn a33_what_fails_in_the_middle_leaves_nothing_behind() {
        for (compensation, asked, refusal) in [
            (gift(20_001), true, Refusal::AboveAuthority { proposal: 0 }),
            (gift(1), false, Refusal::AnythingElseNotAsked),
            (Some(Terms::Points(Points(5))), true, Refusal::NotImmediate),
        ] {
            for state in [State::Received, State::Acknowledged, State::Understood] {
                let (mut stage, case) = Stage::at(state);
                let before = stage.complaint(&case);
                let mut verb = at_the_counter(case.clone());
                verb.solution.compensation = compensation.clone();
                verb.anything_else_asked = asked;
                assert_eq!(stage.play(&verb).unwrap_err(), refusal);
                assert_eq!((stage.complaint(&case), stage.told()), (before, vec![]));
            }
        }
    }
}
