//! The processes of the simulation: replicas of the till with committer, relay and timers; the tally with its committer
//! and two consumers that are rivals. All of it is the code that runs in production.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use commit::{Door, EventLog};
use kernel::Clock;
use store::{Db, Sql, Uuid, args};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::dice::Dice;
use super::gate::Gate;
use super::port::{Port, Sea, pass};
use super::sabotage::Sabotage;
use super::shops::{Remind, Tally, Till, react};
use super::stage::{BATCH, Stage, write_path};
use crate::consumer::{ConsumerOptions, Runner};
use crate::link::Link;
use crate::names::Names;
use crate::progress::Progress;
use crate::relay::{Relay, RelayPhase, RelayState};
use crate::source::{Backfill, Source};
use crate::stream::StreamSource;

/// The log that everything is about.
pub(crate) const LOG: &str = "till";
/// The consumer of it.
pub(crate) const CONSUMER: &str = "tally";
/// Timers look so often for what is due.
const TIMER_PERIOD: Duration = Duration::from_millis(350);

/// What all processes share: the sea between them, and where the till can be reached.
#[derive(Clone)]
pub(crate) struct Harbours {
    pub(crate) sea: Arc<Mutex<Sea>>,
    pub(crate) clock: Clock,
    pub(crate) elsewhere: Handle,
    /// Where commands go: the replica that writes; none while it is dead.
    pub(crate) writer: watch::Sender<Option<Door<Till>>>,
    /// Where backfills come from.
    pub(crate) owner: Arc<Mutex<Option<EventLog>>>,
    pub(crate) owner_away: Arc<AtomicBool>,
    pub(crate) sabotage: Option<Sabotage>,
}

impl Harbours {
    pub(crate) fn is_broken(&self, sabotage: Sabotage) -> bool {
        self.sabotage == Some(sabotage)
    }
}

/// One replica of the till.
pub(crate) struct TillProcess {
    pub(crate) door: Door<Till>,
    pub(crate) committer: Gate,
    pub(crate) relay: Option<Gate>,
    pub(crate) timers: Option<Gate>,
    pub(crate) state: watch::Receiver<RelayState>,
    state_sender: Option<watch::Sender<RelayState>>,
    /// The number of its connection.
    pub(crate) port: u64,
}

impl TillProcess {
    /// Starts the write path alone.
    pub(crate) async fn start(stage: &Stage, harbours: &Harbours, dice: &mut Dice) -> Self {
        let (door, committer) = write_path::<Till>(&stage.till, &harbours.clock, dice.roll(), BATCH).await;
        let committer = Gate::spawn(committer, &harbours.elsewhere);
        let (sender, state) = watch::channel(RelayState::new(RelayPhase::Resyncing));
        Self { door, committer, relay: None, timers: None, state, state_sender: Some(sender), port: 0 }
    }

    /// Starts relay and timers.
    pub(crate) fn publish(&mut self, stage: &Stage, harbours: &Harbours, name: &'static str) {
        let Some(state) = self.state_sender.take() else { return };
        let port = Port::open_on(&harbours.sea, name);
        self.port = port.number();
        let names = Names::new(None);
        let relay = Relay {
            stream: names.stream(LOG),
            names,
            log: self.door.log(),
            link: Link::Model(port),
            replicas: 1,
            max_age: Duration::from_secs(3_600),
            state,
            stop: CancellationToken::new(),
        };
        self.relay = Some(Gate::spawn(relay.run(), &harbours.elsewhere));
        let timers = fire_what_is_due(stage.till.clone(), harbours.clone());
        self.timers = Some(Gate::spawn(timers, &harbours.elsewhere));
    }

    pub(crate) fn kill(&self) {
        for gate in [Some(&self.committer), self.relay.as_ref(), self.timers.as_ref()].into_iter().flatten() {
            gate.kill();
        }
    }
}

/// The timer as services have it: it only looks; whether anything is still due is for the verb to decide.
async fn fire_what_is_due(db: Db, harbours: Harbours) {
    const DUE: Sql = Sql::same("select id from reminder where fired = 0 and due_at_us <= $1 order by due_at_us, id");
    loop {
        pass(TIMER_PERIOD).await;
        let Some(door) = harbours.writer.borrow().clone() else { continue };
        let due: Vec<(Uuid,)> = db.fetch_all(DUE, args![harbours.clock.now_us()]).await.unwrap();
        for (id,) in due {
            let remind = Remind { id, blindly: harbours.is_broken(Sabotage::TimersFireBlindly) };
            let _ = door.fire("timer", remind).await;
        }
    }
}

/// The tally: its committer, and two consumers as two replicas would have them.
pub(crate) struct TallyProcess {
    pub(crate) door: Door<Tally>,
    pub(crate) committer: Gate,
    pub(crate) consumers: [Consumer; 2],
}

/// One consumer.
pub(crate) struct Consumer {
    pub(crate) gate: Gate,
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) port: u64,
}

impl TallyProcess {
    pub(crate) async fn start(db: &Db, harbours: &Harbours, dice: &mut Dice) -> Self {
        let (door, committer) = write_path::<Tally>(db, &harbours.clock, dice.roll(), BATCH).await;
        let committer = Gate::spawn(committer, &harbours.elsewhere);
        let consumers =
            [Consumer::start(&door, harbours, "consumer a"), Consumer::start(&door, harbours, "consumer b")];
        Self { door, committer, consumers }
    }

    pub(crate) fn kill(&self) {
        self.committer.kill();
        self.consumers.iter().for_each(|consumer| consumer.gate.kill());
    }
}

impl Consumer {
    /// A consumer of the stream.
    pub(crate) fn start(door: &Door<Tally>, harbours: &Harbours, name: &'static str) -> Self {
        let port = Port::open_on(&harbours.sea, name);
        let number = port.number();
        let source = StreamSource {
            log: LOG.to_owned(),
            stream: Names::new(None).stream(LOG),
            link: Link::Model(port.clone()),
            owner: Some(backfill(harbours.clone())),
        };
        let (gate, progress) = consume(door, harbours, Source::stream(LOG, source), &port);
        Self { gate, progress, port: number }
    }
}

/// Runs the consumer over `source`.
pub(crate) fn consume(
    door: &Door<Tally>,
    harbours: &Harbours,
    source: Source,
    port: &Port,
) -> (Gate, watch::Receiver<Progress>) {
    let (progress, watcher) = watch::channel(Progress::new(CONSUMER, LOG));
    let runner = Runner {
        consumer: CONSUMER,
        source,
        door: door.clone(),
        react: react(harbours.is_broken(Sabotage::BookingsAreLeftOut)),
        options: ConsumerOptions::default(),
        progress,
        chance: port.chance(),
    };
    (Gate::spawn(runner.run(CancellationToken::new()), &harbours.elsewhere), watcher)
}

/// What `LogService.ReadLog` of the till is.
fn backfill(harbours: Harbours) -> Backfill {
    Arc::new(move |after, max| {
        let harbours = harbours.clone();
        Box::pin(async move {
            pass(Duration::from_millis(2)).await;
            if harbours.owner_away.load(Ordering::SeqCst) || harbours.is_broken(Sabotage::OwnerIsMute) {
                return Err("the owner is away".into());
            }
            let log = harbours.owner.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Source::of(log.ok_or("the owner is dead")?).read(after, max).await
        })
    })
}
