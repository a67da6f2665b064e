//! Reclassify: it is no complaint but another kind of case. That must not hide a complaint: under a regulation a
//! second person agrees, and somebody who is not satisfied has a complaint whatever it is called.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::class::CaseKind;
use crate::domain::complaint::WaitingOn;
use crate::domain::interaction::{Direction, Extras, Interaction, Words};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// It is another kind of case.
#[derive(Clone, Debug)]
pub struct Reclassify {
    /// The complaint.
    pub case: Case,
    /// What it is.
    pub kind: CaseKind,
    /// Somebody is not satisfied.
    pub dissatisfied: bool,
    /// Why, in words; they are put on record among us.
    pub reason: String,
}

impl Verb<Ticketing> for Reclassify {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Reclassify)?;
        ensure!(self.kind != CaseKind::Complaint, Refusal::NotAnotherKind);
        let regulated = complaint.story.class.regime.is_some();
        ensure!(!(regulated && self.dissatisfied), Refusal::StillAComplaint);

        let asked = complaint.story.class.asked_for.clone().filter(|(kind, _)| *kind == self.kind);
        let by_the_same = asked.as_ref().is_some_and(|(_, by)| by == cx.by);
        ensure!(!(regulated && by_the_same), Refusal::SecondPersonNeeded);

        let words = Words {
            direction: Direction::Internal,
            channel: None,
            body: self.reason.clone(),
            external_message_id: None,
            occurred_at_us: cx.now_us,
            extras: Extras::default(),
        };
        Interaction::record(words, complaint, &mut desk.interactions, &mut desk.history, cx);
        let (id, class) = (complaint.id, &mut complaint.story.class);
        if regulated && asked.is_none() {
            class.asked_for = Some((self.kind, cx.by.to_owned()));
            let event = Event::ReclassificationRequested { complaint: id, kind: self.kind };
            complaint.tell(event, &mut desk.history, cx);
        } else {
            class.asked_for = None;
            class.kind = self.kind;
            complaint.story.waiting_on = WaitingOn::Nobody;
            let (customer, branch) = (complaint.customer, complaint.branch);
            let event = Event::Reclassified { complaint: id, kind: self.kind, customer, branch };
            complaint.step(next, event, &mut desk.history, cx);
        }
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::Stage;

    fn question(case: Case) -> Reclassify {
        Reclassify { case, kind: CaseKind::Query, dissatisfied: false, reason: "asks for opening hours".to_owned() }
    }

    #[test]
    fn what_falls_under_no_regulation_is_reclassified_at_once() {
        let (mut stage, case) = Stage::at(State::Understood);
        let complaint = stage.play(&question(case)).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.class.kind), (State::Reclassified, CaseKind::Query));
        assert!(matches!(
            stage.told()[..],
            [Event::InteractionAdded { .. }, Event::Reclassified { kind: CaseKind::Query, .. }]
        ));
    }

    #[test]
    fn a31_reclassifying_cannot_hide_a_regulated_complaint() {
        let (mut stage, case) = Stage::at(State::Received);
        stage.edit(&case, |complaint| complaint.story.class.regime = Some("DISP".to_owned()));
        let unhappy = Reclassify { dissatisfied: true, ..question(case.clone()) };
        assert_eq!(stage.play(&unhappy).unwrap_err(), Refusal::StillAComplaint);

        let asked = stage.play(&question(case.clone())).unwrap().complaint;
        assert_eq!((asked.state, asked.story.class.kind), (State::Received, CaseKind::Complaint));
        assert!(matches!(stage.told()[..], [Event::InteractionAdded { .. }, Event::ReclassificationRequested { .. }]));
        assert_eq!(stage.play(&question(case.clone())).unwrap_err(), Refusal::SecondPersonNeeded);
        stage.as_somebody("boss");
        assert_eq!(stage.play(&question(case)).unwrap().complaint.state, State::Reclassified);
    }

    #[test]
    fn a_complaint_is_not_reclassified_as_one() {
        let (mut stage, case) = Stage::at(State::Received);
        let verb = Reclassify { kind: CaseKind::Complaint, ..question(case) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::NotAnotherKind);
    }
}
