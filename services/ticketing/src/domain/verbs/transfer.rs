//! Transfer: another branch handles it from now on. Its clocks keep what they consumed and run by other hours; whoever
//! reaches the old branch alone does not see it any more.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::desk::branch_of;
use crate::domain::lifecycle::Command;
use crate::domain::{BranchId, Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// Another branch handles it.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// The complaint.
    pub case: Case,
    /// The branch.
    pub to: BranchId,
    /// Code of the reason.
    pub reason_code: String,
}

impl Verb<Ticketing> for Transfer {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Transfer)?;
        ensure!(complaint.branch != self.to, Refusal::AlreadySo);
        ensure!(!branch_of(&mut desk.branches, self.to)?.closed, Refusal::BranchClosed);

        let from = std::mem::replace(&mut complaint.branch, self.to);
        // Whoever had it belongs to the old branch; the new one gives it to somebody of its own.
        complaint.owner = None;
        let event =
            Event::Transferred { complaint: complaint.id, from, to: self.to, reason_code: self.reason_code.clone() };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::BranchScope;

    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{KIGALI, LONDON, Stage, transferring, words};

    #[test]
    fn a65_whoever_reaches_the_old_branch_alone_sees_it_no_more() {
        let (mut stage, case) = Stage::at(State::Investigating);
        let here = Case { scope: BranchScope::only([KIGALI.uuid()]), ..case.clone() };
        let moved = stage.play(&transferring(here.clone())).unwrap().complaint;
        assert_eq!((moved.branch, moved.owner, moved.state), (LONDON, None, State::Investigating));
        assert!(matches!(&stage.told()[..], [Event::Transferred { from: KIGALI, to: LONDON, .. }]));
        assert_eq!(stage.play(&words(here)).unwrap_err(), Refusal::ComplaintNotFound);
        let there = Case { scope: BranchScope::only([LONDON.uuid()]), ..case };
        assert!(stage.play(&words(there)).is_ok());
    }

    #[test]
    fn it_goes_to_another_branch_that_works() {
        let (mut stage, case) = Stage::at(State::Received);
        let same = Transfer { to: KIGALI, ..transferring(case.clone()) };
        assert_eq!(stage.play(&same).unwrap_err(), Refusal::AlreadySo);
        let nowhere = Transfer { to: BranchId(uuid::Uuid::from_u128(77)), ..transferring(case.clone()) };
        assert_eq!(stage.play(&nowhere).unwrap_err(), Refusal::BranchUnknown);
        stage.edit_branch(LONDON, |branch| branch.closed = true);
        assert_eq!(stage.play(&transferring(case)).unwrap_err(), Refusal::BranchClosed);
    }
}
