//! Offer proposals: the customer gets solutions to choose from. What the offering person may promise is
//! checked here, so that an offer never has to be taken back.

use std::sync::Arc;

use commit::{Stop, Verb};

use crate::Ticketing;
use crate::domain::branch::Branch;
use crate::domain::compensation::{Authority, Terms};
use crate::domain::complaint::WaitingOn;
use crate::domain::desk::branch_of;
use crate::domain::lifecycle::Command;
use crate::domain::proposal::{Proposal, ProposalSet, SetState, Solution};
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Policy, ProposalId, ProposalSetId, Refusal};

/// Choose one of these.
#[derive(Clone, Debug)]
pub struct OfferProposals {
    /// The complaint.
    pub case: Case,
    /// The solutions.
    pub solutions: Vec<Solution>,
    /// From when on the customer may not choose any more.
    pub expires_at_us: Option<i64>,
    /// How much whoever offers may promise.
    pub authority: Authority,
    /// The limits.
    pub policy: Arc<Policy>,
}

impl OfferProposals {
    /// Whether we can stand by every solution.
    fn check(&self, has_customer: bool, branch: &Branch, now_us: i64) -> Result<(), Refusal> {
        if self.expires_at_us.is_some_and(|end_us| end_us <= now_us) {
            return Err(Refusal::ExpiryPassed);
        }
        for (proposal, solution) in self.solutions.iter().enumerate() {
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
            let Some(terms) = &solution.compensation else { continue };
            if matches!(terms, Terms::Points(_)) && !has_customer {
                return Err(Refusal::CustomerNeeded);
            }
            if !self.authority.covers(terms, &self.policy) {
                return Err(Refusal::AboveAuthority { proposal });
            }
        }
        Ok(())
    }
}

impl Verb<Ticketing> for OfferProposals {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::OfferProposals)?;
        let branch = branch_of(&mut desk.branches, complaint.branch)?;
        self.check(complaint.customer.is_some(), branch, cx.now_us).map_err(Stop::Refused)?;

        let sets = &mut complaint.story.proposal_sets;
        if let Some(last) = sets.last_mut() {
            last.give_way(cx.now_us);
        }
        let set = ProposalSetId(cx.new_id());
        let round = i32::try_from(sets.len()).unwrap_or(i32::MAX).saturating_add(1);
        let proposals = self.solutions.iter().map(|solution| Proposal {
            id: ProposalId(cx.new_id()),
            kind: solution.kind,
            description: solution.description.clone(),
            cost: solution.cost,
            compensation: solution.compensation.clone(),
            fulfil_by_us: solution.fulfil_by_us,
        });
        sets.push(ProposalSet {
            id: set,
            round,
            state: SetState::Offered,
            proposals: proposals.collect(),
            offered_at_us: cx.now_us,
            expires_at_us: self.expires_at_us,
        });
        complaint.story.waiting_on = WaitingOn::Customer;
        let kinds = self.solutions.iter().map(|solution| solution.kind).collect();
        let expires_at_us = self.expires_at_us;
        let event = Event::ProposalsOffered { complaint: complaint.id, set, round, kinds, expires_at_us };
        complaint.step(next, event, &mut desk.history, cx);
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
    fn an_offer_must_end_in_the_future() {
        let (mut stage, case) = Stage::at(State::Proposing);
        let verb = OfferProposals { expires_at_us: Some(stage.now_us()), ..offer(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ExpiryPassed);
    }
}
