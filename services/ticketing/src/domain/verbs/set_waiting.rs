//! Set waiting, set priority: for whom a complaint waits and how soon it is taken up. Both stand apart from its
//! state.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::class::Priority;
use crate::domain::complaint::WaitingOn;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// It waits for this one.
#[derive(Clone, Debug)]
pub struct SetWaiting {
    /// The complaint.
    pub case: Case,
    /// For whom.
    pub waiting_on: WaitingOn,
}

impl Verb<Ticketing> for SetWaiting {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::SetWaiting)?;
        let from = complaint.story.waiting_on;
        ensure!(from != self.waiting_on, Refusal::AlreadySo);

        complaint.story.waiting_on = self.waiting_on;
        let event = Event::WaitingChanged { complaint: complaint.id, from, to: self.waiting_on };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

/// It is taken up so soon.
#[derive(Clone, Debug)]
pub struct SetPriority {
    /// The complaint.
    pub case: Case,
    /// How soon.
    pub priority: Priority,
}

impl Verb<Ticketing> for SetPriority {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::SetPriority)?;
        let from = complaint.story.priority();
        ensure!(from != self.priority, Refusal::AlreadySo);

        complaint.story.class.priority = Some(self.priority);
        let event = Event::PriorityChanged { complaint: complaint.id, from, to: self.priority };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::interaction::Direction;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, words};
    use crate::domain::verbs::AddInteraction;

    #[test]
    fn words_of_the_customer_end_the_waiting_for_the_customer_alone() {
        for (waiting_on, after) in
            [(WaitingOn::Customer, WaitingOn::Nobody), (WaitingOn::ThirdParty, WaitingOn::ThirdParty)]
        {
            let (mut stage, case) = Stage::at(State::Investigating);
            let verb = SetWaiting { case: case.clone(), waiting_on };
            assert_eq!(stage.play(&verb).unwrap().complaint.state, State::Investigating);
            assert_eq!(stage.play(&verb).unwrap_err(), Refusal::AlreadySo);
            let added = stage.play(&AddInteraction { direction: Direction::Inbound, ..words(case) }).unwrap();
            assert_eq!(added.file.complaint.story.waiting_on, after);
        }
    }

    #[test]
    fn the_priority_is_that_of_the_severity_until_somebody_sets_it() {
        let (mut stage, case) = Stage::at(State::Received);
        let usual = SetPriority { case: case.clone(), priority: Priority::Normal };
        assert_eq!(stage.play(&usual).unwrap_err(), Refusal::AlreadySo);
        stage.play(&SetPriority { case, priority: Priority::Urgent }).unwrap();
        assert!(matches!(stage.told()[..], [Event::PriorityChanged { to: Priority::Urgent, .. }]));
    }
}
