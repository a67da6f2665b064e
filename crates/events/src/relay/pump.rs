//! Publishing: everything behind a sequence, a window of it at a time, until something is in doubt.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use commit::LogEvent;
use futures_util::stream::FuturesOrdered;
use futures_util::{FutureExt, StreamExt};
use uuid::Uuid;

use crate::envelope;
use crate::link::{Ack, Outgoing};
use crate::relay::Relay;
use crate::source::BoxFuture;

/// Publishes on their way without an ack.
const WINDOW: usize = 512;
/// Events read from the log at once.
const PAGE: usize = 500;
/// Longest wait for the acks that are still on their way when one of them was bad.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
/// The stream is compared with the log at least this often: what it loses in silence is there again after that time.
pub(super) const AUDIT: Duration = Duration::from_secs(60);

/// Why publishing came to an end.
pub(super) enum Stop {
    /// Told to stop.
    Cancelled,
    /// The stream holds something at this place already.
    Conflict(i64, String),
    /// Time to compare the stream with the log again.
    Audit,
    /// Anything else: find out where the stream is.
    Doubt(String),
}

type Acks = FuturesOrdered<BoxFuture<(i64, Ack)>>;

/// What a relay has read and sent.
struct Flow {
    epoch: i64,
    /// The newest event that was sent, or that the stream had before.
    sent: i64,
    /// Its id, as far as it is known: it must still stand there when the next one is read.
    newest: Option<Uuid>,
    /// Read from the log and not sent.
    ready: VecDeque<Arc<LogEvent>>,
    acks: Acks,
}

impl Relay {
    /// Publishes everything behind `last`, for ever; `setbacks` are those that were known when the two were compared.
    pub(super) async fn pump(&self, last: i64, setbacks: u64) -> Stop {
        let epoch = match self.log.bounds().await {
            Ok(bounds) => bounds.epoch,
            Err(error) => return Stop::Doubt(error.to_string()),
        };
        let newest = match self.log.read_stored(last - 1, 1).await {
            Ok(events) => events.first().filter(|event| event.seq == last).map(|event| event.event_id),
            Err(error) => return Stop::Doubt(error.to_string()),
        };
        let mut flow = Flow { epoch, sent: last, newest, ready: VecDeque::new(), acks: FuturesOrdered::new() };
        let mut head = self.log.head();
        let mut reconnects = self.link.reconnects();
        let mut audit = pin!(tokio::time::sleep(AUDIT));
        loop {
            let known = *head.borrow_and_update();
            if self.log.setbacks() != setbacks {
                return drain(flow.acks, Stop::Audit).await;
            }
            if let Err(stop) = self.fill(&mut flow, known).await {
                return stop;
            }
            tokio::select! {
                biased;
                Some((seq, ack)) = flow.acks.next(), if !flow.acks.is_empty() => {
                    if let Err(stop) = self.confirm(&mut flow.acks, seq, ack) {
                        return drain(flow.acks, stop).await;
                    }
                }
                changed = head.changed(), if flow.acks.len() < WINDOW => {
                    if changed.is_err() {
                        return Stop::Cancelled;
                    }
                }
                () = reconnects.next() => {
                    // Acks that were on their way are lost, and so may be what they would have said.
                    return drain(flow.acks, Stop::Audit).await;
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
                self.read_on(flow).await?;
            }
            let event = flow.ready.pop_front().filter(|event| event.seq == flow.sent + 1);
            let Some(event) = event else {
                return Err(Stop::Doubt(format!("the log does not give {}", flow.sent + 1)));
            };
            let seq = event.seq;
            let message = Outgoing {
                stream: &self.stream,
                subject: self.names.subject(self.log.name(), &event),
                headers: envelope::headers(self.log.name(), flow.epoch, &event),
                payload: event.payload.clone(),
                seq,
            };
            let sent = self.link.publish(message).await;
            flow.acks.push_back(sent.map_err(|error| Stop::Doubt(format!("event {seq} cannot be sent: {error}")))?);
            (flow.sent, flow.newest) = (seq, Some(event.event_id));
        }
        Ok(())
    }

    /// Reads the next events, and with them the one before: if that is another one by now, the database was restored to
    /// an older state and has written on.
    async fn read_on(&self, flow: &mut Flow) -> Result<(), Stop> {
        let (sent, after) = (flow.sent, (flow.sent - 1).max(0));
        let events = self.log.read(after, PAGE + 1).await.map_err(|error| Stop::Doubt(error.to_string()))?;
        flow.ready.extend(events);
        if let Some(before) = flow.ready.pop_front_if(|event| event.seq == sent)
            && flow.newest.is_some_and(|newest| newest != before.event_id)
        {
            return Err(Stop::Audit);
        }
        Ok(())
    }

    /// Takes an ack, and those behind it that have come as well.
    fn confirm(&self, acks: &mut Acks, seq: i64, ack: Ack) -> Result<(), Stop> {
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
}

/// An ack counts only when it names the very sequence, and a new message.
fn judge(seq: i64, ack: Ack) -> Result<(), Stop> {
    match ack {
        Ack::Stored { seq: stored, duplicate: false } if i64::try_from(stored) == Ok(seq) => Ok(()),
        Ack::Stored { seq: stored, .. } => Err(Stop::Doubt(format!("event {seq} was acknowledged as {stored}"))),
        Ack::Refused(why) => Err(Stop::Conflict(seq, format!("event {seq} was refused: {why}"))),
        Ack::Unknown(why) => Err(Stop::Doubt(format!("event {seq} was not acknowledged: {why}"))),
    }
}

/// Waits for what is still under way, so that the next look at the stream sees its end. A refusal among it says more than
/// `stop` did: at that place the stream is to be compared.
async fn drain(mut acks: Acks, mut stop: Stop) -> Stop {
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, async {
        while let Some((seq, ack)) = acks.next().await {
            if let (Err(refused @ Stop::Conflict(..)), Stop::Doubt(_) | Stop::Audit) = (judge(seq, ack), &stop) {
                stop = refused;
            }
        }
    })
    .await;
    stop
}
