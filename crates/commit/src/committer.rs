//! The committer: one task per service and process that takes the lock, drains the queue, has the batch
//! decided, commits it and answers. The only writer of the service's tables.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock, IdSource};
use store::{Conn, Db, Engine};
use tokio::sync::mpsc;

use crate::batch::{Decided, Deciding, Failed, Head, Kept, Mode};
use crate::door::{Door, Job, Once, Options, Refused};
use crate::log::EventLog;
use crate::sealing::Sealing;
use crate::spent::{Clockwork, Phase, Spent};
use crate::sql;
use crate::verb::Service;

/// First and longest pause before a database that is away is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// Batches in a row that no other replica came between, before this one goes without the lock.
const CALM: u32 = 16;
/// Most commands of a batch without the lock. Under load the time that the lock takes is what fills a batch; a caller
/// alone only waits for it.
const FEW: usize = 4;
/// A queue that stays empty this long is an idle moment, fit for housekeeping.
const IDLE: Duration = Duration::from_secs(1);

/// Counters of one write path since its start.
#[derive(Debug, Default)]
pub struct Stats {
    /// Transactions committed.
    pub batches: AtomicU64,
    /// Commands answered with a reply.
    pub accepted: AtomicU64,
    /// Commands refused or failed.
    pub refused: AtomicU64,
    /// Events written.
    pub events: AtomicU64,
    /// Batches tried again because the database was away or rejected a part.
    pub retries: AtomicU64,
    /// Batches committed without the lock, in one round trip.
    pub alone: AtomicU64,
    /// Batches begun without the lock and decided again under it.
    pub overtaken: AtomicU64,
    pub(crate) spent: Clockwork,
}

impl Stats {
    /// Where the time of all batches so far went.
    pub fn spent(&self) -> Spent {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.spent.read(count(&self.batches), count(&self.accepted) + count(&self.refused))
    }
}

/// Starts the write path of a service on a migrated database and gives its door. The committer runs until
/// every clone of the door is dropped, and answers everything queued before it ends.
pub async fn start<S: Service>(db: Db, clock: Clock, options: Options) -> store::Result<Door<S>> {
    let (door, committer) = assemble(db, clock, options).await?;
    tokio::spawn(committer);
    Ok(door)
}

/// [`start`] for whoever runs the committer himself, such as a simulation that lets it die at any await.
pub async fn assemble<S: Service>(
    db: Db,
    clock: Clock,
    options: Options,
) -> store::Result<(Door<S>, impl Future<Output = ()> + Send + use<S>)> {
    let bounds: crate::LogBounds = db.fetch_one(sql::BOUNDS, &[]).await?;
    let log = EventLog::new(S::NAME, db.clone(), bounds.last_seq);
    let (queue, jobs) = mpsc::channel(options.queue);
    let stats = Arc::new(Stats::default());
    let committer = Committer::<S> {
        db,
        clock,
        queue: jobs,
        carried: VecDeque::new(),
        batch: options.batch,
        ids: IdSource::seeded(options.seed),
        conn: None,
        settings: None,
        kept: None,
        calm: 0,
        few: false,
        log: log.clone(),
        stats: stats.clone(),
        wrote: false,
        sealing: Sealing::new(S::NAME, options.master_keys),
    };
    Ok((Door { queue, log, stats }, committer.run()))
}

struct Committer<S: Service> {
    db: Db,
    clock: Clock,
    queue: mpsc::Receiver<Job<S>>,
    /// Jobs that were taken but must go into the next batch.
    carried: VecDeque<Job<S>>,
    batch: usize,
    ids: IdSource,
    conn: Option<Conn>,
    /// The settings and the version they were read at.
    settings: Option<(i64, S::Settings)>,
    /// What the last batch left in memory; nothing after a failure.
    kept: Option<Kept<S>>,
    /// Batches since another replica was last seen to write.
    calm: u32,
    /// The last batch was small.
    few: bool,
    log: EventLog,
    stats: Arc<Stats>,
    wrote: bool,
    sealing: Sealing,
}

impl<S: Service> Committer<S> {
    async fn run(mut self) {
        while let Some(first) = self.next().await {
            self.work(vec![first]).await;
        }
    }

    async fn next(&mut self) -> Option<Job<S>> {
        if let Some(job) = self.carried.pop_front() {
            return Some(job);
        }
        if !self.wrote {
            return self.queue.recv().await;
        }
        if let Ok(job) = tokio::time::timeout(IDLE, self.queue.recv()).await {
            return job;
        }
        self.wrote = false;
        if let Err(error) = self.db.checkpoint().await {
            tracing::warn!(service = S::NAME, error = &error as &dyn std::error::Error, "the checkpoint failed");
        }
        self.queue.recv().await
    }

    /// Brings a batch to its end: commits it, or splits it until only the guilty command is refused, or
    /// waits for the database as long as anyone waits for an answer.
    async fn work(&mut self, first: Vec<Job<S>>) {
        let mut parts = vec![first];
        let mut collect = true;
        let mut pause = BACKOFF.0;
        while let Some(mut part) = parts.pop() {
            drop_expired(&mut part);
            if part.is_empty() {
                continue;
            }
            match self.attempt(&mut part, collect).await {
                Ok(decided) => {
                    (collect, pause) = (false, BACKOFF.0);
                    self.answer(part, decided);
                }
                Err(failed) => {
                    self.recover(&failed).await;
                    collect = false;
                    self.stats.retries.fetch_add(1, Ordering::Relaxed);
                    if matches!(&failed, Failed::Store(error) if error.is_transient()) {
                        tracing::warn!(
                            service = S::NAME,
                            error = &failed as &dyn std::error::Error,
                            "a batch waits for the database"
                        );
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(BACKOFF.1);
                        parts.push(part);
                    } else if part.len() > 1 {
                        let back = part.split_off(part.len() / 2);
                        parts.push(back);
                        parts.push(part);
                    } else {
                        tracing::error!(
                            service = S::NAME,
                            error = &failed as &dyn std::error::Error,
                            "a command was rejected by the database"
                        );
                        for job in part {
                            let _ = job.answer.send(Err(Refused::Internal));
                        }
                    }
                }
            }
        }
    }

    /// Decides and saves one batch: without the lock where that is likely to succeed, else under it.
    async fn attempt(&mut self, part: &mut Vec<Job<S>>, collect: bool) -> Result<Decided<S>, Failed> {
        if collect && self.few && self.calm >= CALM && part.len() + self.queue.len() <= FEW {
            match self.attempt_alone(part).await {
                Ok(Some(decided)) => return Ok(decided),
                Ok(None) => {}
                Err(failed) => {
                    self.stats.overtaken.fetch_add(1, Ordering::Relaxed);
                    if !matches!(failed, Failed::Overtaken) {
                        self.calm = 0;
                    }
                    self.recover(&failed).await;
                }
            }
        }
        self.attempt_locked(part, collect).await
    }

    /// One statement that is its own transaction, and that saves nothing unless all that is in memory is still what is
    /// stored. Costs a caller alone one round trip instead of four. `None` when there is nothing to begin with.
    async fn attempt_alone(&mut self, part: &mut Vec<Job<S>>) -> Result<Option<Decided<S>>, Failed> {
        let (Some(conn), Some(kept), Some((version, settings))) = (&mut self.conn, self.kept.take(), &self.settings)
        else {
            return Ok(None);
        };
        let head = kept.head;
        if conn.engine() != Engine::Postgres || *version != head.settings_version {
            self.kept = Some(kept);
            return Ok(None);
        }
        collect_into(part, FEW, &mut self.carried, &mut self.queue, Instant::now());
        if part.iter().any(|job| matches!(job.once, Once::Chore(_))) {
            // A chore runs statements of its own, which must be one transaction with the rest.
            self.kept = Some(kept);
            return Ok(None);
        }
        let (start, spent, sealing) = ((Mode::Alone, head, Some(kept)), &self.stats.spent, &self.sealing);
        let now_us = self.clock.now_us();
        let deciding = Deciding::new(part, start, settings, now_us, &mut self.ids, spent, sealing);
        let decided = deciding.run(conn).await?;
        if decided.settings_changed {
            self.settings = None;
        }
        self.stats.alone.fetch_add(1, Ordering::Relaxed);
        Ok(Some(decided))
    }

    /// One transaction. The lock comes first and the queue is drained while it is held, so that batches
    /// are as large as the waiting allows.
    async fn attempt_locked(&mut self, part: &mut Vec<Job<S>>, collect: bool) -> Result<Decided<S>, Failed> {
        if self.conn.is_none() {
            self.conn = Some(self.db.writer().await?);
        }
        let Some(conn) = self.conn.as_mut() else {
            return Err(Failed::Store(store::Error::Address("no connection".to_owned())));
        };
        let begun = Instant::now();
        let head: Head = conn.begin(sql::LOCK_HEAD).await?;
        let locked = self.stats.spent.lap(Phase::Begin, begun);
        if collect {
            collect_into(part, self.batch, &mut self.carried, &mut self.queue, locked);
        }
        if self.settings.as_ref().is_none_or(|(version, _)| *version != head.settings_version) {
            self.settings = Some((head.settings_version, S::settings(conn).await?));
        }
        let Some((_, settings)) = &self.settings else {
            return Err(Failed::Store(store::Error::Address("no settings".to_owned())));
        };
        let (now_us, kept) = (self.clock.now_us(), self.kept.take());
        let undisturbed = kept.as_ref().is_some_and(|kept| kept.head.batch == head.batch);
        self.calm = if undisturbed { self.calm.saturating_add(1) } else { 0 };
        let (start, spent, sealing) = ((Mode::Locked, head, kept), &self.stats.spent, &self.sealing);
        let deciding = Deciding::new(part, start, settings, now_us, &mut self.ids, spent, sealing);
        let decided = deciding.run(conn).await?;
        let saved = Instant::now();
        if decided.saved {
            conn.commit().await?
        } else {
            conn.rollback().await?
        }
        self.stats.spent.lap(Phase::Commit, saved);
        if decided.settings_changed {
            self.settings = None;
        }
        Ok(decided)
    }

    /// Takes the failed transaction back. A corrupt row says nothing about the connection.
    async fn recover(&mut self, failed: &Failed) {
        let Some(mut conn) = self.conn.take() else { return };
        self.conn = match failed {
            Failed::Store(error) => conn.recover(error).await,
            Failed::Corrupt(_) => conn.rollback().await.is_ok().then_some(conn),
            // Without the lock there is no transaction to take back.
            Failed::Overtaken => Some(conn),
        };
    }

    fn answer(&mut self, part: Vec<Job<S>>, decided: Decided<S>) {
        self.kept = Some(decided.kept);
        self.few = part.len() <= FEW;
        let count = |counter: &AtomicU64, by: usize| counter.fetch_add(by as u64, Ordering::Relaxed);
        if decided.saved {
            self.wrote = true;
            count(&self.stats.batches, 1);
            count(&self.stats.events, decided.events.len());
        }
        // The log first: whoever hears a reply may look at the log at once. Its readers are woken last: a caller waits
        // for the reply, nobody for the relay.
        let last_seq = self.log.remember(decided.events);
        let mut later = VecDeque::new();
        for (job, outcome) in part.into_iter().zip(decided.outcomes) {
            let Some(outcome) = outcome else {
                later.push_back(job);
                continue;
            };
            count(if outcome.is_ok() { &self.stats.accepted } else { &self.stats.refused }, 1);
            let _ = job.answer.send(outcome);
        }
        later.append(&mut self.carried);
        self.carried = later;
        self.log.announce(last_seq);
    }
}

/// Takes what waits into a batch, up to `most` commands.
fn collect_into<S: Service>(
    part: &mut Vec<Job<S>>,
    most: usize,
    carried: &mut VecDeque<Job<S>>,
    queue: &mut mpsc::Receiver<Job<S>>,
    now: Instant,
) {
    while part.len() < most {
        let Some(job) = carried.pop_front().or_else(|| queue.try_recv().ok()) else { break };
        if !expire(&job, now) {
            part.push(job);
        }
    }
}

/// A caller that is gone, or whose deadline passed, wants nothing written any more.
fn expire<S: Service>(job: &Job<S>, now: Instant) -> bool {
    job.answer.is_closed() || job.until.is_some_and(|until| until <= now)
}

fn drop_expired<S: Service>(part: &mut Vec<Job<S>>) {
    let now = Instant::now();
    let (expired, open): (Vec<_>, Vec<_>) = part.drain(..).partition(|job| expire(job, now));
    *part = open;
    for job in expired {
        let _ = job.answer.send(Err(Refused::Deadline));
    }
}
