//! The committer: one task per service and process that takes the lock, drains the queue, has the batch
//! decided, commits it and answers. The only writer of the service's tables.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use kernel::{Clock, IdSource};
use store::{Conn, Db};
use tokio::sync::mpsc;

use crate::batch::{Decided, Deciding, Failed, Head};
use crate::door::{Door, Job, Options, Refused};
use crate::log::EventLog;
use crate::sealing::Sealing;
use crate::spent::{Clockwork, Phase, Spent};
use crate::sql;
use crate::verb::Service;

/// First and longest pause before a database that is away is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
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
        log: log.clone(),
        stats: stats.clone(),
        wrote: false,
        sealing: Sealing::new(S::NAME, options.master_keys),
    };
    tokio::spawn(committer.run());
    Ok(Door { queue, log, stats })
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

    /// One transaction. The lock comes first and the queue is drained while it is held, so that batches
    /// are as large as the waiting allows.
    async fn attempt(&mut self, part: &mut Vec<Job<S>>, collect: bool) -> Result<Decided<S>, Failed> {
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
            while part.len() < self.batch {
                let Some(job) = self.carried.pop_front().or_else(|| self.queue.try_recv().ok()) else { break };
                if !expire(&job, locked) {
                    part.push(job);
                }
            }
        }
        if self.settings.as_ref().is_none_or(|(version, _)| *version != head.settings_version) {
            self.settings = Some((head.settings_version, S::settings(conn).await?));
        }
        let Some((_, settings)) = &self.settings else {
            return Err(Failed::Store(store::Error::Address("no settings".to_owned())));
        };
        let (now_us, spent, sealing) = (self.clock.now_us(), &self.stats.spent, &self.sealing);
        let deciding = Deciding::new(part, head, settings, now_us, &mut self.ids, spent, sealing);
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
        };
    }

    fn answer(&mut self, part: Vec<Job<S>>, decided: Decided<S>) {
        let count = |counter: &AtomicU64, by: usize| counter.fetch_add(by as u64, Ordering::Relaxed);
        if decided.saved {
            self.wrote = true;
            count(&self.stats.batches, 1);
            count(&self.stats.events, decided.events.len());
        }
        // The log first: whoever hears a reply may look at the log at once.
        self.log.committed(decided.events);
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
