//! Add interaction: words are put on record. The same message of a channel counts once.

use commit::{Verb, ensure};

use crate::Ticketing;
use crate::domain::code::Channel;
use crate::domain::complaint::WaitingOn;
use crate::domain::interaction::{Direction, Extras, Interaction, Words};
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, Cx, Desk, Outcome, Refusal};

/// The kind of claim that a message of a channel holds; its owner is the interaction.
const EXTERNAL_MESSAGE: &str = "external message";

/// This was said.
#[derive(Clone, Debug)]
pub struct AddInteraction {
    /// The complaint.
    pub case: Case,
    /// What was said.
    pub direction: Direction,
    /// How.
    pub channel: Channel,
    /// The words.
    pub body: String,
    /// Number of the message in its channel.
    pub external_message_id: Option<String>,
    /// When; `None` = now.
    pub occurred_at_us: Option<i64>,
    /// What came with them.
    pub extras: Extras,
}

/// The words on record, and their complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Added {
    /// The words.
    pub interaction: Interaction,
    /// Their complaint.
    pub file: CaseFile,
}

impl AddInteraction {
    /// The interaction that this message became when it came before.
    fn find_earlier(&self, desk: &mut Desk) -> Outcome<Option<Interaction>> {
        let Some(message) = &self.external_message_id else { return Ok(None) };
        let earlier = earlier(self.channel, message, desk)?;
        let here = earlier.as_ref().is_none_or(|earlier| earlier.complaint == self.case.complaint);
        ensure!(here, Refusal::MessageElsewhere);
        Ok(earlier)
    }
}

/// The natural key of a message of a channel.
fn message_key(channel: Channel, message: &str) -> String {
    format!("{}:{message}", channel.code())
}

/// The interaction that a message of a channel became, if it came before.
pub(super) fn earlier(channel: Channel, message: &str, desk: &mut Desk) -> Outcome<Option<Interaction>> {
    let key = message_key(channel, message);
    let Some(holder) = desk.claims.owner(EXTERNAL_MESSAGE, key.as_bytes())? else { return Ok(None) };
    Ok(desk.interactions.get(holder)?.cloned())
}

impl Verb<Ticketing> for AddInteraction {
    type Reply = Added;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Added> {
        self.case.see(&mut desk.complaints)?;
        if let Some(interaction) = self.find_earlier(desk)? {
            let complaint = self.case.see(&mut desk.complaints)?;
            return Ok(Added { interaction, file: CaseFile::of(complaint, &mut desk.follow_ups)? });
        }
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::AddInteraction)?;
        let occurred_at_us = self.occurred_at_us.unwrap_or(cx.now_us);
        ensure!(occurred_at_us <= cx.now_us, Refusal::NotYetHappened { field: "occur_time" });

        if self.direction == Direction::Inbound && complaint.story.waiting_on == WaitingOn::Customer {
            complaint.story.waiting_on = WaitingOn::Nobody;
        }
        let words = Words {
            direction: self.direction,
            channel: Some(self.channel),
            body: self.body.clone(),
            external_message_id: self.external_message_id.clone(),
            occurred_at_us,
            extras: self.extras.clone(),
        };
        let interaction = Interaction::record(words, complaint, &mut desk.interactions, &mut desk.history, cx);
        if let Some(message) = &self.external_message_id {
            let key = message_key(self.channel, message);
            let taken = desk.claims.take(EXTERNAL_MESSAGE, key.as_bytes(), interaction.id)?;
            ensure!(taken.is_ok(), Refusal::MessageElsewhere);
        }
        Ok(Added { interaction, file: CaseFile::of(complaint, &mut desk.follow_ups)? })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::Event;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::{Stage, words};

    #[test]
    fn words_are_numbered_without_gaps() {
        let (mut stage, case) = Stage::at(State::Received);
        let numbers = [(); 3].map(|()| stage.play(&words(case.clone())).unwrap().interaction.seq);
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a26_the_same_message_counts_once_also_when_the_case_is_over() {
        let (mut stage, case) = Stage::at(State::Received);
        let verb = AddInteraction { external_message_id: Some("<a@b>".to_owned()), ..words(case.clone()) };
        let first = stage.play(&verb).unwrap();
        stage.edit(&case, |complaint| complaint.state = State::Closed);
        stage.told();
        let second = stage.play(&verb).unwrap();
        assert_eq!((second.interaction.id, stage.told()), (first.interaction.id, vec![]));
        assert_eq!(second.file.complaint.version, first.file.complaint.version);
    }

    #[test]
    fn a_message_belongs_to_one_complaint() {
        let (mut stage, case) = Stage::at(State::Received);
        let other = stage.open();
        let message = Some("42".to_owned());
        stage.play(&AddInteraction { external_message_id: message.clone(), ..words(case) }).unwrap();
        let verb = AddInteraction { external_message_id: message, ..words(other) };
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::MessageElsewhere);
        let elsewhere = AddInteraction { channel: Channel::Chat, ..verb };
        assert!(stage.play(&elsewhere).is_ok(), "another channel has other numbers");
    }

    #[test]
    fn words_of_the_customer_end_the_waiting() {
        for (direction, waiting_on) in [
            (Direction::Inbound, WaitingOn::Nobody),
            (Direction::Outbound, WaitingOn::Customer),
            (Direction::Internal, WaitingOn::Customer),
        ] {
            let (mut stage, case) = Stage::at(State::Offered);
            let added = stage.play(&AddInteraction { direction, ..words(case) }).unwrap();
            assert_eq!(added.file.complaint.story.waiting_on, waiting_on);
        }
    }

    #[test]
    fn words_may_be_of_yesterday_but_not_of_tomorrow() {
        let (mut stage, case) = Stage::at(State::Received);
        let now_us = stage.now_us();
        let late = AddInteraction { occurred_at_us: Some(now_us - HOUR_US), ..words(case) };
        stage.play(&late).unwrap();
        assert!(matches!(&stage.told()[..], [Event::InteractionAdded { .. }]));
        let early = AddInteraction { occurred_at_us: Some(now_us + 1), ..late };
        assert_eq!(stage.play(&early).unwrap_err(), Refusal::NotYetHappened { field: "occur_time" });
    }
}
