//! The pipeline: read, react, send, confirm, all at once and in order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use commit::{Applied, LogEvent, Refused, Service};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use tokio::time::Instant;
use tracing::Instrument;

use crate::consumer::{End, Runner, epoch_changed};
use crate::progress::Phase;
use crate::reader::{Lost, Reader};
use crate::source::{BoxFuture, Page};

/// Events read ahead of the pipeline.
const READ_AHEAD: usize = 512;
/// A run of events that mean nothing is written down when it is this long …
const SKIP_EVENTS: i64 = 1_000;
/// … or this old. Until then it rides along with the next effect.
const SKIP_AFTER: Duration = Duration::from_secs(1);

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
    /// Runs the pipeline from `cursor` on, until something goes wrong.
    pub(super) async fn flow(&self, reader: &mut Reader, epoch: i64, cursor: i64) -> End {
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
                biased;
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
}
