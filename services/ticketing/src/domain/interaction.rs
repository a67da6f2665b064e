//! Interactions: words that were exchanged about a complaint. They are numbered, told, and never changed.

use commit::{Log, Slot};
use serde::{Deserialize, Serialize};

use super::code::{Channel, codes};
use super::complaint::Complaint;
use super::history::HistoryEntry;
use super::{ComplaintId, Cx, Event, InteractionId};

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

codes! {
    /// What was noticed beside the words.
    pub enum CueKind {
        /// The tone of the voice.
        Tone = "TONE",
        /// The face.
        Face = "FACE",
        /// How somebody stood or moved.
        Body = "BODY",
        /// The choice of words.
        Wording = "WORDING",
        /// Insults or threats. They block nobody.
        Hostility = "HOSTILITY",
    }

    /// What the customer seemed to feel.
    pub enum Emotion {
        /// Calm.
        Calm = "CALM",
        /// Pleased.
        Pleased = "PLEASED",
        /// Confused.
        Confused = "CONFUSED",
        /// Disappointed.
        Disappointed = "DISAPPOINTED",
        /// Anxious.
        Anxious = "ANXIOUS",
        /// Sad.
        Sad = "SAD",
        /// Angry.
        Angry = "ANGRY",
    }
}

/// Something that came with words, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Where it is kept, or its number there.
    pub reference: String,
    /// What it is, such as `image/jpeg`; empty if not known.
    pub media_type: String,
    /// SHA-256 of its content in hexadecimal digits; empty if not known.
    pub sha256: String,
    /// How large it is; 0 if not known.
    pub size_bytes: i64,
}

/// Something that was noticed beside the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// What.
    pub kind: CueKind,
    /// It in a word or two.
    pub value: String,
    /// 1 to 5.
    pub intensity: i32,
}

/// What comes with words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extras {
    /// What was attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cues: Vec<Cue>,
    /// What the customer seemed to feel, and how strongly, 1 to 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emotion: Option<(Emotion, i32)>,
    /// How long it took, in seconds, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<i32>,
}

impl Extras {
    /// Whether nothing came with them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
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
    /// What came with them.
    pub extras: Extras,
}

/// Words on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// The complaint.
    pub complaint: ComplaintId,
    /// Number within the complaint, from 1, without gaps.
    pub seq: i64,
    /// What was said.
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
