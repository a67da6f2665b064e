//! Acknowledge: the customer is told that we have the complaint.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::code::Channel;
use crate::domain::interaction::{Direction, Extras, Interaction, Words};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Refusal};

/// We have it.
#[derive(Clone, Debug)]
pub struct Acknowledge {
    /// The complaint.
    pub case: Case,
    /// How the customer is told.
    pub channel: Channel,
    /// What we say; empty if it was said by word of mouth.
    pub message: String,
}

impl Verb<Ticketing> for Acknowledge {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Acknowledge)?;
        ensure!(self.channel.is_spoken() || !self.message.is_empty(), Refusal::MessageNeeded);

        if !self.message.is_empty() {
            let words = Words {
                direction: Direction::Outbound,
                channel: Some(self.channel),
                body: self.message.clone(),
                external_message_id: None,
                occurred_at_us: cx.now_us,
                extras: Extras::default(),
            };
            Interaction::record(words, complaint, &mut desk.interactions, &mut desk.history, cx);
        }
        complaint.story.acknowledged_at_us = Some(cx.now_us);
        let event = Event::Acknowledged { complaint: complaint.id, channel: self.channel };
        complaint.step(next, event, &mut desk.history, cx);
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
    fn what_was_written_is_put_on_record_and_told_first() {
        let (mut stage, case) = Stage::at(State::Received);
        let verb = Acknowledge { case, channel: Channel::Email, message: "We have it.".to_owned() };
        let file = stage.play(&verb).unwrap();
        assert_eq!(file.complaint.story.interaction_count, 1);
        assert_eq!(file.complaint.story.acknowledged_at_us, Some(stage.now_us()));
        assert!(matches!(&stage.told()[..], [Event::InteractionAdded { .. }, Event::Acknowledged { .. }]));
    }

    #[test]
    fn only_spoken_channels_need_no_message() {
        for channel in Channel::ALL {
            let (mut stage, case) = Stage::at(State::Received);
            let said = stage.play(&Acknowledge { case, channel: *channel, message: String::new() });
            assert_eq!(said.is_ok(), matches!(channel, Channel::InPerson | Channel::Phone), "{channel:?}");
        }
    }
}
