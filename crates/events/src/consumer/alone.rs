//! An event that could not be applied among others: it is tried on its own, and parked in the end.

use std::sync::Arc;
use std::time::Duration;

use commit::{Advance, LogEvent, Refused, Service};
use tracing::Instrument;

use crate::consumer::{End, Poison, Runner, epoch_changed};
use crate::reader::Reader;

/// Tries of one event alone, before it becomes a dead letter.
const ATTEMPTS: u32 = 3;
/// The pause after the first of these tries; it doubles.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(50);

/// How one event ended that was tried alone.
enum Fate {
    Done,
    Parked,
    End(End),
}

impl<S: Service> Runner<S> {
    /// The event at `seq` could not be applied among others: it is tried on its own, and parked in the end.
    pub(super) async fn alone_at(&self, reader: &mut Reader, seq: i64) -> Option<End> {
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
