//! Start investigation: someone begins to look for the cause.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// We look for the cause.
#[derive(Clone, Debug)]
pub struct StartInvestigation {
    /// The complaint.
    pub case: Case,
}

impl Verb<Ticketing> for StartInvestigation {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::StartInvestigation)?;
        let Some(owner) = complaint.owner else { refuse!(Refusal::OwnerNeeded) };
        ensure!(!complaint.story.recused.contains(&owner), Refusal::Recused);

        let event = Event::InvestigationStarted { complaint: complaint.id, owner };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{GRACE, Stage};
    use crate::domain::verbs::Assign;

    #[test]
    fn somebody_must_own_it() {
        let (mut stage, case) = Stage::at(State::Understood);
        stage.edit(&case, |complaint| complaint.owner = None);
        let verb = StartInvestigation { case: case.clone() };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::OwnerNeeded);
        stage.play(&Assign { case, owner: GRACE }).unwrap();
        assert_eq!(stage.play(&verb).unwrap().complaint.state, State::Investigating);
    }
}
