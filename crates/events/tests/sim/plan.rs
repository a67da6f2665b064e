//! What a seed stands for: who asks for what and when, and what goes wrong meanwhile. Made before the run begins, so
//! that faults can be left out one by one and the rest stays as it was.

use super::dice::Dice;
use super::sabotage::Sabotage;

/// Commands and faults come within this time, milliseconds.
pub(crate) const STORM_MS: u64 = 3_500;
/// Baskets that amounts are rung up in.
const BASKETS: u64 = 4;
/// Callers, each asking one thing after another.
pub(crate) const CALLERS: u64 = 3;

/// The run of one seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) scene: Scene,
    /// What is broken on purpose.
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) commands: Vec<Command>,
    pub(crate) faults: Vec<Fault>,
}

/// What comes after the storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// All is healed, and must become even.
    Usual,
    /// The database of the till is restored to an older state: nothing may be published any more.
    Restored {
        /// Events that it has lost.
        lost: i64,
        /// Whether it wrote new ones, and more than those, before its relays looked.
        wrote: bool,
        /// Whether this happens under running processes, or they are started afterwards.
        running: bool,
    },
    /// Somebody else has written into the stream: nothing may be published any more.
    Foreign {
        /// Whether the message looks like an event of ours.
        alike: bool,
    },
}

/// One thing that a caller asks of the till.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) number: u64,
    pub(crate) caller: u64,
    pub(crate) at_ms: u64,
    pub(crate) ask: Ask,
    /// Whether the caller asks again, so long after its answer.
    pub(crate) again_ms: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Ring { basket: u64, amount: i64, takes_ms: u64 },
    Remind { due_ms: u64 },
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) at_ms: u64,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The stream gets a leader without the newest messages.
    LoseTail(i64),
    /// Messages in the middle of the stream are gone.
    LoseInside {
        percent: u64,
    },
    Purge,
    PurgeHalf,
    DeleteStream,
    /// The server forgets its consumers.
    ForgetReaders,
    ServerAway {
        ms: u64,
    },
    Disconnect {
        port: u64,
        ms: u64,
    },
    Slow {
        delay_ms: u64,
        ms: u64,
    },
    LoseAcks(u32),
    FalseAcks(u32),
    LoseAnswers(u32),
    LoseMessages(u32),
    DoubleMessages(u32),
    SwapMessages(u32),
    /// A replica of the till dies: committer, relay and timers.
    KillTill {
        replica: usize,
        ms: u64,
    },
    /// The tally dies: committer and consumers.
    KillTally {
        ms: u64,
    },
    /// The tally dies between a commit and the moment when its consumers hear of it.
    KillTallyAfterCommit {
        ms: u64,
    },
    KillConsumer {
        which: usize,
        ms: u64,
    },
    /// A task stands still and goes on with what it believed.
    FreezeRelay {
        replica: usize,
        ms: u64,
    },
    FreezeConsumer {
        which: usize,
        ms: u64,
    },
    FreezeTimers {
        replica: usize,
        ms: u64,
    },
    /// Nobody answers `ReadLog`.
    OwnerAway {
        ms: u64,
    },
}

impl Plan {
    /// What `seed` stands for.
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let scene = match dice.below(20) {
            0 => Scene::Restored { lost: dice.among(1, 6), wrote: dice.percent(50), running: dice.percent(50) },
            1 => Scene::Foreign { alike: dice.percent(50) },
            _ => Scene::Usual,
        };
        let (mut asking, mut breaking) = (dice.fork(), dice.fork());
        let count = asking.among(10, 28).unsigned_abs();
        let mut commands: Vec<Command> = (0..count).map(|number| command(&mut asking, number)).collect();
        commands.sort_by_key(|command| command.at_ms);
        let mut faults: Vec<Fault> = (0..breaking.among(2, 9)).map(|_| fault(&mut breaking)).collect();
        faults.sort_by_key(|fault| fault.at_ms);
        Self { seed, scene, sabotage: None, commands, faults }
    }
}

fn command(dice: &mut Dice, number: u64) -> Command {
    // Some come together, so that batches have more than one.
    let at_ms = if dice.percent(50) { dice.below(STORM_MS / 500) * 500 } else { dice.below(STORM_MS) };
    let ask = if dice.percent(20) {
        Ask::Remind { due_ms: dice.below(STORM_MS + 1_500) }
    } else {
        let takes_ms = if dice.percent(30) { dice.below(30) } else { 0 };
        Ask::Ring { basket: dice.below(BASKETS), amount: dice.among(-40, 100), takes_ms }
    };
    let again_ms = dice.percent(30).then(|| dice.below(1_500));
    Command { number, caller: dice.below(CALLERS), at_ms, ask, again_ms }
}

fn fault(dice: &mut Dice) -> Fault {
    let few = |dice: &mut Dice| dice.among(1, 4) as u32;
    let brief = |dice: &mut Dice| if dice.percent(70) { dice.below(600) } else { dice.below(3_000) };
    let half = |dice: &mut Dice| dice.below(2) as usize;
    let kind = match dice.below(28) {
        0..=2 => Kind::LoseTail(dice.among(1, 12)),
        3 => Kind::LoseInside { percent: dice.below(60) + 5 },
        4 => Kind::Purge,
        5 => Kind::PurgeHalf,
        6 => Kind::DeleteStream,
        7 => Kind::ForgetReaders,
        8 | 9 => Kind::ServerAway { ms: brief(dice) },
        10 | 11 => Kind::Disconnect { port: dice.below(4), ms: brief(dice) },
        12 => Kind::Slow { delay_ms: dice.below(300), ms: brief(dice) },
        13 => Kind::LoseAcks(few(dice)),
        14 => Kind::FalseAcks(few(dice)),
        15 => Kind::LoseAnswers(few(dice)),
        16 => Kind::LoseMessages(few(dice)),
        17 => Kind::DoubleMessages(few(dice)),
        18 => Kind::SwapMessages(few(dice)),
        19 | 20 => Kind::KillTill { replica: half(dice), ms: brief(dice) },
        21 => Kind::KillTally { ms: brief(dice) },
        22 => Kind::KillTallyAfterCommit { ms: brief(dice) },
        23 => Kind::KillConsumer { which: half(dice), ms: brief(dice) },
        24 => Kind::FreezeRelay { replica: half(dice), ms: brief(dice) },
        25 => Kind::FreezeConsumer { which: half(dice), ms: brief(dice) },
        26 => Kind::FreezeTimers { replica: half(dice), ms: brief(dice) },
        _ => Kind::OwnerAway { ms: brief(dice) },
    };
    Fault { at_ms: dice.below(STORM_MS), kind }
}
