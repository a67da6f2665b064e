//! `cargo xtask test`: every check and every test, in the order in which a mistake is cheapest to find.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::report::{Steps, say};
use crate::{commands, setup, tidy};

/// Packages of the journeys: they start many processes each.
const JOURNEYS: [&str; 2] = ["karibu-tests", "karibu-faults"];
/// Rules of the contract; the same as in proto/buf.yaml, which cannot be used on a built descriptor set.
const PROTO_CONFIG: &str = r#"{"version":"v2","lint":{"use":["STANDARD","COMMENTS"],"ignore":["google"]}}"#;

/// What to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    fast: bool,
    names: Vec<String>,
    nextest: Vec<String>,
}

impl Options {
    /// Reads the words after `test`.
    pub(crate) fn parse(words: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut words = words.iter();
        for word in words.by_ref() {
            match *word {
                "--fast" => options.fast = true,
                "--" => break,
                other if other.starts_with('-') => bail!("unknown option {other}; options of nextest stand after --"),
                name => options.names.push(name.to_owned()),
            }
        }
        options.nextest = words.map(|word| (*word).to_owned()).collect();
        Ok(options)
    }

    fn checks(&self) -> bool {
        self.names.is_empty()
    }
}

/// Runs the steps. A failed check does not stop the ones after it; a failed build does.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    if !steps.step("setup", || setup::run(root)) {
        return steps.summary();
    }
    if options.checks() {
        steps.step("tidy", || tidy::run(root));
        steps.step("rustfmt", || commands::run(commands::cargo(root).args(["fmt", "--all", "--check"])));
        steps.step("clippy", || clippy(root));
    }
    if steps.step("build", || build(root)) {
        if options.checks() && !options.fast {
            steps.step("buf", || buf(root));
        }
        if options.checks() && !options.fast {
            steps.step("doc tests", || {
                commands::run(commands::cargo(root).args(["test", "--workspace", "--doc", "--quiet"]))
            });
        }
        // Last, so that its count of tests closes the run.
        steps.step("tests", || tests(root, options));
    }
    steps.summary()
}

fn clippy(root: &Path) -> anyhow::Result<()> {
    commands::run(commands::cargo(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Programs, tests and examples in one go: a narrower choice would build shared dependencies again with other features.
fn build(root: &Path) -> anyhow::Result<()> {
    commands::run(commands::cargo(root).args(["build", "--workspace", "--bins", "--tests", "--examples"]))
}

/// Lints the built descriptor set: the Google annotations exist in code only, so buf cannot build the folder itself.
fn buf(root: &Path) -> anyhow::Result<()> {
    let program = root.join("target/tools/buf/node_modules/.bin/buf");
    let descriptors = commands::output(&mut Command::new(commands::built(root, "debug/examples/descriptor_set")))?;
    let image = root.join("target/tools/descriptor_set.binpb");
    std::fs::write(&image, descriptors)?;
    commands::run(Command::new(&program).current_dir(root).arg("lint").arg(&image).args(["--config", PROTO_CONFIG]))?;
    commands::run(Command::new(&program).current_dir(root).args(["format", "--diff", "--exit-code", "proto"]))
}

/// All suites under one PostgreSQL and one nats-server. Without cargo-nextest, plain `cargo test` runs the same tests.
fn tests(root: &Path, options: &Options) -> anyhow::Result<()> {
    let mut command = Command::new(commands::built(root, "debug/with-servers"));
    command.current_dir(root).arg(commands::cargo(root).get_program());
    if commands::find_program("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--workspace"]);
        if options.fast {
            command.args(JOURNEYS.map(|package| ["--exclude", package]).as_flattened());
        }
        command.args(&options.nextest).args(&options.names);
    } else {
        say("    cargo-nextest is not installed: using cargo test (slower; one name only)");
        command.args(["test", "--workspace", "--lib", "--bins", "--tests"]);
        if options.fast {
            command.args(JOURNEYS.map(|package| ["--exclude", package]).as_flattened());
        }
        command.args(options.names.iter().take(1));
    }
    commands::run(&mut command)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Options;

    #[test]
    fn words_become_options() {
        let options = Options::parse(&["--fast", "ticketing", "--", "--no-capture"]).unwrap();
        assert_eq!(
            options,
            Options { fast: true, names: vec!["ticketing".to_owned()], nextest: vec!["--no-capture".to_owned()] }
        );
        assert!(!options.checks());
        assert!(Options::parse(&[]).unwrap().checks());
        assert!(Options::parse(&["--slow"]).is_err());
    }
}
