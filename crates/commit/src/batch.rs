//! Deciding one batch inside its transaction: drop repeats, load what verbs ask for, decide in order,
//! gather what is to be saved. Nothing is answered here; that comes after COMMIT.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::IdSource;
use sqlx::FromRow;
use store::{Arg, Batch as Save, Conn, Rows};
use uuid::Uuid;

use crate::aggregate::Corrupt;
use crate::base::{Answered, Base, LogRow};
use crate::cause;
use crate::door::{Job, Once, Outcome, Refused};
use crate::log::LogEvent;
use crate::once::{Halt, decide, look_ahead};
use crate::sealing::Sealing;
use crate::spent::{Clockwork, Phase};
use crate::sql;
use crate::verb::{Cx, DomainEvent, Service, Told};
use crate::world::Room;

/// Rounds of loading before a verb that always asks for more is given up: a defect.
const MAX_LOADS: usize = 16;
/// Largest payload of an event, bytes: a quarter of what NATS takes by default, so that every event of a
/// log can be published.
const MAX_EVENT_BYTES: usize = 256 << 10;

/// The head of the log as it was locked.
#[derive(Clone, Copy, Debug, FromRow)]
pub(crate) struct Head {
    pub last_seq: i64,
    pub settings_version: i64,
    /// Batches that were saved so far, by any replica.
    pub batch: i64,
}

/// Why a batch as a whole came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// A batch without the lock: another replica has written since, or a repeat may be among its commands. Nothing was
    /// saved; decided under the lock it comes to its end.
    #[error("the batch must be decided under the lock")]
    Overtaken,
}

/// How a batch is kept apart from those of other replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It holds the lock of the head, inside a transaction.
    Locked,
    /// It holds nothing: what it knows must still be true when it is saved, by one statement.
    Alone,
}

/// A decided batch, not yet committed.
pub(crate) struct Decided<S: Service> {
    /// One for each job; `None` = not decided, to go into the next batch.
    pub outcomes: Vec<Option<Outcome<S>>>,
    /// What the log grows by.
    pub events: Vec<Arc<LogEvent>>,
    /// Whether there is anything to commit.
    pub saved: bool,
    /// Whether the settings must be read again before the next batch.
    pub settings_changed: bool,
    /// What is stored once this batch is committed.
    pub kept: Kept<S>,
}

/// A world that was in memory when a batch ended. It is what is stored as long as nobody has saved a batch since.
pub(crate) struct Kept<S: Service> {
    /// The head of the log when it was what is stored.
    pub head: Head,
    world: S::World,
}

/// The batch that is being decided.
pub(crate) struct Deciding<'a, S: Service> {
    jobs: &'a [Job<S>],
    mode: Mode,
    head: Head,
    settings: &'a S::Settings,
    now_us: i64,
    ids: &'a mut IdSource,
    world: S::World,
    base: Base,
    events: Vec<Arc<LogEvent>>,
    /// Replies of earlier transactions, by key.
    replies: HashMap<Uuid, (i64, Vec<u8>)>,
    /// Keys answered in this batch: fingerprint and reply.
    answered: HashMap<Uuid, (i64, Vec<u8>)>,
    spent: &'a Clockwork,
    sealing: &'a Sealing,
    /// Time spent loading while this batch was decided.
    loading: Duration,
    /// What the commands need was loaded ahead.
    loaded_ahead: bool,
}

/// What one decision gave.
struct Verdict<S: Service> {
    result: Result<Vec<u8>, Halt<S::Refusal>>,
    told: Vec<Told<S::Event>>,
    settings_changed: bool,
    /// What is stored for a repeat, when it is not the reply itself.
    stored: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct ReplyRow {
    key: Uuid,
    fingerprint: i64,
    reply: Vec<u8>,
}

impl<'a, S: Service> Deciding<'a, S> {
    pub(crate) fn new(
        jobs: &'a [Job<S>],
        (mode, head, kept): (Mode, Head, Option<Kept<S>>),
        settings: &'a S::Settings,
        now_us: i64,
        ids: &'a mut IdSource,
        spent: &'a Clockwork,
        sealing: &'a Sealing,
    ) -> Self {
        // Another replica may have changed what this one remembers; then it remembers nothing.
        let kept = kept.filter(|kept| kept.head.batch == head.batch);
        Self {
            jobs,
            mode,
            head,
            settings,
            now_us,
            ids,
            world: kept.map(|kept| kept.world).unwrap_or_default(),
            base: Base::default(),
            events: Vec::new(),
            replies: HashMap::new(),
            answered: HashMap::new(),
            spent,
            sealing,
            loading: Duration::ZERO,
            loaded_ahead: false,
        }
    }

    /// Decides all jobs in order and saves their effect; the transaction is still open afterwards.
    pub(crate) async fn run(mut self, conn: &mut Conn) -> Result<Decided<S>, Failed> {
        let begun = Instant::now();
        // A batch of one that nobody else can disturb is decided at once: a repeat violates the key of its request, and
        // a refusal is looked at again under the lock.
        let blind = self.mode == Mode::Alone && self.jobs.len() == 1;
        if !blind {
            self.find_repeats(conn).await?;
        }
        let looked = self.spent.lap(Phase::LookUp, begun);
        let mut outcomes: Vec<Option<Outcome<S>>> = Vec::with_capacity(self.jobs.len());
        let mut settings_changed = false;
        for place in 0..self.jobs.len() {
            if settings_changed {
                outcomes.push(None);
                continue;
            }
            let (outcome, changed) = self.settle(conn, place).await?;
            settings_changed = changed;
            outcomes.push(Some(outcome));
        }
        let decided = Instant::now();
        self.spent.add(Phase::Load, self.loading);
        self.spent.add(Phase::Decide, (decided - looked).saturating_sub(self.loading));
        let saved = self.save(conn, settings_changed).await?;
        if !saved && self.mode == Mode::Alone && (blind || self.overtaken(conn).await?) {
            return Err(Failed::Overtaken);
        }
        self.spent.lap(Phase::Save, decided);
        self.world.settle();
        let head = if saved { self.moved_head(settings_changed) } else { self.head };
        let kept = Kept { head, world: self.world };
        Ok(Decided { outcomes, events: self.events, saved, settings_changed, kept })
    }

    async fn find_repeats(&mut self, conn: &mut Conn) -> store::Result<()> {
        let keys: Vec<Uuid> = self
            .jobs
            .iter()
            .filter_map(|job| if let Once::Key { key, .. } = job.once { Some(key) } else { None })
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let rows: Vec<ReplyRow> = conn.fetch_all(sql::REPLIES, &[Arg::Uuids(&keys)]).await?;
        self.replies = rows.into_iter().map(|row| (row.key, (row.fingerprint, row.reply))).collect();
        Ok(())
    }

    /// Whether another replica has saved a batch since the head was known.
    async fn overtaken(&self, conn: &mut Conn) -> store::Result<bool> {
        let rows: Vec<(i64,)> = conn.fetch_all(sql::BATCH, &[]).await?;
        Ok(rows.first().is_none_or(|(batch,)| *batch != self.head.batch))
    }

    /// Dry passes: every command from `place` on is decided and forgotten again, until none misses anything. So the
    /// rest of the batch is loaded with one statement per kind and level of dependence.
    async fn load_ahead(&mut self, conn: &mut Conn, place: usize) -> Result<(), Failed> {
        let mut open: Vec<usize> = (place..self.jobs.len()).collect();
        for _ in 0..MAX_LOADS {
            let mut still = Vec::new();
            for place in open {
                if self.repeat(place).is_none() && matches!(self.decide(place, true).result, Err(Halt::Missing)) {
                    still.push(place);
                }
                self.drop_drafts();
            }
            if still.is_empty() {
                return Ok(());
            }
            self.load(conn).await?;
            open = still;
        }
        Ok(())
    }

    /// The real pass over one command.
    async fn settle(&mut self, conn: &mut Conn, place: usize) -> Result<(Outcome<S>, bool), Failed> {
        if let Some(outcome) = self.repeat(place) {
            return Ok((outcome, false));
        }
        for _ in 0..MAX_LOADS {
            let verdict = self.decide(place, false);
            match verdict.result {
                Ok(reply) => {
                    let told: Vec<_> = verdict.told.into_iter().map(|told| (told.event.encode(), told)).collect();
                    if told.iter().any(|(payload, _)| payload.len() > MAX_EVENT_BYTES) {
                        self.drop_drafts();
                        return Ok((Err(Refused::TooLarge), false));
                    }
                    self.keep(place, told, verdict.stored.as_deref().unwrap_or(&reply));
                    return Ok((Ok(reply.into()), verdict.settings_changed));
                }
                Err(Halt::Refused(refused)) => {
                    self.drop_drafts();
                    return Ok((Err(refused), false));
                }
                Err(Halt::Missing) if !self.loaded_ahead => {
                    self.drop_drafts();
                    self.loaded_ahead = true;
                    self.load_ahead(conn, place).await?;
                }
                Err(Halt::Missing) => {
                    self.drop_drafts();
                    self.load(conn).await?;
                }
            }
        }
        tracing::error!(service = S::NAME, "a command asks for more than {MAX_LOADS} rounds of loading");
        Ok((Err(Refused::Internal), false))
    }

    /// The answer of a command whose key was answered before.
    fn repeat(&self, place: usize) -> Option<Outcome<S>> {
        let Once::Key { key, fingerprint } = self.jobs[place].once else { return None };
        let (stored, reply) = self.replies.get(&key).or_else(|| self.answered.get(&key))?;
        Some(if *stored == fingerprint { Ok(reply.clone().into()) } else { Err(Refused::KeyReused) })
    }

    fn decide(&mut self, place: usize, ahead: bool) -> Verdict<S> {
        let job = &self.jobs[place];
        let mut cx = Cx::new(self.settings, self.now_us, &job.by, self.ids);
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let (world, base) = (&mut self.world, &mut self.base);
            if ahead { look_ahead(job, world, base, &mut cx) } else { decide(job, world, base, &mut cx) }
        }));
        let (told, settings_changed, stored) = (std::mem::take(&mut cx.events), cx.settings_changed, cx.stored.take());
        let result = decided.unwrap_or_else(|_| {
            tracing::error!(service = S::NAME, by = &*job.by, "a verb panicked; its command is refused");
            Err(Halt::Refused(Refused::Internal))
        });
        Verdict { result, told, settings_changed, stored }
    }

    fn keep(&mut self, place: usize, told: Vec<(Vec<u8>, Told<S::Event>)>, reply: &[u8]) {
        let job = &self.jobs[place];
        if let Once::Key { key, fingerprint } = job.once {
            self.answered.insert(key, (fingerprint, reply.to_vec()));
            let created_at_us = self.now_us;
            self.base.requests.push(Answered { key, fingerprint, reply: reply.to_vec(), created_at_us });
        }
        let caused_by = if told.is_empty() { None } else { Some(cause::of(job)) };
        for (payload, told) in told {
            let event = Arc::new(self.record(told, payload, job.trace.as_deref()));
            self.base.log.push(LogRow { event: event.clone(), caused_by: caused_by.clone() });
            self.events.push(event);
        }
        self.world.keep();
        self.base.keep();
    }

    fn record(&mut self, told: Told<S::Event>, payload: Vec<u8>, trace: Option<&str>) -> LogEvent {
        LogEvent {
            seq: self.head.last_seq + self.events.len() as i64 + 1,
            event_id: self.ids.next(self.now_us),
            kind: format!("karibu.{}.{}.v1", S::NAME, told.event.kind()),
            aggregate_type: told.aggregate_type.to_owned(),
            aggregate_id: told.aggregate_id,
            aggregate_version: told.aggregate_version,
            branch_id: told.branch_id,
            customer_id: told.customer_id,
            occurred_at_us: told.occurred_at_us,
            recorded_at_us: self.now_us,
            trace_context: trace.map(str::to_owned),
            payload: payload.into(),
        }
    }

    fn drop_drafts(&mut self) {
        self.world.drop_drafts();
        self.base.drop_drafts();
    }

    async fn load(&mut self, conn: &mut Conn) -> Result<(), Failed> {
        let begun = Instant::now();
        self.world.load(conn).await??;
        self.base.load(conn).await??;
        self.loading += begun.elapsed();
        self.spent.loaded();
        Ok(())
    }

    /// The head once this batch is saved.
    fn moved_head(&self, settings_changed: bool) -> Head {
        Head {
            last_seq: self.head.last_seq + self.events.len() as i64,
            settings_version: self.head.settings_version + i64::from(settings_changed),
            batch: self.head.batch + 1,
        }
    }

    /// Saves everything in one go and moves the head; `false` when there is nothing to save.
    async fn save(&mut self, conn: &mut Conn, settings_changed: bool) -> Result<bool, Failed> {
        let mut rows = Vec::new();
        self.world.rows(&mut rows);
        self.base.rows(&mut rows);
        if rows.is_empty() {
            return Ok(false);
        }
        if rows.iter().any(Rows::has_unsealed) {
            self.sealing.seal(conn, &mut rows, self.now_us).await?;
        }
        let moved = self.moved_head(settings_changed);
        let args = [moved.last_seq, moved.settings_version, self.head.batch].map(Arg::from);
        match self.mode {
            Mode::Locked => conn.save(&Save { rows, last: sql::MOVE_HEAD, args: &args[..2] }).await?,
            Mode::Alone => {
                let batch = Save { rows, last: sql::MOVE_HEAD_ALONE, args: &args };
                if !conn.save_alone(&batch).await? {
                    return Err(Failed::Overtaken);
                }
            }
        }
        Ok(true)
    }
}
