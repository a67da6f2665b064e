//! The consumer runner: reads a log, turns each event into a command of this service, and sends the commands
//! through the door so that the cursor moves in the transaction of the effect. A pipeline keeps the committer's
//! batches full. Whatever goes wrong, the truth is the cursor in the database: look there and begin again.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use commit::{Advance, Applied, Door, Effect, LogEvent, Refused, Service};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::progress::{Phase, Progress};
use crate::reader::{Lost, Reader};
use crate::source::{BoxFuture, Page, Source};

/// Applies on their way through the door.
const WINDOW: usize = 256;
/// Events read ahead of the pipeline.
const READ_AHEAD: usize = 512;
/// A run of events that mean nothing is written down when it is this long …
const SKIP_EVENTS: i64 = 1_000;
/// … or this old. Until then it rides along with the next effect.
const SKIP_AFTER: Duration = Duration::from_secs(1);
/// Tries of one event alone, before it becomes a dead letter.
const ATTEMPTS: u32 = 3;
/// The pause after the first of these tries; it doubles.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);
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
}

/// How an advance ended.
struct Landed<R> {
    /// The last event that it covers.
    to_seq: i64,
    /// Whether that event has an effect, or is the end of a run that means nothing.
    effect: bool,
    result: Result<Applied, Refused<R>>,
}

/// Advances on their way, in order.
type Flying<R> = FuturesOrdered<BoxFuture<Landed<R>>>;

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

/// How one event ended that was tried alone.
enum Fate {
    Done,
    Parked,
    End(End),
}

/// What was read and is not confirmed yet, and the advances on their way.
struct Pipe<R> {
    epoch: i64,
    /// Covered by the advances that were sent.
    sent: i64,
    /// Reacted to; `seen - sent` events at the end mean nothing and wait to be folded into an advance.
    seen: i64,
    /// Read and not reacted to.
    queue: VecDeque<Arc<LogEvent>>,
    flying: Flying<R>,
    skip_at: Option<Instant>,
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
                    tokio::time::sleep(pause.mul_f64(rand::random_range(0.5..1.5))).await;
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

    /// The pipeline: read, react, send, confirm, all at once and in order.
    async fn flow(&self, reader: &mut Reader, epoch: i64, cursor: i64) -> End {
        let mut pipe = Pipe {
            epoch,
            sent: cursor,
            seen: cursor,
            queue: VecDeque::new(),
            flying: FuturesOrdered::new(),
            skip_at: None,
        };
        self.phase(Phase::Live);
        loop {
            if let Err(end) = self.send(&mut pipe).await {
                return self.settle(pipe, end).await;
            }
            let (wants_more, flying) = (pipe.queue.len() < READ_AHEAD, !pipe.flying.is_empty());
            let skip_at = pipe.skip_at;
            tokio::select! {
                Some(landed) = pipe.flying.next(), if flying => {
                    let idle = pipe.flying.is_empty();
                        if let Err(end) = self.confirm(landed, idle) {
                        return self.settle(pipe, end).await;
                    }
                }
                page = reader.next(), if wants_more => {
                    if let Err(end) = self.take(&mut pipe, page) {
                        return self.settle(pipe, end).await;
                    }
                }
                () = async { tokio::time::sleep_until(skip_at.unwrap_or_else(Instant::now)).await }, if skip_at.is_some() => {
                    if let Err(end) = self.skip(&mut pipe).await {
                        return self.settle(pipe, end).await;
                    }
                }
            }
        }
    }

    fn take(&self, pipe: &mut Pipe<S::Refusal>, page: Result<Page, Lost>) -> Result<(), End> {
        let page = page.map_err(|lost| End::Halt(lost.to_string()))?;
        if pipe.epoch == 0 {
            pipe.epoch = page.epoch;
        }
        if page.epoch != pipe.epoch {
            return Err(epoch_changed(pipe.epoch, page.epoch));
        }
        self.progress.send_if_modified(|progress| {
            progress.head_seq = progress.head_seq.max(page.head_seq);
            false
        });
        pipe.queue.extend(page.events);
        Ok(())
    }

    /// Sends advances while there is room.
    async fn send(&self, pipe: &mut Pipe<S::Refusal>) -> Result<(), End> {
        while pipe.flying.len() < self.options.window {
            let Some(event) = pipe.queue.front() else { break };
            if event.seq <= pipe.seen {
                pipe.queue.pop_front();
                continue;
            }
            if event.seq != pipe.seen + 1 {
                return Err(End::Restart(Some(format!("the reader skipped from {} to {}", pipe.seen, event.seq))));
            }
            let Ok(reaction) = self.react(event) else { return Err(End::Alone(event.seq)) };
            let Some(event) = pipe.queue.pop_front() else { break };
            pipe.seen = event.seq;
            if let Some(effect) = reaction {
                let advance = self.advance(pipe.epoch, pipe.sent, event.seq);
                let (to_seq, span) = (event.seq, (self.options.span)(&event));
                let sent = self.door.apply(advance, event, effect).instrument(span.clone()).await;
                let applied = sent.map_err(|refused| End::Restart(Some(refused.to_string())))?;
                pipe.flying.push_back(Box::pin(
                    async move { Landed { to_seq, effect: true, result: applied.await } }.instrument(span),
                ));
                (pipe.sent, pipe.skip_at) = (to_seq, None);
            } else {
                self.progress.send_if_modified(|progress| {
                    progress.ignored += 1;
                    false
                });
                if pipe.seen - pipe.sent >= SKIP_EVENTS {
                    self.skip(pipe).await?;
                } else if pipe.skip_at.is_none() {
                    pipe.skip_at = Some(Instant::now() + SKIP_AFTER);
                }
            }
        }
        Ok(())
    }

    /// Moves the cursor over the run of events that mean nothing.
    async fn skip(&self, pipe: &mut Pipe<S::Refusal>) -> Result<(), End> {
        pipe.skip_at = None;
        if pipe.seen > pipe.sent {
            let (advance, to_seq) = (self.advance(pipe.epoch, pipe.sent, pipe.seen), pipe.seen);
            let sent = self.door.skip(advance).await;
            let skipped = sent.map_err(|refused| End::Restart(Some(refused.to_string())))?;
            pipe.flying.push_back(Box::pin(async move { Landed { to_seq, effect: false, result: skipped.await } }));
            pipe.sent = to_seq;
        }
        Ok(())
    }

    fn confirm(&self, landed: Landed<S::Refusal>, idle: bool) -> Result<(), End> {
        let Landed { to_seq, effect, result } = landed;
        match result {
            Ok(applied) => {
                self.progress.send_if_modified(|progress| {
                    progress.cursor = to_seq;
                    progress.head_seq = progress.head_seq.max(to_seq);
                    progress.applied += u64::from(effect && applied == Applied::Now);
                    // Told once for each burst, not for each event.
                    idle
                });
                if applied == Applied::Before { Err(End::Rival) } else { Ok(()) }
            }
            Err(Refused::OutOfOrder { .. }) => Err(End::Rival),
            Err(Refused::EpochChanged) => Err(End::Halt("the epoch of the source log changed".to_owned())),
            Err(refused) if refused.is_transient() => Err(End::Restart(Some(refused.to_string()))),
            Err(_) => Err(End::Alone(to_seq)),
        }
    }

    /// Waits for all advances that are still on their way: those behind a failed one fail as well. Rivals that
    /// meet both see the other's work; the one that had the last word goes on.
    async fn settle(&self, mut pipe: Pipe<S::Refusal>, mut end: End) -> End {
        let mut rival = matches!(end, End::Rival);
        while let Some(landed) = pipe.flying.next().await {
            match self.confirm(landed, pipe.flying.is_empty()) {
                Ok(()) => rival = false,
                Err(End::Rival) => rival = true,
                Err(sooner) if matches!(end, End::Rival | End::Alone(_)) => end = sooner,
                Err(_) => {}
            }
        }
        if matches!(end, End::Rival) && !rival { End::Restart(None) } else { end }
    }

    /// Reads along while the same consumer runs elsewhere, and comes back when its cursor stands still though
    /// there is more.
    async fn follow(&self, reader: &mut Reader) -> Option<End> {
        self.phase(Phase::Following);
        let patience = PATIENCE.mul_f64(rand::random_range(1.0..2.0));
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

    /// The event at `seq` could not be applied among others: it is tried on its own, and parked in the end.
    async fn alone_at(&self, reader: &mut Reader, seq: i64) -> Option<End> {
        let (mut epoch, mut cursor) = self.stand().await;
        if cursor >= seq {
            return None;
        }
        reader.seek(cursor);
        let mut ignored = 0;
        loop {
            let page = match reader.next().await {
                Ok(page) => page,
                Err(lost) => return Some(End::Halt(lost.to_string())),
            };
            if epoch == 0 {
                epoch = page.epoch;
            }
            if page.epoch != epoch {
                return Some(epoch_changed(epoch, page.epoch));
            }
            for event in page.events {
                let meaningless = event.seq < seq && matches!(self.react(&event), Ok(None));
                if meaningless {
                    ignored += 1;
                    continue;
                }
                let at = event.seq;
                match self.alone(self.advance(epoch, cursor, at), event).await {
                    Fate::Done => self.progress.send_modify(|progress| progress.applied += 1),
                    Fate::Parked => self.progress.send_modify(|progress| progress.parked += 1),
                    Fate::End(end) => return Some(end),
                }
                self.progress.send_modify(|progress| {
                    progress.cursor = at;
                    progress.ignored += std::mem::take(&mut ignored);
                });
                cursor = at;
                if at >= seq {
                    return None;
                }
            }
        }
    }

    async fn alone(&self, advance: Advance, event: Arc<LogEvent>) -> Fate {
        let span = (self.options.span)(&event);
        let mut reason = String::new();
        let mut pause = ATTEMPT_PAUSE;
        for attempt in 1..=ATTEMPTS {
            let outcome = match self.react(&event) {
                Err(Poison(why)) => {
                    reason = why;
                    None
                }
                Ok(Some(effect)) => match self.door.apply(advance.clone(), event.clone(), effect).await {
                    Ok(applied) => Some(applied.instrument(span.clone()).await),
                    Err(refused) => Some(Err(refused)),
                },
                Ok(None) => match self.door.skip(advance.clone()).await {
                    Ok(skipped) => Some(skipped.await),
                    Err(refused) => Some(Err(refused)),
                },
            };
            match outcome {
                Some(Ok(_)) => return Fate::Done,
                Some(Err(refused)) => match sort(refused) {
                    Ok(why) => reason = why,
                    Err(end) => return Fate::End(end),
                },
                None => {}
            }
            let (consumer, seq, kind) = (self.consumer, event.seq, &event.kind);
            tracing::warn!(consumer, seq, kind, reason, attempt, "an event cannot be applied");
            if attempt < ATTEMPTS {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        let (consumer, seq, kind) = (self.consumer, event.seq, &event.kind);
        tracing::error!(consumer, seq, kind, reason, "an event is parked as a dead letter");
        match self.door.park(advance, event, reason).await {
            Ok(()) => Fate::Parked,
            Err(refused) => match sort(refused) {
                Ok(why) => Fate::End(End::Restart(Some(why))),
                Err(end) => Fate::End(end),
            },
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

/// Whether a refusal is for ever (then why), or ends the run.
fn sort<R: std::fmt::Debug>(refused: Refused<R>) -> Result<String, End> {
    match refused {
        Refused::OutOfOrder { .. } => Err(End::Restart(None)),
        Refused::EpochChanged => Err(End::Halt("the epoch of the source log changed".to_owned())),
        refused if refused.is_transient() => Err(End::Restart(Some(refused.to_string()))),
        refused => Ok(refused.to_string()),
    }
}

fn epoch_changed(from: i64, to: i64) -> End {
    End::Halt(format!("the epoch of the source log changed from {from} to {to}: its history forked"))
}
