//! Withdraw: the customer takes the complaint back. What was said about it is put on record.

use commit::Verb;

use crate::Ticketing;
use crate::domain::complaint::WaitingOn;
use crate::domain::interaction::{Direction, Interaction, Words};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome};

/// Leave it.
#[derive(Clone, Debug)]
pub struct Withdraw {
    /// The complaint.
    pub case: Case,
    /// What the customer said.
    pub statement: String,
}

impl Verb<Ticketing> for Withdraw {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Withdraw)?;

        let words = Words {
            direction: Direction::Inbound,
            channel: complaint.channel,
            body: self.statement.clone(),
            external_message_id: None,
            occurred_at_us: cx.now_us,
        };
        Interaction::record(words, complaint, &mut desk.interactions, &mut desk.history, cx);
        if let Some(last) = complaint.story.proposal_sets.last_mut() {
            last.give_way(cx.now_us);
        }
        complaint.story.waiting_on = WaitingOn::Nobody;
        complaint.step(next, Event::Withdrawn { complaint: complaint.id }, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::proposal::SetState;
    use crate::domain::stage::Stage;

    #[test]
    fn the_statement_is_on_record_and_the_offer_is_gone() {
        let (mut stage, case) = Stage::at(State::Offered);
        let verb = Withdraw { case, statement: "It was my mistake.".to_owned() };
        let complaint = stage.play(&verb).unwrap().complaint;
        assert_eq!((complaint.state, complaint.story.interaction_count), (State::Withdrawn, 1));
        assert_eq!(complaint.story.proposal_sets[0].state, SetState::Withdrawn);
        assert!(matches!(&stage.told()[..], [Event::InteractionAdded { .. }, Event::Withdrawn { .. }]));
    }
}
