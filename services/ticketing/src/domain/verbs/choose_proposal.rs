//! Choose proposal: the customer decides. The promise is made and the compensation agreed in the same step.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::budget::Hold;
use crate::domain::compensation::{Compensation, CompensationState};
use crate::domain::complaint::WaitingOn;
use crate::domain::lifecycle::Command;
use crate::domain::mandate::Unit;
use crate::domain::promise::{Promise, PromiseState, Room};
use crate::domain::proposal::{Choice, ChoiceMaker, SetState};
use crate::domain::tally::{Line, Tally, Whose};
use crate::domain::{Case, CaseFile, CompensationId, Cx, Desk, Event, Outcome, PromiseId, ProposalId, Refusal};

use super::offering::release;

/// This one.
#[derive(Clone, Debug)]
pub struct ChooseProposal {
    /// The complaint.
    pub case: Case,
    /// The proposal.
    pub proposal: ProposalId,
    /// Who chose.
    pub by: ChoiceMaker,
    /// How the customer agreed, if an agent records it.
    pub consent_note: String,
}

impl Verb<Ticketing> for ChooseProposal {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::ChooseProposal)?;
        let owner = complaint.owner;
        let Some(set) = complaint.story.proposal_sets.last_mut() else { refuse!(Refusal::ProposalNotFound) };
        ensure!(!set.is_expired(cx.now_us), Refusal::ProposalsExpired);
        let Some(proposal) = set.proposals.iter().find(|proposal| proposal.id == self.proposal).cloned() else {
            refuse!(Refusal::ProposalNotFound)
        };
        let says_how = self.by != ChoiceMaker::AgentWithConsent || !self.consent_note.is_empty();
        ensure!(says_how, Refusal::ConsentNeeded);

        set.state = SetState::Chosen(Choice {
            proposal: proposal.id,
            by: self.by,
            consent_note: self.consent_note.clone(),
            at_us: cx.now_us,
        });
        let (promised_by, mut holds) = (set.offered_by.clone(), std::mem::take(&mut set.holds));
        let set = set.id;
        complaint.story.waiting_on = WaitingOn::Nobody;
        let id = complaint.id;
        let event = Event::ProposalChosen { complaint: id, set, proposal: proposal.id, kind: proposal.kind };
        complaint.step(next, event, &mut desk.history, cx);

        let promise = Promise {
            id: PromiseId(cx.new_id()),
            proposal: Some(proposal.id),
            text: proposal.description,
            state: PromiseState::Open,
            due_at_us: proposal.fulfil_by_us,
            owner,
            made_at_us: cx.now_us,
        };
        promise.make(complaint, Room { deadlines: &mut desk.deadlines, history: &mut desk.history }, cx);

        if let Some(terms) = proposal.compensation {
            let compensation = CompensationId(cx.new_id());
            let (unit, amount) = terms.amount();
            let customer = complaint.customer;
            let line = Line { compensation, amount, at_us: cx.now_us };
            for whose in customer.map(Whose::Customer).into_iter().chain([Whose::Agent(&promised_by)]) {
                Tally::add(&mut desk.tallies, whose, unit, line)?;
            }
            complaint.story.compensations.push(Compensation {
                id: compensation,
                proposal: proposal.id,
                terms: terms.clone(),
                approved_at_us: cx.now_us,
                state: CompensationState::Approved,
                promised_by,
                hold: keep(&mut holds, unit, amount),
                reverses: None,
            });
            let event =
                Event::CompensationApproved { complaint: id, compensation, customer, branch: complaint.branch, terms };
            complaint.tell(event, &mut desk.history, cx);
        }
        release(holds, id, desk, cx)?;
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// Takes `amount` out of what is held of `unit`; what is left in `holds` is not needed.
fn keep(holds: &mut [Hold], unit: Unit, amount: i64) -> Option<Hold> {
    let held = holds.iter_mut().find(|held| held.unit == unit)?;
    held.amount = held.amount.saturating_sub(amount);
    Some(Hold { amount, ..*held })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, choice, offer};
    use crate::domain::verbs::OfferProposals;

    #[test]
    fn the_choice_makes_a_promise_and_agrees_the_compensation() {
        let (mut stage, case) = Stage::at(State::Offered);
        let verb = choice(&stage.complaint(&case), case.clone());
        let complaint = stage.play(&verb).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.chosen_proposal()), (State::Fulfilling, Some(verb.proposal)));
        assert!(complaint.story.has_open_promise() && complaint.story.has_pending_compensation());
        let told = stage.told();
        assert!(matches!(
            &told[..],
            [Event::ProposalChosen { .. }, Event::PromiseMade { .. }, Event::CompensationApproved { customer, .. }]
                if *customer == complaint.customer
        ));
    }

    #[test]
    fn an_offer_ends_to_the_microsecond() {
        for (late_us, refusal) in [(-1, None), (0, Some(Refusal::ProposalsExpired))] {
            let (mut stage, case) = Stage::at(State::Proposing);
            let end_us = stage.now_us() + HOUR_US;
            stage.play(&OfferProposals { expires_at_us: Some(end_us), ..offer(case.clone()) }).unwrap();
            stage.pass(HOUR_US + late_us);
            let verb = choice(&stage.complaint(&case), case);
            assert_eq!(stage.play(&verb).err(), refusal);
        }
    }

    #[test]
    fn a27_two_choices_at_once_one_wins() {
        let (mut stage, case) = Stage::at(State::Offered);
        let first = choice(&stage.complaint(&case), case.clone());
        let second = ChooseProposal {
            proposal: stage.complaint(&case).story.proposal_sets[0].proposals[1].id,
            ..choice(&stage.complaint(&case), case.clone())
        };
        stage.play(&first).unwrap();
        let refusal = Refusal::WrongState { command: Command::ChooseProposal, state: State::Fulfilling };
        assert_eq!(stage.play(&second).unwrap_err(), refusal);
        assert_eq!(stage.complaint(&case).story.promises.len(), 1);
    }

    #[test]
    fn only_what_is_on_offer_can_be_chosen() {
        let (mut stage, case) = Stage::at(State::Offered);
        let earlier = choice(&stage.complaint(&case), case.clone());
        stage.play(&offer(case)).unwrap();
        assert_eq!(stage.play(&earlier).unwrap_err(), Refusal::ProposalNotFound);
    }

    #[test]
    fn an_agent_says_how_the_customer_agreed() {
        let (mut stage, case) = Stage::at(State::Offered);
        let mut verb = choice(&stage.complaint(&case), case);
        verb.by = ChoiceMaker::AgentWithConsent;
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ConsentNeeded);
        verb.consent_note = "on the phone".to_owned();
        assert!(stage.play(&verb).is_ok());
    }
}
