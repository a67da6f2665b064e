//! The simulator: the write path, the relay, the consumers and the timers, all as they run in production, on one thread
//! under a virtual clock, against a model of JetStream that loses, delays, doubles and lies. A seed decides everything.
//!
//! ```text
//! plan (seed) ─► play ─┬─ parts: till a, till b, tally   on  stage: real SQLite
//!                      ├─ callers                        │
//!                      └─ faults ─► gate (processes), port + model (network and server)
//!                check ◄───── when all is healed and quiet
//! ```
//!
//! It is compiled into the library, because it takes the place of NATS behind `Link`. A database call is one step:
//! nothing else happens while it lasts. A seed that fails is shrunk and printed with the line that replays it.

mod callers;
mod check;
pub(crate) mod dice;
mod fork;
mod gate;
mod model;
mod parts;
mod plan;
mod play;
pub(crate) mod port;
mod sabotage;
mod shops;
mod shrink;
mod stage;
mod trace;

use plan::Plan;
use sabotage::Sabotage;
use stage::Stage;

/// Replays one seed, or begins with it: `KARIBU_SIM_SEED=17 cargo nextest run -p karibu-events --lib sim::`.
const SEED: &str = "KARIBU_SIM_SEED";
/// Plays so many seeds instead of those of the suite, from [`SEED`] or 1 on.
const SEEDS: &str = "KARIBU_SIM_SEEDS";
/// Seeds of each part of the suite; parts run beside each other.
const SEEDS_EACH: u64 = 250;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} must be a number: {value}")))
}

/// Plays the seeds of one part of the suite; told to play others, the first part plays them all.
fn play_part(part: u64) {
    let seeds = match (number(SEED), number(SEEDS)) {
        (None, None) => part * SEEDS_EACH + 1..=(part + 1) * SEEDS_EACH,
        _ if part > 0 => return,
        (first, count) => {
            let first = first.unwrap_or(1);
            first..=first + count.unwrap_or(1) - 1
        }
    };
    let stage = Stage::new();
    for seed in seeds {
        let plan = Plan::of(seed);
        let (ended, _) = play::play(&stage, &plan, false);
        if let Err(broken) = ended {
            panic!("{}", shrink::report(&stage, &plan, &broken));
        }
    }
}

macro_rules! parts {
    ($($name:ident: $part:literal),+ $(,)?) => {
        /// Together 2 000 seeds.
        mod every_promise_holds {
            $(#[test]
            fn $name() {
                super::play_part($part);
            })+
        }
    };
}

parts! {
    with_seeds_1_to_250: 0,
    with_seeds_251_to_500: 1,
    with_seeds_501_to_750: 2,
    with_seeds_751_to_1000: 3,
    with_seeds_1001_to_1250: 4,
    with_seeds_1251_to_1500: 5,
    with_seeds_1501_to_1750: 6,
    with_seeds_1751_to_2000: 7,
}

/// Seeds within which each sabotage must be caught.
const CAUGHT_WITHIN: u64 = 60;

#[test]
fn what_is_broken_on_purpose_is_caught() {
    let stage = Stage::new();
    for sabotage in Sabotage::ALL {
        let caught = (1..=CAUGHT_WITHIN).any(|seed| {
            let plan = Plan { sabotage: Some(sabotage), ..Plan::of(seed) };
            play::play(&stage, &plan, false).0.is_err()
        });
        assert!(caught, "{sabotage:?} is not caught by {CAUGHT_WITHIN} seeds");
    }
}

#[test]
fn a_seed_replays_step_by_step() {
    let (one, other) = (Stage::new(), Stage::new());
    for seed in 1..=20 {
        let plan = Plan::of(seed);
        let (first, second) = (play::play(&one, &plan, true), play::play(&other, &plan, true));
        assert!(first.1.len() > 10, "a run without steps");
        assert_eq!(first, second, "seed {seed}");
    }
}
