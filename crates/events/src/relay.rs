//! The relay: copies an event log into its stream so that the sequence in the stream is the sequence in the
//! log. Every publish says which sequence must stand before it, so a relay that is late, doubled or a zombie
//! is refused by the stream: this chain is the safety. There is no lease. A relay that is refused looks how
//! far the stream is and, if another one is moving it, follows: it pokes the leader after its own commits and
//! takes over when the stream stands still while the log does not.

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::PublishError;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, Info, RawMessageErrorKind, RetentionPolicy, StorageType, Stream,
};
use async_nats::jetstream::{self, ErrorCode};
use commit::{EventLog, LogEvent};
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::envelope;
use crate::names::Names;
use crate::nats::Link;
use crate::source::{BoxError, BoxFuture};

/// Publishes on their way without an ack.
const WINDOW: usize = 512;
/// Events read from the log at once.
const PAGE: usize = 500;
/// Longest wait for the acks that are still on their way when one of them was bad.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// The table is asked this often for events of other replicas.
const SWEEP: Duration = Duration::from_millis(500);
/// A follower takes over when the stream stood still for this long, and a random part of it more.
const PATIENCE: Duration = Duration::from_millis(400);
/// First and longest pause before the next resync.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// A relay compares this many messages, taken at random, with the log whenever it resyncs …
const AUDIT_SPOTS: usize = 8;
/// … and does so at least this often.
const AUDIT: Duration = Duration::from_secs(600);
/// A halted relay looks this often whether an operator has acted.
const HALTED_LOOK: Duration = Duration::from_secs(2);

/// What a relay is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayPhase {
    /// There is no bus: the log is read where it stands.
    Local,
    /// It finds out where the stream is, or waits for NATS.
    Resyncing,
    /// It publishes.
    Leading,
    /// The relay of another replica publishes.
    Following,
    /// The stream and the log tell different histories. Nothing is published until an operator has decided which
    /// one is true; see the runbook.
    Forked {
        /// What does not fit.
        reason: String,
    },
}

/// How a relay stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayState {
    /// What it is doing.
    pub phase: RelayPhase,
    /// The newest event known to be in the stream.
    pub published_seq: i64,
    /// The newest event known to be in the log.
    pub head_seq: i64,
    /// How often the stream refused a publish because another relay was faster, or the stream was not as expected.
    pub conflicts: u64,
    /// How often it had to find out anew where the stream is.
    pub resyncs: u64,
    /// The last trouble, for people.
    pub trouble: Option<String>,
}

impl RelayState {
    pub(crate) const fn new(phase: RelayPhase) -> Self {
        Self { phase, published_seq: 0, head_seq: 0, conflicts: 0, resyncs: 0, trouble: None }
    }

    /// Events of the log that are not in the stream yet.
    pub const fn unpublished(&self) -> i64 {
        self.head_seq - self.published_seq
    }
}

/// Why publishing came to an end.
enum Stop {
    /// Told to stop.
    Cancelled,
    /// The stream holds something at this place already.
    Conflict(i64, String),
    /// Time to compare the stream with the log again.
    Audit,
    /// Anything else: find out where the stream is.
    Doubt(String),
}

/// Where the stream stands compared with the log.
enum Stand {
    At(i64),
    Forked { reason: String, mark: Mark },
}

/// What an operator changes when he decides about a fork: the epoch of the log, or the stream itself.
#[derive(Clone, PartialEq, Eq)]
struct Mark {
    epoch: i64,
    created: String,
}

type Acks = FuturesOrdered<BoxFuture<(i64, Result<PublishAck, PublishError>)>>;

/// What a relay has read and sent.
struct Flow {
    epoch: i64,
    stream: String,
    /// The newest event that was sent.
    sent: i64,
    /// Read from the log and not sent.
    ready: VecDeque<Arc<LogEvent>>,
    acks: Acks,
}

/// The relay of one log in this process.
pub(crate) struct Relay {
    pub(crate) log: EventLog,
    pub(crate) names: Names,
    pub(crate) link: Link,
    pub(crate) replicas: usize,
    pub(crate) max_age: Duration,
    pub(crate) state: watch::Sender<RelayState>,
    pub(crate) stop: CancellationToken,
}

impl Relay {
    /// Runs until it is stopped.
    pub(crate) async fn run(self) {
        let stop = self.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            ((), ()) = async { tokio::join!(self.sweep(), self.relay()) } => {}
        }
    }

    /// Learns of events that other replicas wrote: from time to time, and when one of them pokes.
    async fn sweep(&self) {
        let client = &self.link.client;
        let mut pokes = None;
        loop {
            if pokes.is_none() {
                pokes = client.subscribe(self.names.poke(self.log.name())).await.ok();
            }
            match self.log.bounds().await {
                Ok(bounds) => {
                    self.log.saw(bounds.last_seq);
                    self.state.send_if_modified(|state| {
                        let grown = bounds.last_seq > state.head_seq;
                        state.head_seq = state.head_seq.max(bounds.last_seq);
                        grown
                    });
                }
                Err(error) => {
                    let log = self.log.name();
                    tracing::debug!(log, error = &error as &dyn std::error::Error, "the sweep of a log failed");
                }
            }
            let poke = async {
                match &mut pokes {
                    Some(pokes) => {
                        let poked = pokes.next().await.is_some();
                        // One look answers all that came together.
                        while pokes.next().now_or_never().flatten().is_some() {}
                        poked
                    }
                    None => std::future::pending().await,
                }
            };
            if tokio::time::timeout(SWEEP, poke).await == Ok(false) {
                pokes = None;
                tokio::time::sleep(SWEEP).await;
            }
        }
    }

    async fn relay(&self) {
        let mut pause = BACKOFF.0;
        let mut fork: Option<Mark> = None;
        let mut conflict: Option<i64> = None;
        loop {
            match self.resync(fork.as_ref(), conflict).await {
                Ok(Stand::Forked { reason, mark }) => {
                    if fork.replace(mark).is_none() {
                        tracing::error!(log = self.log.name(), reason, "the stream and the log forked: relay halted");
                    }
                    conflict = None;
                    self.set(|state| state.phase = RelayPhase::Forked { reason });
                    tokio::time::sleep(HALTED_LOOK).await;
                }
                Ok(Stand::At(last)) => {
                    fork = None;
                    self.set(|state| state.published_seq = last);
                    match conflict.take() {
                        // Our own event stands there, and we have not put it there.
                        Some(seq) if seq <= last => {
                            self.follow().await;
                            pause = BACKOFF.0;
                            continue;
                        }
                        // It was refused for another reason, such as a tail that the stream has lost.
                        Some(_) => self.rest(&mut pause).await,
                        None => {}
                    }
                    self.set(|state| state.phase = RelayPhase::Leading);
                    match self.pump(last).await {
                        Stop::Cancelled => return,
                        Stop::Audit => {}
                        Stop::Conflict(seq, trouble) => {
                            conflict = Some(seq);
                            if self.state.borrow().published_seq > last {
                                pause = BACKOFF.0;
                            }
                            self.set(|state| {
                                state.conflicts += 1;
                                state.trouble = Some(trouble);
                            });
                        }
                        Stop::Doubt(trouble) => {
                            tracing::warn!(log = self.log.name(), trouble, "publishing events broke off");
                            if self.state.borrow().published_seq > last {
                                pause = BACKOFF.0;
                            }
                            self.set(|state| state.trouble = Some(trouble));
                            self.rest(&mut pause).await;
                        }
                    }
                }
                Err(error) => {
                    let (log, trouble) = (self.log.name(), error.to_string());
                    // Told once, not at each try.
                    if self.state.borrow().trouble.as_ref() != Some(&trouble) {
                        tracing::warn!(log, error = &*error as &dyn std::error::Error, "the stream cannot be used");
                    }
                    self.set(|state| {
                        state.trouble = Some(trouble);
                        if fork.is_none() {
                            state.phase = RelayPhase::Resyncing;
                        }
                    });
                    self.rest(&mut pause).await;
                }
            }
        }
    }

    /// Finds out where the stream is, and whether it tells the same history as the log. A fork stays one until the
    /// epoch of the log or the stream is another.
    async fn resync(&self, fork: Option<&Mark>, conflict: Option<i64>) -> Result<Stand, BoxError> {
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
        let Ok(envelope) = envelope::Envelope::from_message(&message.headers, message.payload) else {
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

    /// Publishes everything behind `last`, for ever.
    async fn pump(&self, last: i64) -> Stop {
        let epoch = match self.log.bounds().await {
            Ok(bounds) => bounds.epoch,
            Err(error) => return Stop::Doubt(error.to_string()),
        };
        let stream = self.names.stream(self.log.name());
        let mut flow = Flow { epoch, stream, sent: last, ready: VecDeque::new(), acks: FuturesOrdered::new() };
        let mut head = self.log.head();
        let mut reconnects = self.link.reconnects();
        let mut audit = pin!(tokio::time::sleep(AUDIT));
        loop {
            let known = *head.borrow_and_update();
            if let Err(stop) = self.fill(&mut flow, known).await {
                return stop;
            }
            tokio::select! {
                Some((seq, ack)) = flow.acks.next(), if !flow.acks.is_empty() => {
                    if let Err(stop) = self.confirm(&mut flow.acks, seq, ack) {
                        drain(flow.acks).await;
                        return stop;
                    }
                }
                changed = head.changed(), if flow.acks.len() < WINDOW => {
                    if changed.is_err() {
                        return Stop::Cancelled;
                    }
                }
                () = reconnects.next() => {
                    // Acks that were on their way are lost, and so may be what they would have said.
                    drain(flow.acks).await;
                    return Stop::Audit;
                }
                () = &mut audit, if flow.acks.is_empty() => return Stop::Audit,
            }
        }
    }

    /// Sends what the log has up to `known` while the window has room.
    async fn fill(&self, flow: &mut Flow, known: i64) -> Result<(), Stop> {
        while flow.acks.len() < WINDOW {
            if flow.ready.is_empty() {
                if known <= flow.sent {
                    break;
                }
                let events = self.log.read(flow.sent, PAGE).await.map_err(|error| Stop::Doubt(error.to_string()))?;
                flow.ready.extend(events);
            }
            let event = flow.ready.pop_front().filter(|event| event.seq == flow.sent + 1);
            let Some(event) = event else {
                return Err(Stop::Doubt(format!("the log does not give {}", flow.sent + 1)));
            };
            let message = PublishMessage::build()
                .headers(envelope::headers(self.log.name(), flow.epoch, &event))
                .payload(event.payload.clone())
                .expected_stream(flow.stream.as_str())
                .expected_last_sequence(flow.sent.unsigned_abs());
            let subject = self.names.subject(self.log.name(), &event);
            let sent = self.link.jetstream.send_publish(subject, message).await;
            let ack = sent.map_err(|error| Stop::Doubt(format!("event {} cannot be sent: {error}", event.seq)))?;
            let seq = event.seq;
            flow.acks.push_back(Box::pin(async move { (seq, ack.await) }));
            flow.sent = seq;
        }
        Ok(())
    }

    /// Takes an ack, and those behind it that have come as well.
    fn confirm(&self, acks: &mut Acks, seq: i64, ack: Result<PublishAck, PublishError>) -> Result<(), Stop> {
        judge(seq, ack)?;
        let (mut newest, mut judged) = (seq, Ok(()));
        while let Some(Some((seq, ack))) = acks.next().now_or_never() {
            judged = judge(seq, ack);
            if judged.is_err() {
                break;
            }
            newest = seq;
        }
        self.set(|state| (state.published_seq, state.head_seq) = (newest, state.head_seq.max(newest)));
        judged
    }

    /// Another relay leads. Comes back when the stream stands still while the log has more.
    async fn follow(&self) {
        self.set(|state| state.phase = RelayPhase::Following);
        let client = &self.link.client;
        let name = self.names.stream(self.log.name());
        let mut head = self.log.head();
        let mut still_since: Option<Instant> = None;
        let patience = PATIENCE.mul_f64(rand::random_range(1.0..2.0));
        loop {
            let known = *head.borrow_and_update();
            let published = self.state.borrow().published_seq;
            if known <= published {
                still_since = None;
                if head.changed().await.is_err() {
                    return;
                }
                // Our own commit, perhaps: the leader hears of it before its next sweep.
                let _ = client.publish(self.names.poke(self.log.name()), bytes::Bytes::new()).await;
                continue;
            }
            let since = *still_since.get_or_insert_with(Instant::now);
            let _ = tokio::time::timeout(patience / 4, head.changed()).await;
            let _ = client.publish(self.names.poke(self.log.name()), bytes::Bytes::new()).await;
            if since.elapsed() < patience {
                continue;
            }
            let Ok(stream) = self.link.jetstream.get_stream(&name).await else { return };
            let Ok(last) = i64::try_from(stream.cached_info().state.last_sequence) else { return };
            if last <= published {
                return;
            }
            self.set(|state| (state.published_seq, state.head_seq) = (last, state.head_seq.max(known)));
            still_since = None;
        }
    }

    async fn rest(&self, pause: &mut Duration) {
        self.link.rest(*pause).await;
        *pause = (*pause * 2).min(BACKOFF.1);
    }

    fn set(&self, change: impl FnOnce(&mut RelayState)) {
        self.state.send_modify(change);
    }
}

/// An ack counts only when it names the very sequence, and a new message.
fn judge(seq: i64, ack: Result<PublishAck, PublishError>) -> Result<(), Stop> {
    use async_nats::jetstream::context::PublishErrorKind;
    match ack {
        Ok(ack) if i64::try_from(ack.sequence) == Ok(seq) && !ack.duplicate => Ok(()),
        Ok(ack) => Err(Stop::Doubt(format!("event {seq} was acknowledged as {}", ack.sequence))),
        // Newer servers say it with codes that the client does not know.
        Err(error) if matches!(error.kind(), PublishErrorKind::WrongLastSequence | PublishErrorKind::Other) => {
            Err(Stop::Conflict(seq, format!("event {seq} was refused: {error}")))
        }
        Err(error) => Err(Stop::Doubt(format!("event {seq} was not acknowledged: {error}"))),
    }
}

/// Waits for what is still under way, so that the next look at the stream sees its end.
async fn drain(mut acks: Acks) {
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, async { while acks.next().await.is_some() {} }).await;
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
