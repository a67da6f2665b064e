//! `cargo xtask faults`: one run of the ledger harness. Exit code 1 when a check fails.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use karibu_faults::{Plan, run};

/// With fewer acknowledged commands a run proves little.
const LEAST: u64 = 300;

/// What a run does, and for how long.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults")]
struct Words {
    /// Seed of the schedule and of what the callers do
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Minutes of faults; healing and checking come on top
    #[arg(long, default_value_t = 2.0)]
    minutes: f64,
    /// Replicas of every service and of the gateway
    #[arg(long, default_value_t = 2)]
    replicas: usize,
    /// Callers that write at the same time
    #[arg(long, default_value_t = 6)]
    callers: usize,
    /// Faults to leave out, by the first word of their name in the schedule, such as `empty` (for narrowing down)
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// Further settings of PostgreSQL; with synchronous_commit=off the run must fail, because kills lose commits then
    #[arg(long, value_name = "NAME=VALUE")]
    postgres: Vec<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let words = Words::parse();
    let plan = Plan {
        seed: words.seed,
        span: std::time::Duration::from_secs_f64(words.minutes * 60.0),
        replicas: words.replicas,
        callers: words.callers,
        without: words.without,
        at_least: LEAST,
        postgres: words.postgres,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(run(&plan))?;
    println!("{report}");
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
