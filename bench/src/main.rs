//! `cargo xtask bench`: each measure with its yardstick in the same interleaved run, printed as ratios and written to
//! docs/benchmarks.md. Only measuring lives here; what is slow is repaired where it stands.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cpu;
mod desk;
mod docs;
mod load;
mod machine;
mod points;
mod result;
mod rows;
mod sql;
mod stats;
mod suite;
mod yard;

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Parser;

/// What a run measures, and for how long.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench")]
pub(crate) struct Plan {
    /// Rows to measure, such as P3,P9; all if left out
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Rounds; in each one every measure and its yardstick run once
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Length of one measurement, seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Share of the processors that others may take before a round is measured again, percent
    #[arg(long, default_value_t = 10)]
    noise: u32,
    /// Leave docs/benchmarks.md as it is
    #[arg(long)]
    dry: bool,
}

impl Plan {
    /// The length of one measurement.
    pub(crate) fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    /// The share that others may take, 0 to 1.
    pub(crate) fn noise(&self) -> f64 {
        f64::from(self.noise) / 100.0
    }

    fn wants(&self, row: &rows::Row) -> bool {
        let named = |wanted: &String| {
            std::iter::once(row.id).chain(row.covers.iter().copied()).any(|id| wanted.eq_ignore_ascii_case(id))
        };
        self.only.is_empty() || self.only.iter().any(named)
    }
}

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == yard::echo::SERVE) {
        return yard::echo::serve(words.get(1).map(String::as_str));
    }
    let plan = Plan::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut measured = BTreeSet::new();
    for row in rows::ALL.iter().filter(|row| plan.wants(row)) {
        eprintln!("{}", std::iter::once(row.id).chain(row.covers.iter().copied()).collect::<Vec<_>>().join(", "));
        match runtime.block_on((row.run)(&plan)) {
            Ok(lines) => {
                for line in lines {
                    println!("{line}");
                    measured.insert(line.name.clone());
                    result::keep(line)?;
                }
            }
            Err(error) => println!("{:<4} could not run and is left out: {error:#}", row.id),
        }
    }
    let lines = result::kept()?;
    println!("\n{}", docs::table(&lines));
    if !plan.dry && !measured.is_empty() {
        docs::write(&lines)?;
    }
    Ok(())
}
