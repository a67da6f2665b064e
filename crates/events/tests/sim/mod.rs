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
mod shops;
mod shrink;
mod stage;
mod trace;

use plan::Plan;
use stage::Stage;

/// Replays one seed, or begins with it: `KARIBU_SIM_SEED=17 cargo nextest run -p karibu-events --lib sim::`.
const SEED: &str = "KARIBU_SIM_SEED";
/// Plays so many seeds instead of those of the suite, from [`SEED`] or 1 on.
const SEEDS: &str = "KARIBU_SIM_SEEDS";
/// Seeds of each of the tests below.
const SEEDS_EACH: u64 = 100;

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

#[test]
fn every_promise_holds_whatever_goes_wrong_1() {
    play_part(0);
}

#[test]
fn every_promise_holds_whatever_goes_wrong_2() {
    play_part(1);
}

#[test]
fn every_promise_holds_whatever_goes_wrong_3() {
    play_part(2);
}

#[test]
fn every_promise_holds_whatever_goes_wrong_4() {
    play_part(3);
}

#[test]
fn a_seed_replays_step_by_step() {
    let (one, other) = (Stage::new(), Stage::new());
    for seed in 1..=25 {
        let plan = Plan::of(seed);
        let (first, second) = (play::play(&one, &plan, true), play::play(&other, &plan, true));
        assert!(first.1.len() > 10, "a run without steps");
        assert_eq!(first, second, "seed {seed}");
    }
}
