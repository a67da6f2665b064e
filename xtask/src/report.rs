//! What xtask tells its user: lines, and the steps of a run with their durations.

use std::io::Write;
use std::time::{Duration, Instant};

/// Prints one line. A closed pipe is not an error: whoever read it has seen enough.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").ok();
}

/// Prints one line to standard error.
pub(crate) fn complain(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}

/// The steps of a run, in order, each with its duration and whether it passed.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, bool)>,
}

impl Steps {
    /// Runs one step and notes how it went. The error is printed at once, so that the steps after it can still run.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> bool {
        say(&format!("\n==> {name}"));
        let started = Instant::now();
        let outcome = work();
        let passed = outcome.is_ok();
        if let Err(error) = outcome {
            complain(&format!("{name}: {error:#}"));
        }
        let took = started.elapsed();
        say(&format!("<== {name}: {} in {:.1} s", if passed { "ok" } else { "FAILED" }, took.as_secs_f64()));
        self.done.push((name.to_owned(), took, passed));
        passed
    }

    /// Prints all steps; an error if one failed.
    pub(crate) fn summary(&self) -> anyhow::Result<()> {
        say("\nSteps:");
        for (name, took, passed) in &self.done {
            say(&format!("  {:<6} {:>7.1} s  {name}", if *passed { "ok" } else { "FAILED" }, took.as_secs_f64()));
        }
        let total: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        let failed = self.done.iter().filter(|(_, _, passed)| !passed).count();
        say(&format!("  {} steps, {failed} failed, {:.1} s", self.done.len(), total.as_secs_f64()));
        if failed > 0 {
            anyhow::bail!("{failed} of {} steps failed", self.done.len());
        }
        Ok(())
    }
}
