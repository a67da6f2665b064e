//! `cargo xtask faults`: the ledger harness of `faults/`; and its own test, which breaks the code on purpose in a copy of the
//! sources and wants to see the harness, or a suite named in the patch, fail.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::commands;
use crate::report::say;

/// In a patch, the line that says what must fail: words after `cargo`.
const CAUGHT_BY: &str = "Caught-by: cargo ";
/// What it is otherwise.
const HARNESS: &str = "run --quiet -p karibu-faults -- --seed 1 --minutes 0.7";

/// Builds the programs and runs the harness, or tries one mutation.
pub(crate) fn run(root: &Path, options: &[&str]) -> anyhow::Result<()> {
    if let ["--mutation", name] = options {
        return mutation(root, name);
    }
    commands::run(commands::cargo(root).args(["build", "--workspace", "--bins"]))?;
    commands::run(Command::new(commands::built(root, "debug/karibu-faults")).current_dir(root).args(options))
}

/// Applies a patch to a copy of the sources, builds it, and runs what must fail.
fn mutation(root: &Path, name: &str) -> anyhow::Result<()> {
    let patch = root.join("faults/mutations").join(name).with_extension("patch");
    let text = std::fs::read_to_string(&patch).with_context(|| format!("there is no {}", patch.display()))?;
    let caught_by = text.lines().find_map(|line| line.strip_prefix(CAUGHT_BY)).unwrap_or(HARNESS);
    let copy = copy(root)?;
    let git = |words: &[&str]| {
        let mut command = Command::new("git");
        command.current_dir(&copy).args(words);
        command
    };
    commands::run(git(&["apply"]).arg(&patch))?;
    // Tests find servers and tools in the folder of the workspace, and the programs beside themselves.
    let cargo = |words: &[&str]| {
        let mut command = commands::cargo(&copy);
        command.env("CARGO_TARGET_DIR", root.join("target/mutations/target")).args(words);
        for (variable, tool) in [("KARIBU_TEST_NATS_SERVER", root.join("target/tools/nats-server"))]
            .into_iter()
            .filter(|(_, path)| path.is_file())
        {
            command.env(variable, tool);
        }
        command
    };
    commands::run(&mut cargo(&["build", "--workspace", "--bins"]))?;
    let words: Vec<&str> = caught_by.split_whitespace().collect();
    if commands::run(&mut cargo(&words)).is_ok() {
        bail!("the mutation {name} was not caught by: cargo {caught_by}");
    }
    say(&format!("    the mutation {name} is caught by: cargo {caught_by}"));
    Ok(())
}

/// The sources as they are committed, in target/mutations/source.
fn copy(root: &Path) -> anyhow::Result<PathBuf> {
    let copy = root.join("target/mutations/source");
    if copy.exists() {
        commands::run(
            Command::new("git").current_dir(&copy).args(["checkout", "--quiet", "--force", "--detach"]).arg(
                String::from_utf8(commands::output(
                    Command::new("git").current_dir(root).args(["rev-parse", "HEAD"]),
                )?)?
                .trim(),
            ),
        )?;
    } else {
        commands::run(
            Command::new("git")
                .current_dir(root)
                .args(["worktree", "add", "--force", "--detach", "--quiet"])
                .arg(&copy),
        )?;
    }
    Ok(copy)
}
