//! Finding out where the stream is and whether it tells the history of the log; making it, or setting it right.

use std::collections::BTreeSet;

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{self, ErrorCode};

use crate::envelope::Envelope;
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
        let info = stream.cached_info();
        let last = i64::try_from(info.state.last_sequence)?;
        // Read after the stream: what the stream holds was in the log before.
        let bounds = self.log.bounds().await?;
        self.log.saw(bounds.last_seq);
        self.set(|state| state.head_seq = bounds.last_seq);
        let mark = Mark { epoch: bounds.epoch, created: info.created.to_string() };
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
        let first = i64::try_from(info.state.first_sequence)?.max(bounds.floor_seq);
        if info.state.messages > 0 && first <= last {
            let spots = (0..AUDIT_SPOTS).map(|_| rand::random_range(first..=last));
            let spots: BTreeSet<i64> = conflict.into_iter().chain([last]).chain(spots).collect();
            for seq in spots.range(first..=last) {
                if let Some(reason) = self.differs(&stream, *seq, bounds.epoch).await? {
                    return Ok(Stand::Forked { reason, mark });
                }
            }
        }
        if last + 1 < bounds.floor_seq {
            return self.lift(&stream, bounds.floor_seq).await;
        }
        Ok(Stand::At(last))
    }

    /// What shows that a message of the stream is not the event of the log at its place.
    async fn differs(&self, stream: &Stream, seq: i64, epoch: i64) -> Result<Option<String>, BoxError> {
        let message = match stream.get_raw_message(u64::try_from(seq)?).await {
            Ok(message) => message,
            // Purged or deleted: there is nothing to compare.
            Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let events = self.log.read(seq - 1, 1).await?;
        let Some(event) = events.first().filter(|event| event.seq == seq) else {
            return Err(format!("the log does not give event {seq}").into());
        };
        let Ok(envelope) = Envelope::from_message(&message.headers, message.payload) else {
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
    async fn lift(&self, stream: &Stream, floor_seq: i64) -> Result<Stand, BoxError> {
        let floor = u64::try_from(floor_seq)?;
        stream.purge().sequence(floor).await?;
        let last = stream.get_info().await?.state.last_sequence;
        if last + 1 == floor {
            return Ok(Stand::At(floor_seq - 1));
        }
        if stream.get_info().await?.state.messages == 0 {
            // Only a new stream can begin there; the next resync makes it.
            self.link.jetstream.delete_stream(self.names.stream(self.log.name())).await?;
        }
        Err(format!("the stream cannot be moved to {floor_seq}, where the log begins").into())
    }

    /// The stream, made or corrected if need be.
    async fn stream(&self) -> Result<Stream, BoxError> {
        let name = self.names.stream(self.log.name());
        let mut wanted = self.config(&name);
        let stream = match self.link.jetstream.get_stream(&name).await {
            Ok(stream) => stream,
            Err(error) if is_not_found(&error) => {
                let floor_seq = self.log.bounds().await?.floor_seq;
                if floor_seq > 1 {
                    wanted.first_sequence = Some(u64::try_from(floor_seq)?);
                }
                tracing::info!(stream = name, "making the stream");
                let stream = self.link.jetstream.create_stream(wanted.clone()).await?;
                if stream.cached_info().config.first_sequence != wanted.first_sequence {
                    self.link.jetstream.delete_stream(&name).await?;
                    return Err(
                        "this server cannot begin a stream at the floor of the log: it must be 2.10 or newer".into()
                    );
                }
                stream
            }
            Err(error) => return Err(error.into()),
        };
        let Some(difference) = difference(stream.cached_info(), &wanted) else { return Ok(stream) };
        tracing::warn!(stream = name, difference, "the stream is not as it should be: correcting it");
        let info = self.link.jetstream.update_stream(corrected(stream.cached_info(), &wanted)).await?;
        match self::difference(&info, &wanted) {
            None => Ok(self.link.jetstream.get_stream(&name).await?),
            Some(difference) => {
                Err(format!("the stream cannot be used: its {difference} is not as it should be").into())
            }
        }
    }

    fn config(&self, name: &str) -> Config {
        Config {
            name: name.to_owned(),
            subjects: vec![self.names.subjects(self.log.name())],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            num_replicas: self.replicas,
            max_age: self.max_age,
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: -1,
            deny_delete: true,
            description: Some(format!("events of {}, a copy of its event log", self.log.name())),
            ..Config::default()
        }
    }
}

fn is_not_found(error: &jetstream::context::GetStreamError) -> bool {
    use async_nats::jetstream::context::GetStreamErrorKind;
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

/// The first setting we depend on that the server does not keep as wanted: it echoes what it understood, and
/// an old one ignores silently what it does not know.
fn difference(info: &Info, wanted: &Config) -> Option<&'static str> {
    let is = &info.config;
    let checks = [
        ("subjects", is.subjects == wanted.subjects),
        ("retention", is.retention == wanted.retention),
        ("discard", is.discard == wanted.discard),
        ("storage", is.storage == wanted.storage),
        ("num_replicas", is.num_replicas == wanted.num_replicas),
        ("max_age", is.max_age == wanted.max_age),
        ("max_msgs", is.max_messages == wanted.max_messages),
        ("max_bytes", is.max_bytes == wanted.max_bytes),
        ("max_msgs_per_subject", is.max_messages_per_subject == wanted.max_messages_per_subject),
        ("deny_delete", is.deny_delete == wanted.deny_delete),
        ("no_ack", !is.no_ack),
        ("allow_rollup_hdrs", !is.allow_rollup),
        ("mirror", is.mirror.is_none()),
        ("sources", is.sources.as_ref().is_none_or(Vec::is_empty)),
        ("sealed", !is.sealed),
    ];
    checks.into_iter().find(|(_, fits)| !fits).map(|(name, _)| name)
}

/// The config as the server keeps it, with what we depend on set right.
fn corrected(info: &Info, wanted: &Config) -> Config {
    Config {
        subjects: wanted.subjects.clone(),
        retention: wanted.retention,
        discard: wanted.discard,
        num_replicas: wanted.num_replicas,
        max_age: wanted.max_age,
        max_messages: wanted.max_messages,
        max_bytes: wanted.max_bytes,
        max_messages_per_subject: wanted.max_messages_per_subject,
        deny_delete: true,
        no_ack: false,
        allow_rollup: false,
        ..info.config.clone()
    }
}
