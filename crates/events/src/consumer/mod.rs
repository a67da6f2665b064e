//! The consumer runner: reads a log, turns each event into a command of this service, and sends the commands
//! through the door so that the cursor moves in the transaction of the effect. A pipeline keeps the committer's
//! batches full. Whatever goes wrong, the truth is the cursor in the database: look there and begin again.

mod alone;
mod pipe;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use commit::{Advance, Door, Effect, LogEvent, Service};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::chance::Chance;
use crate::progress::{Phase, Progress};
use crate::reader::{Lost, Reader};
use crate::source::Source;

/// Applies on their way through the door.
const WINDOW: usize = 256;
/// First and longest pause before something that is away is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// A follower takes over when the cursor stood still for this long, and a random part of it more.
const PATIENCE: Duration = Duration::from_secs(1);
/// A halted consumer looks this often whether an operator has acted.
const HALTED_LOOK: Duration = Duration::from_secs(2);

/// An event that can never be applied as it is: its payload does not decode, or it breaks a law.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);

impl Poison {
    /// Poison for this reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Turns an event into a command of service `S`; `None` when it means nothing to it. Pure: it may be asked
/// several times about the same event, and does no I/O.
pub type React<S> = Arc<dyn Fn(&LogEvent) -> Result<Option<Effect<S>>, Poison> + Send + Sync>;

/// How a consumer runs.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerOptions {
    /// Opens the span in which an event is applied. [`process_span`] unless the server kit puts in one that is
    /// linked to [`LogEvent::trace_context`].
    pub span: fn(&LogEvent) -> Span,
    /// Applies on their way at the same time.
    pub window: usize,
}

impl Default for ConsumerOptions {
    fn default() -> Self {
        Self { span: process_span, window: WINDOW }
    }
}

/// The span `process {type}`, with the names of the OpenTelemetry conventions for messaging.
pub fn process_span(event: &LogEvent) -> Span {
    let name = format!("process {}", event.kind);
    tracing::info_span!(
        parent: None,
        "process",
        otel.name = name,
        otel.kind = "consumer",
        messaging.operation.type = "process",
        messaging.message.id = %event.event_id,
        karibu.event.seq = event.seq,
    )
}

/// One consumer on one source.
pub(crate) struct Runner<S: Service> {
    pub(crate) consumer: &'static str,
    pub(crate) source: Source,
    pub(crate) door: Door<S>,
    pub(crate) react: React<S>,
    pub(crate) options: ConsumerOptions,
    pub(crate) progress: watch::Sender<Progress>,
    pub(crate) chance: Chance,
}

/// Why a run came to an end.
enum End {
    /// The cursor stands elsewhere than the pipeline believed, or something is away.
    Restart(Option<String>),
    /// The same consumer runs in another process and is faster.
    Rival,
    /// The event at this place cannot be applied in the pipeline.
    Alone(i64),
    /// Only an operator can help.
    Halt(String),
}

impl<S: Service> Runner<S> {
    /// Runs until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        stop.run_until_cancelled(self.go_on()).await;
        self.phase(Phase::Stopped);
    }

    async fn go_on(&self) {
        let mut pause = BACKOFF.0;
        let mut reader: Option<Reader> = None;
        loop {
            let (epoch, cursor) = self.stand().await;
            let reader = reader.get_or_insert_with(|| self.source.reader(cursor));
            if reader.after() != cursor {
                reader.seek(cursor);
            }
            let before = cursor;
            let end = match self.flow(reader, epoch, cursor).await {
                End::Alone(seq) => self.alone_at(reader, seq).await,
                End::Rival => self.follow(reader).await,
                end => Some(end),
            };
            self.progress.send_modify(|progress| progress.restarts += 1);
            match end {
                None | Some(End::Restart(None) | End::Rival | End::Alone(_)) => pause = BACKOFF.0,
                Some(End::Restart(Some(reason))) => {
                    tracing::warn!(consumer = self.consumer, source = self.source.name(), reason, "a consumer waits");
                    if self.progress.borrow().cursor > before {
                        pause = BACKOFF.0;
                    }
                    self.phase(Phase::Waiting { reason });
                    tokio::time::sleep(pause.mul_f64(self.chance.between(0.5, 1.5))).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
                Some(End::Halt(reason)) => self.halted(reason, epoch).await,
            }
        }
    }

    /// Where the database says that this consumer stands; epoch 0 = it has not read anything yet.
    async fn stand(&self) -> (i64, i64) {
        let mut pause = BACKOFF.0;
        loop {
            match self.door.log().cursor(self.consumer, self.source.name()).await {
                Ok(stand) => {
                    let (epoch, cursor) = stand.unwrap_or((0, 0));
                    self.progress.send_modify(|progress| progress.cursor = cursor);
                    return (epoch, cursor);
                }
                Err(error) => {
                    tracing::warn!(
                        consumer = self.consumer,
                        error = &error as &dyn std::error::Error,
                        "the cursor of a consumer cannot be read"
                    );
                    self.phase(Phase::Waiting { reason: error.to_string() });
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// Waits until the cursor was changed by someone else.
    async fn halted(&self, reason: String, epoch: i64) {
        let cursor = self.progress.borrow().cursor;
        let (consumer, source) = (self.consumer, self.source.name());
        tracing::error!(consumer, source, reason, cursor, "a consumer halted: it needs an operator");
        self.phase(Phase::Halted { reason });
        loop {
            tokio::time::sleep(HALTED_LOOK).await;
            if let Ok(stand) = self.door.log().cursor(self.consumer, self.source.name()).await
                && stand.unwrap_or((0, 0)) != (epoch, cursor)
            {
                return;
            }
        }
    }

    /// Reads along while the same consumer runs elsewhere, and comes back when its cursor stands still though
    /// there is more.
    async fn follow(&self, reader: &mut Reader) -> Option<End> {
        self.phase(Phase::Following);
        let patience = PATIENCE.mul_f64(self.chance.between(1.0, 2.0));
        let (mut at, mut since) = (0, Instant::now());
        loop {
            let (_, cursor) = self.stand().await;
            if cursor != at {
                (at, since) = (cursor, Instant::now());
            }
            if reader.after() <= cursor {
                match reader.next().await {
                    Ok(page) => self.progress.send_modify(|progress| {
                        progress.head_seq = progress.head_seq.max(page.head_seq);
                    }),
                    Err(Lost::Expired { floor_seq }) if floor_seq <= cursor + 1 => reader.seek(cursor),
                    Err(lost) => return Some(End::Halt(lost.to_string())),
                }
                since = Instant::now();
            } else if since.elapsed() >= patience {
                return None;
            } else {
                tokio::time::sleep(patience / 4).await;
            }
        }
    }

    fn react(&self, event: &LogEvent) -> Result<Option<Effect<S>>, Poison> {
        catch_unwind(AssertUnwindSafe(|| (self.react)(event)))
            .unwrap_or_else(|_| Err(Poison::new("the handler of the event panicked")))
    }

    /// The move from `after` up to and over `to_seq`.
    fn advance(&self, epoch: i64, after: i64, to_seq: i64) -> Advance {
        let source_log = self.source.name().to_owned();
        Advance { consumer: self.consumer, source_log, epoch, from_seq: after + 1, to_seq }
    }

    fn phase(&self, phase: Phase) {
        self.progress.send_modify(|progress| progress.phase = phase);
    }
}

fn epoch_changed(from: i64, to: i64) -> End {
    End::Halt(format!("the epoch of the source log changed from {from} to {to}: its history forked"))
}
