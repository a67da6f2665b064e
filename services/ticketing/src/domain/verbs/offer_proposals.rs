//! Offer proposals: the customer gets solutions to choose from. What the offering person may promise is checked
//! here and the budget reserved, so that an offer never has to be taken back. What is more than they may
//! promise alone waits for somebody else, if they ask for that.

use std::sync::Arc;

use commit::{Stop, Verb, ensure};

use crate::Ticketing;
use crate::domain::branch::Branch;
use crate::domain::compensation::{Authority, Terms};
use crate::domain::complaint::WaitingOn;
use crate::domain::desk::branch_of;
use crate::domain::lifecycle::Command;
use crate::domain::plain_language::blaming;
use crate::domain::proposal::{Proposal, ProposalSet, SetState, Solution};
use crate::domain::ruling::Bench;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Policy, ProposalId, ProposalSetId, Refusal};

use super::offering::{put_on_offer, release};

/// Choose one of these.
#[derive(Clone, Debug)]
pub struct OfferProposals {
    /// The complaint.
    pub case: Case,
    /// The solutions.
    pub solutions: Vec<Solution>,
    /// From when on the customer may not choose any more.
    pub expires_at_us: Option<i64>,
    /// How much whoever offers may promise where no branch has rules.
    pub authority: Authority,
    /// What is more than they may promise waits for somebody else; otherwise it is refused.
    pub request_approval: bool,
    /// The limits of the house.
    pub policy: Arc<Policy>,
}

impl OfferProposals {
    /// Whether every solution is one that can be offered at all.
    fn check(&self, has_customer: bool, branch: &Branch, now_us: i64) -> Result<(), Refusal> {
        if self.expires_at_us.is_some_and(|end_us| end_us <= now_us) {
            return Err(Refusal::ExpiryPassed);
        }
        for (proposal, solution) in self.solutions.iter().enumerate() {
            if let Some(phrase) = blaming(&solution.description) {
                return Err(Refusal::BlamesCustomer { field: "proposals", phrase });
            }
            if solution.fulfil_by_us.is_some_and(|by_us| by_us <= now_us) {
                return Err(Refusal::PromisePast { proposal });
            }
            let worth = match &solution.compensation {
                Some(Terms::Worth { amount, .. }) => Some(*amount),
                _ => None,
            };
            for amount in [worth, solution.cost].into_iter().flatten() {
                if amount.minor <= 0 {
                    return Err(Refusal::AmountNotPositive { proposal });
                }
                if amount.currency != branch.currency {
                    return Err(Refusal::CurrencyMismatch { proposal });
                }
            }
            if matches!(solution.compensation, Some(Terms::Points(_))) && !has_customer {
                return Err(Refusal::CustomerNeeded);
            }
        }
        Ok(())
    }

    /// The solutions as a set of the next round.
    fn set(&self, earlier: usize, cx: &mut Cx<'_>) -> ProposalSet {
        let proposals = self.solutions.iter().map(|solution| Proposal {
            id: ProposalId(cx.new_id()),
            kind: solution.kind,
            description: solution.description.clone(),
            cost: solution.cost,
            compensation: solution.compensation.clone(),
            fulfil_by_us: solution.fulfil_by_us,
        });
        let proposals = proposals.collect();
        ProposalSet {
            id: ProposalSetId(cx.new_id()),
            round: i32::try_from(earlier).unwrap_or(i32::MAX).saturating_add(1),
            state: SetState::Offered,
            proposals,
            offered_at_us: cx.now_us,
            expires_at_us: self.expires_at_us,
            offered_by: cx.by.to_owned(),
            approved_by: Vec::new(),
            split: false,
            holds: Vec::new(),
        }
    }
}

impl Verb<Ticketing> for OfferProposals {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let bench = Bench::load(&self.case, desk, cx.now_us)?;
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::OfferProposals)?;
        let branch = branch_of(&mut desk.branches, complaint.branch)?;
        self.check(complaint.customer.is_some(), branch, cx.now_us).map_err(Stop::Refused)?;

        let mut set = self.set(complaint.story.proposal_sets.len(), cx);
        let mut missing = 0;
        for (place, solution) in self.solutions.iter().enumerate() {
            let Some(terms) = &solution.compensation else { continue };
            let (staff, tallies) = (&mut desk.staff, &mut desk.tallies);
            let ruling = bench.rule(terms, (cx.by, self.authority), &self.policy, (staff, tallies), cx.now_us)?;
            ensure!(ruling.missing == 0 || self.request_approval, Refusal::AboveAuthority { proposal: place });
            missing = ruling.missing.max(missing);
            set.split |= ruling.split;
        }
        let stands = complaint.state == next && missing > 0;
        ensure!(!stands, Refusal::OfferStanding);
        let (complaint_id, id, round, split) = (complaint.id, set.id, set.round, set.split);
        let holds = complaint.story.proposal_sets.last_mut().map(|last| last.give_way(cx.now_us));
        if missing > 0 {
            set.state = SetState::Pending { missing };
            complaint.story.waiting_on = WaitingOn::Approval;
            complaint.story.proposal_sets.push(set);
            let missing = i32::from(missing);
            let event = Event::ApprovalRequested { complaint: complaint_id, set: id, round, missing, split };
            complaint.tell(event, &mut desk.history, cx);
        } else {
            complaint.story.proposal_sets.push(set);
            release(holds.unwrap_or_default(), complaint_id, desk, cx)?;
            put_on_offer(complaint_id, next, desk, cx)?;
        }
        let complaint = self.case.see(&mut desk.complaints)?;
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::{HOUR_US, Money, Points};

    use super::*;
    use crate::domain::compensation::Good;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, offer};

    fn worth(currency: &str, minor: i64) -> Option<Terms> {
        Some(Terms::Worth { good: Good::Voucher, amount: Money::new(currency.parse().unwrap(), minor) })
    }

    #[test]
    fn we_offer_only_what_we_can_stand_by() {
        for (compensation, refusal) in [
            (Some(Terms::Points(Points(1_000))), None),
            (Some(Terms::Points(Points(1_001))), Some(Refusal::AboveAuthority { proposal: 1 })),
            (worth("RWF", 20_000), None),
            (worth("RWF", 20_001), Some(Refusal::AboveAuthority { proposal: 1 })),
            (worth("RWF", 0), Some(Refusal::AmountNotPositive { proposal: 1 })),
            (worth("GBP", 5), Some(Refusal::CurrencyMismatch { proposal: 1 })),
        ] {
            let (mut stage, case) = Stage::at(State::Proposing);
            let mut verb = offer(case);
            verb.solutions[1].compensation = compensation.clone();
            assert_eq!(stage.play(&verb).err(), refusal, "{compensation:?}");
        }
    }

    #[test]
    fn an_approver_may_promise_more() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let mut verb = OfferProposals { authority: Authority::Approver, ..offer(case) };
        verb.solutions[0].compensation = Some(Terms::Points(Points(50_000)));
        assert!(stage.play(&verb).is_ok());
    }

    #[test]
    fn points_need_somebody_to_get_them() {
        let (mut stage, case) = Stage::at(State::Proposing);
        stage.edit(&case, |complaint| complaint.customer = None);
        assert_eq!(stage.play(&offer(case)).unwrap_err(), Refusal::CustomerNeeded);
    }

    #[test]
    fn a_second_round_takes_the_place_of_the_first() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let end_us = stage.now_us() + HOUR_US;
        stage.play(&OfferProposals { expires_at_us: Some(end_us), ..offer(case.clone()) }).unwrap();
        stage.play(&offer(case.clone())).unwrap();
        stage.pass(HOUR_US);
        let sets = stage.play(&offer(case)).unwrap().complaint.story.proposal_sets;
        let states: Vec<_> = sets.iter().map(|set| (set.round, set.state.clone())).collect();
        assert_eq!(states, [(1, SetState::Withdrawn), (2, SetState::Withdrawn), (3, SetState::Offered)]);
    }

    #[test]
    fn what_blames_or_is_past_is_not_offered() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let mut verb = offer(case);
        verb.solutions[1].description = "Although it was your fault: your money back".to_owned();
        assert!(matches!(stage.play(&verb).unwrap_err(), Refusal::BlamesCustomer { .. }));
        verb.solutions[1].description = "Your money back".to_owned();
        verb.solutions[1].fulfil_by_us = Some(stage.now_us());
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::PromisePast { proposal: 1 });
    }

    #[test]
    fn an_offer_must_end_in_the_future() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let verb = OfferProposals { expires_at_us: Some(stage.now_us()), ..offer(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ExpiryPassed);
    }
}
