//! Counter proposals: the customer takes none of the solutions, and may say what they would rather have.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::complaint::WaitingOn;
use crate::domain::lifecycle::Command;
use crate::domain::proposal::SetState;
use crate::domain::routing::Trigger;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

use super::escalate::rise;
use super::offering::release;

/// Offers that the customer took none of, after which it goes to a higher place.
const RISES_AT_ROUND: usize = 3;

/// None of these.
#[derive(Clone, Debug)]
pub struct CounterProposals {
    /// The complaint.
    pub case: Case,
    /// What the customer would rather have; empty if nothing was said.
    pub wish: String,
}

impl Verb<Ticketing> for CounterProposals {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::CounterProposals)?;
        let id = complaint.id;
        let Some(set) = complaint.story.proposal_sets.last_mut() else { refuse!(Refusal::ProposalNotFound) };
        ensure!(set.state == SetState::Offered, Refusal::ProposalNotFound);

        set.state = SetState::Countered { wish: self.wish.clone(), at_us: cx.now_us };
        let holds = std::mem::take(&mut set.holds);
        let event =
            Event::ProposalsCountered { complaint: id, set: set.id, round: set.round, wished: !self.wish.is_empty() };
        complaint.story.waiting_on = WaitingOn::Nobody;
        complaint.step(next, event, &mut desk.history, cx);
        let rounds = complaint.story.proposal_sets.iter().filter(|set| matches!(set.state, SetState::Countered { .. }));
        let rounds = rounds.count();
        release(holds, id, desk, cx)?;
        if rounds == RISES_AT_ROUND {
            rise(id, Trigger::ThirdRound, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, offer};

    #[test]
    fn a_wish_is_on_record_and_another_round_follows() {
        let (mut stage, case) = Stage::at(State::Offered);
        let verb = CounterProposals { case: case.clone(), wish: "Both of them".to_owned() };
        let countered = stage.play(&verb).unwrap().complaint;
        assert_eq!((countered.state, countered.story.waiting_on), (State::Proposing, WaitingOn::Nobody));
        assert!(matches!(stage.told()[..], [Event::ProposalsCountered { round: 1, wished: true, .. }]));
        let again = stage.play(&offer(case)).unwrap().complaint.story.proposal_sets;
        assert!(matches!(&again[0].state, SetState::Countered { wish, .. } if wish == "Both of them"));
        assert_eq!(again[1].round, 2);
    }
}
