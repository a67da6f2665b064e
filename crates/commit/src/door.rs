//! The one door of the write path: commands go in, replies come out after COMMIT.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use prost::Message;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;
use vault::MasterKeys;

use crate::audit::AuditNote;
use crate::base::Advance;
use crate::cause::Cause;
use crate::chore::Chore;
use crate::committer::Stats;
use crate::log::{EventLog, LogEvent};
use crate::verb::{Answer, Cx, Service, Stop, Verb};

/// Sizes and times of one write path.
#[derive(Clone, Debug)]
pub struct Options {
    /// Commands waiting before a new one is turned away.
    pub queue: usize,
    /// Most commands of one transaction.
    pub batch: usize,
    /// Seeds the ids that verbs draw.
    pub seed: u64,
    /// Wraps the keys that personal texts are sealed under.
    pub master_keys: MasterKeys,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 4_096, batch: 256, seed: rand_seed(), master_keys: MasterKeys::ephemeral() }
    }
}

/// A seed that differs from process to process.
fn rand_seed() -> u64 {
    Uuid::now_v7().as_u64_pair().1 ^ u64::from(std::process::id())
}

/// Who sends a command, under which key, and how long it may wait.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The key of the request (see [`crate::key`]): a repeat with it gets the stored reply.
    pub key: Uuid,
    /// The fingerprint of the body: the same key with another one is refused.
    pub fingerprint: i64,
    /// When the caller stops waiting; a command that is still queued then is dropped.
    pub until: Instant,
    /// Who asks.
    pub by: Arc<str>,
    /// The W3C `traceparent` to store with events.
    pub trace: Option<Arc<str>>,
    /// What caused it, for the audit trail; `None` when the installation itself did.
    pub cause: Option<Cause>,
}

/// Why a command has no reply.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused<R> {
    /// The rules of the service say no; nothing was written and nothing is remembered.
    #[error("refused: {0:?}")]
    Refusal(R),
    /// The key was used before with another body.
    #[error("the request id was used before with another body")]
    KeyReused,
    /// Too many commands wait; try again a little later.
    #[error("too many commands are waiting")]
    Overloaded,
    /// The deadline passed. If it passed during COMMIT the command may have taken effect: repeat it with
    /// its key to learn.
    #[error("the deadline passed")]
    Deadline,
    /// The database is away; repeat with the same key.
    #[error("the database is unavailable")]
    Unavailable,
    /// The consumer's cursor does not stand where this event expects it: another owner was faster, or an
    /// event before it failed. Nothing was written.
    #[error("the cursor stands at {cursor}")]
    OutOfOrder {
        /// Where it stands.
        cursor: i64,
    },
    /// The dead letter is not there, or no longer waits.
    #[error("no such dead letter waits")]
    NotParked,
    /// The epoch of the source log is not the one this consumer has read so far.
    #[error("the source log changed its epoch")]
    EpochChanged,
    /// An event of the command would be larger than the log takes: the command holds too much. Nothing was written.
    #[error("an event of the command is too large")]
    TooLarge,
    /// A defect: the verb panicked, or its data was rejected by the database. Logged where it happened.
    #[error("internal error")]
    Internal,
}

impl<R> Refused<R> {
    /// Whether the same command may succeed later without any change.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Deadline | Self::Unavailable)
    }
}

/// What became of an advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It took effect in this transaction.
    Now,
    /// The cursor stood behind it already: an earlier try, or the same consumer in another process, was faster.
    Before,
}

impl Applied {
    /// What the write path answers to an advance that the cursor stood behind; nothing to one that took effect.
    pub(crate) const BEFORE: &[u8] = b"before";

    fn from_answer(answer: &[u8]) -> Self {
        if answer == Self::BEFORE { Self::Before } else { Self::Now }
    }
}

/// How a command is kept from taking effect twice.
#[derive(Clone, Debug)]
pub(crate) enum Once {
    /// By a stored key and reply.
    Key { key: Uuid, fingerprint: i64 },
    /// By the cursor of a consumer. `event` is given when the advance covers exactly one event with an effect.
    Advance { advance: Advance, event: Option<Arc<LogEvent>> },
    /// The event becomes a dead letter.
    Park { advance: Advance, event: Arc<LogEvent>, reason: String },
    /// A dead letter is taken up again, or given up (`verdict`).
    Dead { id: Uuid, verdict: &'static str, note: Option<Arc<AuditNote>> },
    /// Housekeeping of the write path itself.
    Chore(Chore),
    /// By the verb itself, which finds nothing left to do (timers).
    Verb,
}

pub(crate) type Outcome<S> = Result<Bytes, Refused<<S as Service>::Refusal>>;

/// A command on its way through the queue.
pub(crate) struct Job<S: Service> {
    pub command: Option<Arc<dyn Command<S>>>,
    pub once: Once,
    pub until: Option<Instant>,
    pub by: Arc<str>,
    pub trace: Option<Arc<str>>,
    pub cause: Option<Cause>,
    pub answer: oneshot::Sender<Outcome<S>>,
}

/// A verb without its reply type: what the queue holds.
pub(crate) trait Command<S: Service>: Send + Sync {
    fn decide(&self, world: &mut S::World, cx: &mut Cx<'_, S>) -> Result<Vec<u8>, Stop<S::Refusal>>;
}

impl<S: Service, V: Verb<S>> Command<S> for V {
    fn decide(&self, world: &mut S::World, cx: &mut Cx<'_, S>) -> Result<Vec<u8>, Stop<S::Refusal>> {
        let reply = Verb::decide(self, world, cx)?;
        cx.stored = reply.to_stored().map(|stored| stored.encode_to_vec());
        Ok(reply.to_wire().encode_to_vec())
    }
}

/// An event turned into a command of the consuming service, see [`Door::apply`].
pub struct Effect<S: Service>(Arc<dyn Command<S>>);

impl<S: Service> Effect<S> {
    /// The effect that `verb` has.
    pub fn of<V: Verb<S>>(verb: V) -> Self {
        Self(Arc::new(verb))
    }
}

impl<S: Service> Clone for Effect<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The door of service `S`. Cheap to clone.
pub struct Door<S: Service> {
    pub(crate) queue: mpsc::Sender<Job<S>>,
    pub(crate) log: EventLog,
    pub(crate) stats: Arc<Stats>,
}

impl<S: Service> Clone for Door<S> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone(), log: self.log.clone(), stats: self.stats.clone() }
    }
}

impl<S: Service> Door<S> {
    /// The event log behind this door.
    pub fn log(&self) -> EventLog {
        self.log.clone()
    }

    /// Counters of the write path.
    pub const fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Sends a command and waits for its reply, which comes after COMMIT.
    pub async fn submit<V: Verb<S>>(
        &self,
        submission: Submission,
        verb: V,
    ) -> Result<<V::Reply as Answer>::Wire, Refused<S::Refusal>> {
        let Submission { key, fingerprint, until, by, trace, cause } = submission;
        let (answer, reply) = oneshot::channel();
        let once = Once::Key { key, fingerprint };
        let job = Job { command: Some(Arc::new(verb)), once, until: Some(until), by, trace, cause, answer };
        self.queue.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refused::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Refused::Unavailable,
        })?;
        let bytes = match tokio::time::timeout_at(until.into(), reply).await {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(_)) => return Err(Refused::Unavailable),
            Err(_) => return Err(Refused::Deadline),
        };
        <V::Reply as Answer>::Wire::decode(bytes).map_err(|error| {
            tracing::error!(%error, "a stored reply does not decode");
            Refused::Internal
        })
    }

    /// Sends a command that finds by itself whether anything is left to do, such as a timer that fires.
    pub async fn fire<V: Verb<S>>(&self, by: &'static str, verb: V) -> Result<(), Refused<S::Refusal>> {
        self.send(Some(Arc::new(verb)), Once::Verb, by, None).await?.await.map(drop)
    }

    /// Applies one event of another log, and moves the cursor over it in the same transaction. The first
    /// await queues it: to keep a pipeline filled, call in order and await the inner futures later.
    pub async fn apply(
        &self,
        advance: Advance,
        event: Arc<LogEvent>,
        effect: Effect<S>,
    ) -> Result<impl Future<Output = Result<Applied, Refused<S::Refusal>>> + use<S>, Refused<S::Refusal>> {
        let trace = event.trace_context.as_deref().map(Arc::from);
        let by = advance.consumer;
        let answer = self.send(Some(effect.0), Once::Advance { advance, event: Some(event) }, by, trace).await?;
        Ok(async move { answer.await.map(|bytes| Applied::from_answer(&bytes)) })
    }

    /// Moves the cursor over events that mean nothing to this service.
    pub async fn skip(
        &self,
        advance: Advance,
    ) -> Result<impl Future<Output = Result<Applied, Refused<S::Refusal>>> + use<S>, Refused<S::Refusal>> {
        let by = advance.consumer;
        let answer = self.send(None, Once::Advance { advance, event: None }, by, None).await?;
        Ok(async move { answer.await.map(|bytes| Applied::from_answer(&bytes)) })
    }

    /// Makes the event a dead letter, parks its aggregate and moves the cursor over it.
    pub async fn park(
        &self,
        advance: Advance,
        event: Arc<LogEvent>,
        reason: String,
    ) -> Result<(), Refused<S::Refusal>> {
        let by = advance.consumer;
        self.send(None, Once::Park { advance, event, reason }, by, None).await?.await.map(drop)
    }

    /// Applies a dead letter at last; it must be the oldest that waits for its aggregate. `note` goes into the audit
    /// trail with it.
    pub async fn redrive(
        &self,
        id: Uuid,
        effect: Option<Effect<S>>,
        note: Option<Arc<AuditNote>>,
    ) -> Result<(), Refused<S::Refusal>> {
        let once = Once::Dead { id, verdict: crate::dead::REDRIVEN, note };
        self.send(effect.map(|effect| effect.0), once, "operator", None).await?.await.map(drop)
    }

    /// Gives a dead letter up without applying it. `note` goes into the audit trail with it.
    pub async fn discard(&self, id: Uuid, note: Option<Arc<AuditNote>>) -> Result<(), Refused<S::Refusal>> {
        let once = Once::Dead { id, verdict: crate::dead::DISCARDED, note };
        self.send(None, once, "operator", None).await?.await.map(drop)
    }

    pub(crate) async fn send(
        &self,
        command: Option<Arc<dyn Command<S>>>,
        once: Once,
        by: &'static str,
        trace: Option<Arc<str>>,
    ) -> Result<impl Future<Output = Outcome<S>> + use<S>, Refused<S::Refusal>> {
        let (answer, reply) = oneshot::channel();
        let job = Job { command, once, until: None, by: Arc::from(by), trace, cause: None, answer };
        self.queue.send(job).await.map_err(|_| Refused::Unavailable)?;
        Ok(async move { reply.await.unwrap_or(Err(Refused::Unavailable)) })
    }
}
