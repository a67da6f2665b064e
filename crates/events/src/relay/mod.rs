//! The relay: copies an event log into its stream so that the sequence in the stream is the sequence in the
//! log. Every publish says which sequence must stand before it, so a relay that is late, doubled or a zombie
//! is refused by the stream: this chain is the safety. There is no lease (ADR 7): a relay that is refused follows
//! the one that was faster, and takes over when the stream stands still while the log does not.

mod pump;
mod resync;

use std::time::Duration;

use commit::EventLog;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::link::Link;
use crate::names::Names;
use crate::relay::pump::{AUDIT, Stop};
use crate::relay::resync::{Mark, Stand};

/// The table is asked this often for events of other replicas.
const SWEEP: Duration = Duration::from_millis(500);
/// A follower takes over when the stream stood still for this long, and a random part of it more.
const PATIENCE: Duration = Duration::from_millis(400);
/// First and longest pause before the next resync.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
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

/// The relay of one log in this process.
pub(crate) struct Relay {
    pub(crate) log: EventLog,
    pub(crate) names: Names,
    /// The name of the stream.
    pub(crate) stream: String,
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
            biased;
            () = stop.cancelled() => {}
            ((), ()) = async { tokio::join!(self.sweep(), self.relay()) } => {}
        }
    }

    /// Learns of events that other replicas wrote: from time to time, and when one of them pokes.
    async fn sweep(&self) {
        let mut pokes = None;
        loop {
            if pokes.is_none() {
                pokes = self.link.pokes(self.names.poke(self.log.name())).await;
            }
            let known = *self.log.head().borrow();
            match self.log.bounds().await {
                Ok(bounds) => {
                    if bounds.last_seq < known {
                        let (log, is) = (self.log.name(), bounds.last_seq);
                        tracing::error!(log, known, is, "the log is shorter than it was: its database was restored");
                        self.log.went_back(is);
                    }
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
                    Some(pokes) => pokes.next().await,
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
            let setbacks = self.log.setbacks();
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
                            self.follow(setbacks).await;
                            pause = BACKOFF.0;
                            continue;
                        }
                        // It was refused for another reason, such as a tail that the stream has lost.
                        Some(_) => self.rest(&mut pause).await,
                        None => {}
                    }
                    self.set(|state| state.phase = RelayPhase::Leading);
                    match self.pump(last, setbacks).await {
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

    /// Another relay leads. Comes back when the stream stands still while the log has more, or when the log went back.
    async fn follow(&self, setbacks: u64) {
        self.set(|state| state.phase = RelayPhase::Following);
        let mut head = self.log.head();
        let mut still_since: Option<Instant> = None;
        let patience = PATIENCE.mul_f64(self.link.chance().between(1.0, 2.0));
        loop {
            let known = *head.borrow_and_update();
            if self.log.setbacks() != setbacks {
                return;
            }
            let published = self.state.borrow().published_seq;
            if known <= published {
                still_since = None;
                match tokio::time::timeout(AUDIT, head.changed()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return,
                    // Nothing happens for long. All may be following, so each looks whether the stream is still whole.
                    Err(_) => match self.link.find_stream(&self.stream).await {
                        Ok(Some(stream)) if stream.last_seq >= published => continue,
                        _ => return,
                    },
                }
                // Our own commit, perhaps: the leader hears of it before its next sweep.
                self.link.poke(self.names.poke(self.log.name())).await;
                continue;
            }
            let since = *still_since.get_or_insert_with(Instant::now);
            let _ = tokio::time::timeout(patience / 4, head.changed()).await;
            self.link.poke(self.names.poke(self.log.name())).await;
            if since.elapsed() < patience {
                continue;
            }
            let Ok(Some(stream)) = self.link.find_stream(&self.stream).await else { return };
            let last = stream.last_seq;
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
