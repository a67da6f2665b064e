//! The logs of all services as the subscribers of this process read them: one reader per log feeds a ring of the
//! newest events, from which everyone at the tail is served; who is behind reads the log itself. Nothing is kept for
//! a single subscriber, so a slow one only lags; and while there is none, nothing is read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use commit::LogEvent;
use events::{Lost, Page, Source};
use server::Stop;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::limits;

/// Wait before a log that could not be asked is asked again.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// All logs. Clones share them.
#[derive(Clone, Debug)]
pub struct Tails(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    tails: BTreeMap<String, Tail>,
    /// Marked whenever any log grows. Its receivers are the listeners.
    grown: watch::Sender<()>,
    /// Marked whenever a listener comes.
    wanted: watch::Sender<()>,
}

/// One log.
#[derive(Debug)]
pub struct Tail {
    source: Source,
    ring: Mutex<Ring>,
}

/// What a log holds, as far as this process knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Epoch of the log.
    pub epoch: i64,
    /// The oldest event that is kept.
    pub floor_seq: i64,
    /// The newest event; 0 if there is none.
    pub head_seq: i64,
}

#[derive(Debug, Default)]
struct Ring {
    /// A reader keeps it current. Without one nothing is remembered: it would soon be wrong.
    followed: bool,
    bounds: Option<Bounds>,
    events: VecDeque<Arc<LogEvent>>,
}

/// A log does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away;

impl Tails {
    /// Follows these logs until `stop`; each is given a task by `spawn`.
    pub fn follow(sources: impl IntoIterator<Item = Source>, stop: &Stop, spawn: impl Fn(Follow)) -> Self {
        let tail = |source: Source| (source.name().to_owned(), Tail { source, ring: Mutex::default() });
        let tails = Self(Arc::new(Inner {
            tails: sources.into_iter().map(tail).collect(),
            grown: watch::channel(()).0,
            wanted: watch::channel(()).0,
        }));
        for name in tails.0.tails.keys() {
            let (tails, name) = (tails.clone(), name.clone());
            spawn(Box::pin(stop.clone().run_until_cancelled_owned(async move { tails.feed(&name).await })));
        }
        tails
    }

    /// The logs by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tail)> {
        self.0.tails.iter().map(|(name, tail)| (name.as_str(), tail))
    }

    /// The log with this name.
    pub fn find(&self, name: &str) -> Option<&Tail> {
        self.0.tails.get(name)
    }

    /// Changes whenever any log has grown. The logs are followed as long as anyone holds one of these.
    pub fn grown(&self) -> watch::Receiver<()> {
        let grown = self.0.grown.subscribe();
        self.0.wanted.send_replace(());
        grown
    }

    /// Until someone listens.
    async fn wanted(&self) {
        let mut wanted = self.0.wanted.subscribe();
        while self.0.grown.receiver_count() == 0 {
            // Ends with the sender, which this holds.
            let _ = wanted.changed().await;
        }
    }

    /// Until nobody has listened for a while. A subscriber that comes back soon finds the ring as it was.
    async fn unwanted(&self) {
        loop {
            tokio::time::sleep(limits::TAIL_LINGER).await;
            if self.0.grown.receiver_count() == 0 {
                return;
            }
        }
    }

    /// Keeps the ring of one log current while someone listens, for ever.
    async fn feed(&self, name: &str) {
        let Some(tail) = self.find(name) else { return };
        loop {
            self.wanted().await;
            tail.lock().followed = true;
            tokio::select! {
                () = self.keep_current(tail, name) => {}
                () = self.unwanted() => {}
            }
            *tail.lock() = Ring::default();
        }
    }

    async fn keep_current(&self, tail: &Tail, name: &str) {
        loop {
            let Ok(bounds) = tail.ask().await else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            let mut reader = tail.source.reader(bounds.head_seq);
            // Those who wait for the log to be there look again.
            self.0.grown.send_replace(());
            loop {
                match reader.next().await {
                    Ok(page) => {
                        let same = tail.take_in(page);
                        self.0.grown.send_replace(());
                        if !same {
                            break;
                        }
                    }
                    Err(Lost::Expired { floor_seq }) => {
                        tracing::warn!(log = name, floor_seq, "the tail of a log was overtaken, it starts over");
                        break;
                    }
                }
            }
        }
    }
}

/// The work that keeps one log current; ends with the process.
pub(crate) type Follow = std::pin::Pin<Box<dyn Future<Output = Option<()>> + Send>>;

impl Tail {
    /// What the log holds: from memory when it is followed, else by asking.
    pub async fn bounds(&self) -> Result<Bounds, Away> {
        let known = self.lock().bounds;
        match known {
            Some(bounds) => Ok(bounds),
            None => self.ask().await,
        }
    }

    /// What the log holds, by asking its owner: for a position that this process knows nothing of yet.
    pub async fn ask(&self) -> Result<Bounds, Away> {
        let bounds = self.patiently(self.source.bounds()).await?;
        let asked = Bounds { epoch: bounds.epoch, floor_seq: bounds.floor_seq, head_seq: bounds.last_seq };
        let mut ring = self.lock();
        if !ring.followed {
            return Ok(asked);
        }
        if ring.bounds.is_some_and(|known| known.epoch != asked.epoch) {
            ring.events.clear();
        }
        // The ring ends where it ends: the events behind it come by the reader or are read from the log.
        ring.bounds = Some(asked);
        Ok(asked)
    }

    /// The newest event that this process knows of; `None` before the log was ever reached.
    pub fn head(&self) -> Option<i64> {
        self.lock().bounds.map(|bounds| bounds.head_seq)
    }

    /// Up to `max` events behind `after`; an empty page when there are none.
    pub async fn read(&self, after: i64, max: usize) -> Result<Page, Away> {
        if let Some(page) = self.lock().page(after, max) {
            return Ok(page);
        }
        self.patiently(self.source.read(after, max)).await
    }

    async fn patiently<T>(&self, asked: impl Future<Output = Result<T, events::BoxError>>) -> Result<T, Away> {
        match timeout(limits::LOG_TIMEOUT, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::debug!(log = self.source.name(), error, "a log cannot be read");
                Err(Away)
            }
            Err(_) => Err(Away),
        }
    }

    /// Adds what the reader brought. False when it belongs to another history than the ring.
    fn take_in(&self, page: Page) -> bool {
        let mut ring = self.lock();
        let same = ring.bounds.is_none_or(|bounds| bounds.epoch == page.epoch);
        let follows = match (ring.events.back(), page.events.first()) {
            (Some(last), Some(first)) => last.seq + 1 == first.seq,
            _ => true,
        };
        if !same || !follows {
            ring.events.clear();
        }
        let last = page.events.last().map_or(0, |event| event.seq);
        ring.events.extend(page.events);
        let surplus = ring.events.len().saturating_sub(limits::TAIL_EVENTS);
        ring.events.drain(..surplus);
        let known = ring.bounds.filter(|_| same).map_or(0, |bounds| bounds.head_seq);
        let head_seq = page.head_seq.max(last).max(known);
        ring.bounds = Some(Bounds { epoch: page.epoch, floor_seq: page.floor_seq, head_seq });
        same
    }

    /// A panic elsewhere cannot leave the ring half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    /// The page behind `after`, if it can be told from memory.
    fn page(&self, after: i64, max: usize) -> Option<Page> {
        let Bounds { epoch, floor_seq, head_seq } = self.bounds?;
        let page = |events| Page { epoch, floor_seq, head_seq, events };
        if after >= head_seq {
            return Some(page(Vec::new()));
        }
        let skip = usize::try_from(after + 1 - self.events.front()?.seq).ok()?;
        let events: Vec<_> = self.events.iter().skip(skip).take(max).cloned().collect();
        (!events.is_empty()).then(|| page(events))
    }
}
