//! `cargo xtask bench`: the benches of `bench/`. With `--quick`: how fast the embedded suite starts and how much memory it takes, medians over a few runs
//! of the release build. Figures are of this machine as it is; other work on it makes them worse.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::commands;
use crate::report::say;

const RUNS: usize = 5;
/// How often the memory of the running demo is read.
const SAMPLE: Duration = Duration::from_millis(2);
/// Line by which `karibu up` says that the gateway answers.
const READY_LINE: &str = "ready";

/// One measure over all runs.
struct Measure {
    name: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

/// Builds the services and runs every measure against its yardstick; `options` go to the bench.
pub(crate) fn full(root: &Path, options: &[&str]) -> anyhow::Result<()> {
    commands::run(commands::cargo(root).args(["build", "--release", "--workspace", "--bins"]))?;
    commands::run(Command::new(commands::built(root, "release/karibu-bench")).current_dir(root).args(options))
}

/// Builds, measures, prints a table.
pub(crate) fn quick(root: &Path) -> anyhow::Result<()> {
    commands::run(commands::cargo(root).args(["build", "--release", "--package", "karibu"]))?;
    let program = commands::built(root, "release/karibu");
    let work = root.join("target/bench");
    let mut measures = [
        ("first start, new databases, until the gateway answers", "ms"),
        ("memory when ready (RSS)", "MiB"),
        ("second start, same databases", "ms"),
        ("the demo, start to end", "ms"),
        ("memory at the end of the demo (RSS)", "MiB"),
        ("most memory during the demo (RSS)", "MiB"),
    ]
    .map(|(name, unit)| Measure { name, unit, values: Vec::new() });
    for run in 0..RUNS {
        let data = work.join(run.to_string());
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        std::fs::create_dir_all(&data)?;
        let (first_ms, ready_mib) = start(&program, &data.join("up"))?;
        let (second_ms, _) = start(&program, &data.join("up"))?;
        let (demo_ms, end_mib, most_mib) = demo(&program, &data.join("demo"))?;
        for (measure, value) in measures.iter_mut().zip([first_ms, ready_mib, second_ms, demo_ms, end_mib, most_mib]) {
            measure.values.push(value);
        }
    }
    std::fs::remove_dir_all(&work)?;
    print(&program, &measures)
}

fn print(program: &Path, measures: &[Measure]) -> anyhow::Result<()> {
    say(&format!(
        "\n{:<56} {:>9} {:>9} {:>9}",
        format!("{RUNS} runs of the embedded suite"),
        "median",
        "least",
        "most"
    ));
    for measure in measures {
        let mut sorted = measure.values.clone();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (sorted.first().copied().unwrap_or_default(), sorted.last().copied().unwrap_or_default());
        say(&format!(
            "{:<56} {:>9.1} {:>9.1} {:>9.1} {}",
            measure.name,
            sorted[sorted.len() / 2],
            least,
            most,
            measure.unit
        ));
    }
    let size = program.metadata()?.len() as f64 / 1_048_576.0;
    say(&format!("{:<56} {size:>9.1} {:>19} MiB", "size of the program", ""));
    Ok(())
}

/// Starts `karibu up` and ends it: milliseconds until it is ready, and its memory then.
fn start(program: &Path, data: &PathBuf) -> anyhow::Result<(f64, f64)> {
    let started = Instant::now();
    let mut command = Command::new(program);
    command.args(["up", "--listen", "127.0.0.1:0", "--data"]).arg(data);
    let mut child = Running(
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("karibu up")?,
    );
    let output = child.0.stdout.take().context("no output")?;
    let mut lines = BufReader::new(output).lines();
    loop {
        match lines.next().transpose()? {
            Some(line) if line.trim() == READY_LINE => break,
            Some(_) => {}
            None => bail!("karibu up ended before it was ready"),
        }
    }
    let ready_ms = started.elapsed().as_secs_f64() * 1_000.0;
    let memory = memory_mib(child.0.id(), "VmRSS:").context("no memory figure")?;
    child.end()?;
    Ok((ready_ms, memory))
}

/// Plays the demo: milliseconds, memory at its last sample, and the most it had.
fn demo(program: &Path, data: &PathBuf) -> anyhow::Result<(f64, f64, f64)> {
    let started = Instant::now();
    let mut command = Command::new(program);
    command.args(["demo", "--data"]).arg(data);
    let mut child = Running(
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().context("karibu demo")?,
    );
    let (mut last, mut most) = (0.0, 0.0);
    let status = loop {
        last = memory_mib(child.0.id(), "VmRSS:").unwrap_or(last);
        most = memory_mib(child.0.id(), "VmHWM:").unwrap_or(most);
        match child.0.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(SAMPLE),
        }
    };
    if !status.success() {
        bail!("karibu demo ended with {status}");
    }
    Ok((started.elapsed().as_secs_f64() * 1_000.0, last, most))
}

/// A child that is killed if we leave early.
struct Running(Child);

impl Running {
    /// SIGTERM, and waits for the orderly end.
    fn end(&mut self) -> anyhow::Result<()> {
        commands::output(Command::new("sh").args(["-c", "kill -s TERM \"$1\"", "kill"]).arg(self.0.id().to_string()))?;
        let status = self.0.wait()?;
        if !status.success() {
            bail!("karibu up ended with {status} after SIGTERM");
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A memory figure of Linux, which gives it in KiB; `None` once the process is gone.
fn memory_mib(pid: u32, field: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kib: f64 = status.lines().find_map(|line| line.strip_prefix(field))?.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1_024.0)
}
