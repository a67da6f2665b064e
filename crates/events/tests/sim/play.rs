//! Plays one plan: starts the processes, lets callers ask and things go wrong, heals everything and waits for quiet. One
//! thread, one virtual clock, one seed: every run of a plan is the same run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::Clock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::callers::{self, Outcomes};
use super::check;
use super::dice::Dice;
use super::parts::{Consumer, Harbours, TallyProcess, TillProcess};
use super::plan::{Fault, Kind, Plan, STORM_MS};
use super::port::{Sea, locked, pass};
use super::stage::Stage;
use super::trace::Trace;

/// The business clock at the beginning, microseconds since the Unix epoch.
pub(crate) const BEGIN_US: i64 = 1_700_000_000_000_000;
/// The business clock follows in steps of this length.
const TICK: Duration = Duration::from_millis(50);
/// Replicas of the till, and their names in traces.
const RELAYS: [&str; 2] = ["relay a", "relay b"];

/// A run: what the checks look at.
pub(crate) struct Play<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) harbours: Harbours,
    pub(crate) till: [Option<TillProcess>; 2],
    pub(crate) tally: Option<TallyProcess>,
    pub(crate) outcomes: Outcomes,
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    began: Instant,
    /// The replica that writes.
    writer: Option<usize>,
    /// What ends when, milliseconds and a number that keeps them apart.
    ends: BTreeMap<(u64, usize), End>,
}

/// The end of a fault.
#[derive(Clone, Copy, Debug)]
enum End {
    ServerBack,
    Connect(usize),
    Fast,
    StartTill(usize),
    StartTally,
    StartConsumer(usize),
    ThawRelay(usize),
    ThawConsumer(usize),
    ThawTimers(usize),
    OwnerBack,
}

/// Plays `plan` to its end; an error says which promise was broken.
pub(crate) fn play(stage: &Stage, plan: &Plan, traced: bool) -> (Result<(), String>, Vec<String>) {
    stage.reset();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let trace = Trace::new(traced);
        let mut play = Play::start(stage, plan, trace.clone()).await;
        play.storm(plan).await;
        let ended = check::all(&mut play, plan).await;
        play.stop().await;
        (ended, trace.steps())
    })
}

impl<'a> Play<'a> {
    async fn start(stage: &'a Stage, plan: &Plan, trace: Trace) -> Self {
        // Other dice than those of the plan: what is left out of a plan must not change the rest.
        let mut dice = Dice::new(!plan.seed);
        let (clock, began) = (Clock::manual(BEGIN_US), Instant::now());
        let ticking = clock.clone();
        tokio::spawn(async move {
            loop {
                pass(TICK).await;
                ticking.advance_us(TICK.as_micros() as i64);
            }
        });
        let harbours = Harbours {
            sea: Arc::new(Mutex::new(Sea::new(dice.fork(), trace.clone(), plan.sabotage))),
            clock,
            elsewhere: stage.elsewhere().clone(),
            writer: watch::channel(None).0,
            owner: Arc::default(),
            owner_away: Arc::new(AtomicBool::new(false)),
            sabotage: plan.sabotage,
        };
        let tally = TallyProcess::start(&stage.tally, &harbours, &mut dice).await;
        let outcomes = callers::start(plan, &harbours, began);
        let mut play = Self {
            stage,
            harbours,
            till: [None, None],
            tally: Some(tally),
            outcomes,
            dice,
            trace,
            began,
            writer: None,
            ends: BTreeMap::new(),
        };
        play.start_till(0).await;
        play.start_till(1).await;
        play
    }

    async fn storm(&mut self, plan: &Plan) {
        for (number, fault) in plan.faults.iter().enumerate() {
            self.end_what_ends_until(fault.at_ms).await;
            self.wait_until(fault.at_ms).await;
            self.trace.step(|| format!("* {:?}", fault.kind));
            self.strike(number, fault).await;
        }
        self.end_what_ends_until(STORM_MS).await;
        self.wait_until(STORM_MS).await;
        self.trace.step(|| "* all is healed".to_owned());
        self.end_what_ends_until(u64::MAX).await;
        // What was to happen to the next few messages still happens to them: one mishap more must not matter.
        locked(&self.harbours.sea).deliver();
    }

    async fn wait_until(&self, at_ms: u64) {
        tokio::time::sleep_until(self.began + Duration::from_millis(at_ms)).await;
    }

    async fn end_what_ends_until(&mut self, until_ms: u64) {
        while let Some(((at_ms, _), end)) = self.ends.first_key_value().map(|(key, end)| (*key, *end)) {
            if at_ms > until_ms {
                return;
            }
            self.ends.pop_first();
            if until_ms < u64::MAX {
                self.wait_until(at_ms).await;
            }
            self.trace.step(|| format!("* {end:?}"));
            self.end(end).await;
        }
    }

    async fn strike(&mut self, number: usize, Fault { at_ms, kind }: &Fault) {
        let mut after = |ms: u64, end: End| self.ends.insert((at_ms + ms, number), end);
        let sea = self.harbours.sea.clone();
        match *kind {
            Kind::LoseTail(_)
            | Kind::LoseInside { .. }
            | Kind::Purge
            | Kind::PurgeHalf
            | Kind::DeleteStream
            | Kind::ForgetReaders => self.lose(*kind),
            Kind::LoseAcks(count) => locked(&sea).weather.lost_acks += count,
            Kind::FalseAcks(count) => locked(&sea).weather.false_acks += count,
            Kind::LoseAnswers(count) => locked(&sea).weather.lost_answers += count,
            Kind::LoseMessages(count) => locked(&sea).weather.lost_messages += count,
            Kind::DoubleMessages(count) => locked(&sea).weather.doubled_messages += count,
            Kind::SwapMessages(count) => locked(&sea).weather.swapped_messages += count,
            Kind::ServerAway { ms } => {
                after(ms, End::ServerBack);
                locked(&sea).weather.server_away = true;
            }
            Kind::Slow { delay_ms, ms } => {
                after(ms, End::Fast);
                locked(&sea).weather.delay_ms = delay_ms;
            }
            Kind::OwnerAway { ms } => {
                after(ms, End::OwnerBack);
                self.harbours.owner_away.store(true, Ordering::SeqCst);
            }
            Kind::Disconnect { port, ms } => {
                let Some(port) = self.port(port) else { return };
                self.ends.insert((at_ms + ms, number), End::Connect(port));
                locked(&sea).disconnect(port);
            }
            Kind::KillTill { replica, ms } => {
                after(ms, End::StartTill(replica));
                self.kill_till(replica).await;
            }
            Kind::KillTally { ms } => {
                after(ms, End::StartTally);
                self.kill_tally().await;
            }
            Kind::KillTallyAfterCommit { ms } => {
                after(ms, End::StartTally);
                self.kill_tally_after_commit();
            }
            Kind::KillConsumer { which, ms } => {
                after(ms, End::StartConsumer(which));
                self.consumer(which, |consumer| consumer.gate.kill());
            }
            Kind::FreezeRelay { replica, ms } => {
                after(ms, End::ThawRelay(replica));
                self.freeze_relay(replica, true);
            }
            Kind::FreezeConsumer { which, ms } => {
                after(ms, End::ThawConsumer(which));
                self.consumer(which, |consumer| consumer.gate.freeze(true));
            }
            Kind::FreezeTimers { replica, ms } => {
                after(ms, End::ThawTimers(replica));
                self.freeze_timers(replica, true);
            }
        }
    }

    async fn end(&mut self, end: End) {
        let sea = self.harbours.sea.clone();
        match end {
            End::ServerBack => {
                let mut sea = locked(&sea);
                sea.weather.server_away = false;
                // The server was gone for all of them.
                (0..sea.ports()).for_each(|port| sea.reconnect(port));
            }
            End::Connect(port) => locked(&sea).reconnect(port),
            End::Fast => locked(&sea).weather.delay_ms = 2,
            End::OwnerBack => self.harbours.owner_away.store(false, Ordering::SeqCst),
            End::StartTill(replica) => self.start_till(replica).await,
            End::StartTally => {
                self.kill_tally().await;
                let tally = TallyProcess::start(&self.stage.tally, &self.harbours, &mut self.dice).await;
                self.tally = Some(tally);
            }
            End::StartConsumer(which) => {
                if let Some(tally) = &mut self.tally
                    && tally.consumers[which].gate.is_dead()
                {
                    let name = if which == 0 { "consumer a" } else { "consumer b" };
                    tally.consumers[which] = Consumer::start(&tally.door, &self.harbours, name);
                }
            }
            End::ThawRelay(replica) => self.freeze_relay(replica, false),
            End::ThawConsumer(which) => self.consumer(which, |consumer| consumer.gate.freeze(false)),
            End::ThawTimers(replica) => self.freeze_timers(replica, false),
        }
    }

    /// The stream loses something.
    fn lose(&mut self, kind: Kind) {
        let mut sea = locked(&self.harbours.sea);
        let (first_seq, last_seq) =
            sea.model.stream.as_ref().map_or((1, 0), |stream| (stream.first_seq, stream.last_seq));
        match kind {
            Kind::LoseTail(count) => drop(sea.model.lose_tail(count)),
            Kind::LoseInside { percent } => {
                let lost: Vec<i64> = (first_seq..last_seq).filter(|_| self.dice.percent(percent)).collect();
                sea.model.lose_inside(lost.into_iter());
            }
            Kind::Purge => sea.model.purge(None),
            Kind::PurgeHalf => sea.model.purge(Some(i64::midpoint(first_seq, last_seq))),
            Kind::DeleteStream => sea.model.delete(),
            _ => sea.forget_readers(),
        }
        let last_seq = sea.model.last_seq();
        self.trace.step(|| format!("the stream is at {last_seq}"));
        sea.deliver();
    }

    /// The connection of one of the four that have one.
    fn port(&self, which: u64) -> Option<usize> {
        let port = match which {
            0 | 1 => self.till[which as usize].as_ref()?.port,
            _ => self.tally.as_ref()?.consumers[which as usize - 2].port,
        };
        usize::try_from(port).ok()
    }

    pub(crate) async fn start_till(&mut self, replica: usize) {
        if self.till[replica].is_some() {
            return;
        }
        let mut process = TillProcess::start(self.stage, &self.harbours, &mut self.dice).await;
        process.publish(self.stage, &self.harbours, RELAYS[replica]);
        self.till[replica] = Some(process);
        self.elect();
    }

    pub(crate) async fn kill_till(&mut self, replica: usize) {
        let Some(process) = self.till[replica].take() else { return };
        process.kill();
        drop(process);
        self.harbours.owner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.writer == Some(replica) {
            self.harbours.writer.send_replace(None);
        }
        buried().await;
        if self.writer == Some(replica) {
            self.stage.bury(&self.stage.till).await;
            self.writer = None;
        }
        self.elect();
    }

    /// Somebody writes, and somebody answers for the log.
    fn elect(&mut self) {
        let alive = self.till.iter().position(Option::is_some);
        self.writer = self.writer.or(alive);
        let process = self.writer.and_then(|replica| self.till[replica].as_ref());
        self.harbours.writer.send_replace(process.map(|process| process.door.clone()));
        *self.harbours.owner.lock().unwrap_or_else(PoisonError::into_inner) = process.map(|process| process.door.log());
    }

    async fn kill_tally(&mut self) {
        let Some(tally) = self.tally.take() else { return };
        tally.kill();
        drop(tally);
        buried().await;
        self.stage.bury(&self.stage.tally).await;
    }

    fn kill_tally_after_commit(&self) {
        let Some(tally) = &self.tally else { return };
        let before = tally.door.stats().batches.load(Ordering::Relaxed);
        for gate in [&tally.committer].into_iter().chain(tally.consumers.iter().map(|consumer| &consumer.gate)) {
            let stats = tally.door.stats().clone();
            gate.kill_when(Box::new(move || stats.batches.load(Ordering::Relaxed) > before));
        }
    }

    fn freeze_relay(&self, replica: usize, frozen: bool) {
        if let Some(relay) = self.till[replica].as_ref().and_then(|process| process.relay.as_ref()) {
            relay.freeze(frozen);
        }
    }

    fn freeze_timers(&self, replica: usize, frozen: bool) {
        if let Some(timers) = self.till[replica].as_ref().and_then(|process| process.timers.as_ref()) {
            timers.freeze(frozen);
        }
    }

    fn consumer(&self, which: usize, act: impl FnOnce(&Consumer)) {
        if let Some(tally) = &self.tally {
            act(&tally.consumers[which]);
        }
    }

    /// Everybody dies, so that nothing of this run reaches into the next one.
    async fn stop(mut self) {
        self.kill_till(0).await;
        self.kill_till(1).await;
        self.kill_tally().await;
    }
}

/// Who was killed is gone after this.
pub(crate) async fn buried() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}
