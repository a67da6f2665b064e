//! Reverse compensation: something that was given is taken back. What stands is not changed: the reversal is an
//! entry of its own, made by somebody else than who promised it.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::budget::{Account, Books};
use crate::domain::compensation::{Compensation, CompensationState};
use crate::domain::lifecycle::Command;
use crate::domain::tally::{Tally, Whose};
use crate::domain::{Case, CaseFile, CompensationId, Cx, Desk, Event, Outcome, Refusal};

/// Take it back.
#[derive(Clone, Debug)]
pub struct ReverseCompensation {
    /// The complaint.
    pub case: Case,
    /// The compensation.
    pub compensation: CompensationId,
    /// Code of the reason.
    pub reason_code: String,
}

impl Verb<Ticketing> for ReverseCompensation {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::ReverseCompensation)?;
        let all = &complaint.story.compensations;
        let Some(given) = all.iter().find(|one| one.id == self.compensation).cloned() else {
            refuse!(Refusal::CompensationNotFound)
        };
        let issued = matches!(given.state, CompensationState::Issued { .. }) && given.reverses.is_none();
        ensure!(issued && all.iter().all(|one| one.reverses != Some(given.id)), Refusal::NotReversible);
        ensure!(given.promised_by != cx.by, Refusal::OwnApproval);

        let reversal = CompensationId(cx.new_id());
        complaint.story.compensations.push(Compensation {
            id: reversal,
            state: CompensationState::Issued { at_us: cx.now_us },
            approved_at_us: cx.now_us,
            promised_by: cx.by.to_owned(),
            reverses: Some(given.id),
            ..given.clone()
        });
        let event = Event::CompensationReversed {
            complaint: complaint.id,
            compensation: reversal,
            reverses: given.id,
            customer: complaint.customer,
            branch: complaint.branch,
            terms: given.terms.clone(),
            reason_code: self.reason_code.clone(),
        };
        complaint.step(next, event, &mut desk.history, cx);
        if let Some(hold) = &given.hold {
            let mut books = Books { budgets: &mut desk.budgets, entries: &mut desk.budget_entries };
            books.shift(hold, Account::Spent, Account::Available, complaint.id, cx)?;
        }
        let (unit, _) = given.terms.amount();
        if let Some(customer) = complaint.customer {
            Tally::take_out(&mut desk.tallies, Whose::Customer(customer), unit, given.id)?;
        }
        Tally::take_out(&mut desk.tallies, Whose::Agent(&given.promised_by), unit, given.id)?;
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, reversal};

    #[test]
    fn a_reversal_is_a_new_entry_made_once_by_somebody_else() {
        let (mut stage, case) = Stage::at(State::Resolved);
        let before = stage.complaint(&case).story.compensations;
        let verb = reversal(&stage.complaint(&case), case);
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::OwnApproval);
        stage.as_somebody("boss");
        let after = stage.play(&verb).unwrap().complaint;
        assert_eq!((after.state, &after.story.compensations[..1]), (State::Resolved, &before[..]));
        assert_eq!(after.story.compensations[1].reverses, Some(before[0].id));
        assert!(
            matches!(&stage.told()[..], [Event::CompensationReversed { reverses, .. }] if *reverses == before[0].id)
        );
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::NotReversible);
    }
}
