//! Settle compensation: the service that gives points says whether the customer has them. A compensation
//! that failed leads back to looking for a solution.

use commit::{Verb, refuse};

use crate::Ticketing;
use crate::domain::compensation::CompensationState;
use crate::domain::lifecycle::State;
use crate::domain::tally::{Tally, Whose};
use crate::domain::{CompensationId, ComplaintId, Cx, Desk, Event, Outcome, Refusal};

use super::offering::{release, spend};

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The customer has it.
    Granted,
    /// It could not be given.
    Refused {
        /// Why, as the giver says.
        reason: String,
    },
}

/// This became of a compensation. Told a second time it changes nothing.
#[derive(Clone, Debug)]
pub struct SettleCompensation {
    /// The complaint.
    pub complaint: ComplaintId,
    /// The compensation.
    pub compensation: CompensationId,
    /// What became of it.
    pub settlement: Settlement,
}

impl Verb<Ticketing> for SettleCompensation {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let Some(complaint) = desk.complaints.get(self.complaint)? else { refuse!(Refusal::ComplaintNotFound) };
        let compensations = &complaint.story.compensations;
        let Some(place) = compensations.iter().position(|compensation| compensation.id == self.compensation) else {
            refuse!(Refusal::CompensationNotFound)
        };
        if compensations[place].state != CompensationState::Approved {
            return Ok(());
        }

        let Some(complaint) = desk.complaints.edit(self.complaint)? else { refuse!(Refusal::ComplaintNotFound) };
        let (id, compensation) = (complaint.id, self.compensation);
        let settled = &mut complaint.story.compensations[place];
        let (hold, promised_by, (unit, _)) = (settled.hold, settled.promised_by.clone(), settled.terms.amount());
        let (customer, state) = (complaint.customer, &mut settled.state);
        match &self.settlement {
            Settlement::Granted => {
                *state = CompensationState::Issued { at_us: cx.now_us };
                complaint.tell(Event::CompensationIssued { complaint: id, compensation }, &mut desk.history, cx);
                spend(hold, id, desk, cx)?;
            }
            Settlement::Refused { reason } => {
                *state = CompensationState::Failed { reason: reason.clone() };
                let next = match complaint.state {
                    State::Fulfilling => State::Proposing,
                    other => other,
                };
                let event = Event::CompensationFailed { complaint: id, compensation, reason: reason.clone() };
                complaint.step(next, event, &mut desk.history, cx);
                for whose in customer.map(Whose::Customer).into_iter().chain([Whose::Agent(&promised_by)]) {
                    Tally::take_out(&mut desk.tallies, whose, unit, compensation)?;
                }
                release(hold.into_iter().collect(), id, desk, cx)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::stage::{Stage, settling};

    #[test]
    fn told_twice_it_counts_once() {
        let (mut stage, case) = Stage::at(State::Fulfilling);
        let verb = settling(&stage.complaint(&case), Settlement::Granted);
        for events in [1, 0] {
            stage.play(&verb).unwrap();
            assert_eq!(stage.told().len(), events);
        }
        assert!(!stage.complaint(&case).story.has_pending_compensation());
        assert_eq!(stage.complaint(&case).state, State::Fulfilling);
    }

    #[test]
    fn a_refusal_asks_for_another_solution_unless_the_case_is_over() {
        for (over, next) in [(false, State::Proposing), (true, State::Withdrawn)] {
            let (mut stage, case) = Stage::at(State::Fulfilling);
            let verb = settling(&stage.complaint(&case), Settlement::Refused { reason: "NO_PROGRAM".to_owned() });
            if over {
                stage.edit(&case, |complaint| complaint.state = State::Withdrawn);
            }
            stage.play(&verb).unwrap();
            assert_eq!(stage.complaint(&case).state, next);
            assert!(matches!(&stage.told()[..], [Event::CompensationFailed { reason, .. }] if reason == "NO_PROGRAM"));
        }
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let (mut stage, case) = Stage::at(State::Fulfilling);
        let known = settling(&stage.complaint(&case), Settlement::Granted);
        let other = uuid::Uuid::from_u128(9);
        let verb = SettleCompensation { compensation: CompensationId(other), ..known.clone() };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::CompensationNotFound);
        let verb = SettleCompensation { complaint: ComplaintId(other), ..known };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ComplaintNotFound);
    }
}
