//! Show empathy, apologize: that we see how the customer feels, and that we are sorry. Both are on record apart
//! from who is liable.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::care::{Apology, Empathy};
use crate::domain::code::Channel;
use crate::domain::compensation::Authority;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// We see how you feel.
#[derive(Clone, Debug)]
pub struct ShowEmpathy {
    /// The complaint.
    pub case: Case,
    /// What was said; empty if not written down.
    pub words: String,
}

impl Verb<Ticketing> for ShowEmpathy {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::ShowEmpathy)?;

        let empathy = Empathy { words: self.words.clone(), by: cx.by.to_owned(), at_us: cx.now_us };
        complaint.story.care.empathies.push(empathy);
        complaint.step(next, Event::EmpathyShown { complaint: complaint.id }, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

/// We are sorry.
#[derive(Clone, Debug)]
pub struct Apologize {
    /// The complaint.
    pub case: Case,
    /// How it is said.
    pub channel: Channel,
    /// Code of the wording.
    pub wording: Option<String>,
    /// It admits that we are liable.
    pub admits_liability: bool,
    /// How much whoever says it may promise.
    pub authority: Authority,
}

impl Verb<Ticketing> for Apologize {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::Apologize)?;
        let may = !self.admits_liability || self.authority == Authority::Approver;
        ensure!(may, Refusal::LiabilityNeedsApprover);

        let Self { admits_liability, .. } = *self;
        let (channel, wording) = (Some(self.channel), self.wording.clone());
        Apology { channel, wording, admits_liability, by: cx.by.to_owned(), at_us: cx.now_us }.record(
            complaint,
            &mut desk.history,
            cx,
        );
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::Stage;

    #[test]
    fn empathy_is_no_apology() {
        let (mut stage, case) = Stage::at(State::Received);
        let care = stage.play(&ShowEmpathy { case, words: "That spoiled your day.".to_owned() }).unwrap();
        assert_eq!((care.complaint.story.care.empathies.len(), care.complaint.story.care.apologies.len()), (1, 0));
    }

    #[test]
    fn only_an_approver_admits_that_we_are_liable() {
        for (admits_liability, authority, refusal) in [
            (false, Authority::Limited, None),
            (true, Authority::Limited, Some(Refusal::LiabilityNeedsApprover)),
            (true, Authority::Approver, None),
        ] {
            let (mut stage, case) = Stage::at(State::Resolved);
            let verb = Apologize { case, channel: Channel::Phone, wording: None, admits_liability, authority };
            assert_eq!(stage.play(&verb).err(), refusal);
        }
    }
}
