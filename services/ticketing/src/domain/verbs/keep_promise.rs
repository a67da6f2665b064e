//! Keep promise: something that we said we would do is done. What people hand over beside it reaches the
//! customer with it; points come by their own way.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::compensation::CompensationState;
use crate::domain::lifecycle::Command;
use crate::domain::promise::PromiseState;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, PromiseId, Refusal};

use super::offering::spend;

/// It is done.
#[derive(Clone, Debug)]
pub struct KeepPromise {
    /// The complaint.
    pub case: Case,
    /// The promise.
    pub promise: PromiseId,
    /// Reference to the proof, if there is one.
    pub proof: Option<String>,
}

impl Verb<Ticketing> for KeepPromise {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::KeepPromise)?;
        let promises = &mut complaint.story.promises;
        let Some(promise) = promises.iter_mut().find(|promise| promise.id == self.promise) else {
            refuse!(Refusal::PromiseNotFound)
        };
        ensure!(promise.state.is_owed(), Refusal::PromiseNotOpen);

        promise.state = PromiseState::Kept { at_us: cx.now_us, proof: self.proof.clone() };
        let (id, proposal) = (complaint.id, promise.proposal);
        complaint.step(next, Event::PromiseKept { complaint: id, promise: self.promise }, &mut desk.history, cx);

        let handed_over = complaint.story.compensations.iter_mut().find(|compensation| {
            Some(compensation.proposal) == proposal
                && compensation.terms.is_handed_over()
                && compensation.state == CompensationState::Approved
        });
        if let Some(compensation) = handed_over {
            compensation.state = CompensationState::Issued { at_us: cx.now_us };
            let hold = compensation.hold;
            let event = Event::CompensationIssued { complaint: id, compensation: compensation.id };
            complaint.tell(event, &mut desk.history, cx);
            spend(hold, id, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::Money;

    use super::*;
    use crate::domain::compensation::{Good, Terms};
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, keeping};

    #[test]
    fn a_promise_is_kept_once() {
        let (mut stage, case) = Stage::at(State::Fulfilling);
        let verb = keeping(&stage.complaint(&case), case);
        assert!(!stage.play(&verb).unwrap().complaint.story.has_open_promise());
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::PromiseNotOpen);
        let unknown = KeepPromise { promise: PromiseId(uuid::Uuid::from_u128(5)), ..verb };
        assert_eq!(stage.play(&unknown).unwrap_err(), Refusal::PromiseNotFound);
    }

    #[test]
    fn points_come_by_their_own_way_and_a_voucher_with_the_promise() {
        let voucher = Terms::Worth { good: Good::Voucher, amount: Money::new("RWF".parse().unwrap(), 5_000) };
        for (terms, pending, events) in [(None, true, 1), (Some(voucher), false, 2)] {
            let (mut stage, case) = Stage::at(State::Fulfilling);
            if let Some(terms) = terms {
                stage.edit(&case, |complaint| complaint.story.compensations[0].terms = terms);
            }
            let verb = keeping(&stage.complaint(&case), case);
            assert_eq!(stage.play(&verb).unwrap().complaint.story.has_pending_compensation(), pending);
            assert_eq!(stage.told().len(), events);
        }
    }
}
