//! Assign: a complaint gets an owner.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal, StaffId};

/// This person takes care of it.
#[derive(Clone, Debug)]
pub struct Assign {
    /// The complaint.
    pub case: Case,
    /// Who takes care of it.
    pub owner: StaffId,
}

impl Verb<Ticketing> for Assign {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Assign)?;
        ensure!(complaint.owner != Some(self.owner), Refusal::AlreadyAssigned);
        ensure!(!complaint.story.recused.contains(&self.owner), Refusal::Recused);
        let known = desk.staff.get(self.owner)?;
        ensure!(!known.is_some_and(|staff| staff.left), Refusal::StaffLeft);
        if known.is_some()
            && let Some(staff) = desk.staff.edit(self.owner)?
        {
            staff.give(complaint.id, cx.now_us);
        }

        let from = complaint.owner.replace(self.owner);
        let event = Event::Assigned { complaint: complaint.id, from, to: self.owner };
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

    #[test]
    fn the_same_owner_twice_is_refused_and_another_takes_over() {
        let (mut stage, case) = Stage::at(State::Received);
        let to = StaffId(uuid::Uuid::from_u128(8));
        stage.play(&Assign { case: case.clone(), owner: GRACE }).unwrap();
        let again = stage.play(&Assign { case: case.clone(), owner: GRACE });
        assert_eq!(again.unwrap_err(), Refusal::AlreadyAssigned);
        stage.told();
        let file = stage.play(&Assign { case, owner: to }).unwrap();
        assert_eq!(file.complaint.state, State::Received);
        assert_eq!(stage.told(), [Event::Assigned { complaint: file.complaint.id, from: Some(GRACE), to }]);
    }
}
