//! Finding out where the stream is and whether it tells the history of the log; making it, or setting it right.

use std::collections::BTreeSet;

use crate::envelope::Envelope;
use crate::link::{Stream, Wanted};
use crate::relay::{Relay, RelayPhase};
use crate::source::BoxError;

/// Each resync compares this many messages, taken at random, with the log.
const AUDIT_SPOTS: usize = 8;

/// Where the stream stands compared with the log.
pub(super) enum Stand {
    At(i64),
    Forked { reason: String, mark: Mark },
}

/// What an operator changes when he decides about a fork: the epoch of the log, or the stream itself.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Mark {
    epoch: i64,
    created: String,
}

impl Relay {
    /// Finds out where the stream is, and whether it tells the same history as the log. A fork stays one until the
    /// epoch of the log or the stream is another.
    pub(super) async fn resync(&self, fork: Option<&Mark>, conflict: Option<i64>) -> Result<Stand, BoxError> {
        self.set(|state| {
            state.resyncs += 1;
            if fork.is_none() {
                state.phase = RelayPhase::Resyncing;
            }
        });
        let stream = self.stream().await?;
        let last = stream.last_seq;
        // Read after the stream: what the stream holds was in the log before.
        let bounds = self.log.bounds().await?;
        self.log.saw(bounds.last_seq);
        self.set(|state| state.head_seq = bounds.last_seq);
        let mark = Mark { epoch: bounds.epoch, created: stream.created };
        if fork == Some(&mark) {
            let reason = match &self.state.borrow().phase {
                RelayPhase::Forked { reason } => reason.clone(),
                _ => "the histories differed before".to_owned(),
            };
            return Ok(Stand::Forked { reason, mark });
        }
        if last > bounds.last_seq {
            let reason = format!("the stream is at {last}, the log only at {}", bounds.last_seq);
            return Ok(Stand::Forked { reason, mark });
        }
        let first = stream.first_seq.max(bounds.floor_seq);
        if stream.messages > 0 && first <= last {
            let chance = self.link.chance();
            let spots = (0..AUDIT_SPOTS).map(|_| chance.sequence(first, last));
            let spots: BTreeSet<i64> = conflict.into_iter().chain([last]).chain(spots).collect();
            for seq in spots.range(first..=last) {
                if let Some(reason) = self.differs(*seq, bounds.epoch).await? {
                    return Ok(Stand::Forked { reason, mark });
                }
            }
        }
        if last + 1 < bounds.floor_seq {
            return self.lift(bounds.floor_seq).await;
        }
        Ok(Stand::At(last))
    }

    /// What shows that a message of the stream is not the event of the log at its place.
    async fn differs(&self, seq: i64, epoch: i64) -> Result<Option<String>, BoxError> {
        // Purged or deleted: there is nothing to compare.
        let Some((headers, payload)) = self.link.message(&self.stream, seq).await? else { return Ok(None) };
        // Not from memory, which may remember what the database has lost.
        let events = self.log.read_stored(seq - 1, 1).await?;
        let Some(event) = events.first().filter(|event| event.seq == seq) else {
            return Err(format!("the log does not give event {seq}").into());
        };
        let Ok(envelope) = Envelope::from_message(&headers, payload) else {
            return Ok(Some(format!("message {seq} of the stream is no event")));
        };
        if envelope.event.event_id != event.event_id {
            let (theirs, ours) = (envelope.event.event_id, event.event_id);
            return Ok(Some(format!("message {seq} of the stream is event {theirs}, in the log it is {ours}")));
        }
        if envelope.epoch != epoch {
            return Ok(Some(format!("the stream is of epoch {}, the log of epoch {epoch}", envelope.epoch)));
        }
        Ok(None)
    }

    /// The stream lost more than the log keeps: it goes on at the floor.
    async fn lift(&self, floor_seq: i64) -> Result<Stand, BoxError> {
        self.link.purge_before(&self.stream, floor_seq).await?;
        let stream = self.link.find_stream(&self.stream).await?.ok_or("the stream is gone")?;
        if stream.last_seq + 1 == floor_seq {
            return Ok(Stand::At(floor_seq - 1));
        }
        if stream.messages == 0 {
            // Only a new stream can begin there; the next resync makes it.
            self.link.delete_stream(&self.stream).await?;
        }
        Err(format!("the stream cannot be moved to {floor_seq}, where the log begins").into())
    }

    /// The stream, made or corrected if need be.
    async fn stream(&self) -> Result<Stream, BoxError> {
        let wanted = Wanted {
            name: self.stream.clone(),
            subjects: self.names.subjects(self.log.name()),
            log: self.log.name(),
            replicas: self.replicas,
            max_age: self.max_age,
        };
        if let Some(stream) = self.link.correct_stream(&wanted).await? {
            return Ok(stream);
        }
        let floor_seq = self.log.bounds().await?.floor_seq;
        self.link.make_stream(&wanted, floor_seq).await
    }
}
