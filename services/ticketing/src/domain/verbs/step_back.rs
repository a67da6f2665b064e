//! Step back, recuse: somebody does not work on a case any more, or must not. Both are hard rules for whoever is asked
//! next.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal, StaffId};

use super::route::ask_next;

/// Let somebody else deal with it.
#[derive(Clone, Debug)]
pub struct StepBack {
    /// The complaint.
    pub case: Case,
    /// Code of the reason.
    pub reason_code: String,
}

impl Verb<Ticketing> for StepBack {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::StepBack)?;
        let Some(staff) = complaint.owner.take() else { refuse!(Refusal::OwnerNeeded) };

        complaint.story.recused.push(staff);
        let event = Event::SteppedBack { complaint: complaint.id, staff, reason_code: self.reason_code.clone() };
        complaint.step(next, event, &mut desk.history, cx);
        ask_next(self.case.complaint, desk, cx)?;
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// It is about this person: they must not work on it.
#[derive(Clone, Debug)]
pub struct Recuse {
    /// The complaint.
    pub case: Case,
    /// Who.
    pub staff: StaffId,
}

impl Verb<Ticketing> for Recuse {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Recuse)?;
        ensure!(!complaint.story.recused.contains(&self.staff), Refusal::AlreadySo);

        complaint.story.recused.push(self.staff);
        let owned = complaint.owner == Some(self.staff);
        if owned {
            complaint.owner = None;
        }
        let event = Event::Recused { complaint: complaint.id, staff: self.staff };
        complaint.step(next, event, &mut desk.history, cx);
        if owned {
            ask_next(self.case.complaint, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}
