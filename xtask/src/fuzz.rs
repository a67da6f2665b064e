//! `cargo xtask fuzz`: builds the fuzz targets with the coverage instrumentation of LLVM, which stable Rust can do, and
//! runs libFuzzer on each for its time. What it learns stays in `target/fuzz`; a finding is put beside it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::commands;
use crate::report::say;

/// What makes rustc count edges and comparisons for libFuzzer.
const FLAGS: [&str; 6] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
];
/// Longest input, bytes.
const MAX_LEN: u32 = 4_096;
/// Time for one input before it counts as a hang.
const TIMEOUT_SECONDS: u32 = 10;

/// What to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    names: Vec<String>,
}

impl Options {
    /// Reads the words after `fuzz`.
    pub(crate) fn parse(words: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self { seconds: 60, names: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok()).context("expected a number");
            match *word {
                "--minutes" => options.seconds = number()? * 60,
                "--seconds" => options.seconds = number()?,
                other if other.starts_with('-') => bail!("unknown option {other}"),
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }
}

/// Builds all targets and runs those that are named, or all.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let (folder, built) = (root.join("fuzz"), root.join("target/fuzz"));
    let host = host(root)?;
    let mut build = commands::cargo(&folder);
    build.args(["build", "--release", "--bins", "--target", &host]);
    commands::run(build.env("CARGO_TARGET_DIR", &built).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}")))?;
    let names = targets(&folder)?;
    if let Some(unknown) = options.names.iter().find(|name| !names.contains(name)) {
        bail!("there is no fuzz target {unknown}; there are {}", names.join(", "));
    }
    let mut found = Vec::new();
    for name in names.iter().filter(|name| options.names.is_empty() || options.names.contains(name)) {
        let (learnt, findings) = (built.join("corpus").join(name), built.join("findings").join(name));
        std::fs::create_dir_all(&learnt)?;
        std::fs::create_dir_all(&findings)?;
        let mut fuzz = Command::new(built.join(&host).join("release").join(name));
        fuzz.current_dir(&folder).arg(&learnt);
        let seeds = folder.join("corpus").join(name);
        if seeds.is_dir() {
            fuzz.arg(seeds);
        }
        fuzz.arg(format!("-max_total_time={}", options.seconds)).arg(format!("-max_len={MAX_LEN}"));
        fuzz.arg(format!("-timeout={TIMEOUT_SECONDS}")).args(["-print_final_stats=1", "-verbosity=1"]);
        fuzz.arg(format!("-artifact_prefix={}/", findings.display()));
        if let Err(error) = commands::run(&mut fuzz) {
            found.push(format!("{name}: {error}"));
        }
    }
    if found.is_empty() {
        say("    no finding");
        return Ok(());
    }
    bail!(
        "{}\nput the input from target/fuzz/findings into fuzz/corpus, where the tests will find it",
        found.join("\n")
    );
}

/// The names of all targets, sorted.
fn targets(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.join("targets"))? {
        let path: PathBuf = entry?.path();
        if let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|end| end == "rs")) {
            names.push(stem.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The target triple of this machine: named to cargo, so that build scripts are not instrumented.
fn host(root: &Path) -> anyhow::Result<String> {
    let told = commands::output(Command::new("rustc").current_dir(root).arg("-vV"))?;
    let told = String::from_utf8_lossy(&told).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which machine this is")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Options;

    #[test]
    fn words_become_options() {
        let named = Options::parse(&["--minutes", "5", "json"]).unwrap();
        assert_eq!(named, Options { seconds: 300, names: vec!["json".to_owned()] });
        assert_eq!(Options::parse(&["--seconds", "7"]).unwrap().seconds, 7);
        assert!(Options::parse(&["--minutes"]).is_err());
        assert!(Options::parse(&["--hours", "1"]).is_err());
    }
}
