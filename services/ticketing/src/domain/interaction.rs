//! Interactions: words that were exchanged about a complaint. They are numbered, told, and never changed.

use commit::{Log, Slot};
use uuid::Uuid;

use super::code::{Channel, codes};
use super::complaint::Complaint;
use super::history::HistoryEntry;
use super::{ComplaintId, CustomerId, Cx, Event, InteractionId};

codes! {
    /// Which way words went.
    pub enum Direction {
        /// From the customer.
        Inbound = "INBOUND",
        /// To the customer.
        Outbound = "OUTBOUND",
        /// Among us.
        Internal = "INTERNAL",
    }
}

/// Words before they are on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Which way they went.
    pub direction: Direction,
    /// How they went, if that is known.
    pub channel: Option<Channel>,
    /// The words.
    pub body: String,
    /// Number of the message in its channel.
    pub external_message_id: Option<String>,
    /// When they were said.
    pub occurred_at_us: i64,
}

/// Words on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// The complaint.
    pub complaint: ComplaintId,
    /// Under whose key the words are sealed: of the customer, or of the complaint when nobody is known.
    pub subject: Uuid,
    /// Number within the complaint, from 1, without gaps.
    pub seq: i64,
    /// What was said. Its body is empty when it was loaded by the write path: words are sealed, and opened for reads.
    pub words: Words,
    /// Who recorded it.
    pub recorded_by: String,
    /// When it was recorded.
    pub recorded_at_us: i64,
    /// 1 once stored: interactions do not change.
    pub version: i64,
}

impl Interaction {
    /// Puts `words` on record: numbers them, stores them and tells of them.
    pub fn record(
        words: Words,
        complaint: &mut Complaint,
        interactions: &mut Slot<Self>,
        history: &mut Log<HistoryEntry>,
        cx: &mut Cx<'_>,
    ) -> Self {
        let id = InteractionId(cx.new_id());
        complaint.story.interaction_count += 1;
        let event = Event::InteractionAdded {
            complaint: complaint.id,
            interaction: id,
            direction: words.direction,
            channel: words.channel,
        };
        complaint.step_at(complaint.state, event, words.occurred_at_us, history, cx);
        let interaction = Self {
            id,
            complaint: complaint.id,
            subject: complaint.customer.map_or(complaint.id.uuid(), CustomerId::uuid),
            seq: complaint.story.interaction_count,
            words,
            recorded_by: cx.by.to_owned(),
            recorded_at_us: cx.now_us,
            version: 0,
        };
        interactions.insert(interaction.clone());
        interaction
    }
}
