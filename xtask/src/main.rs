//! The commands of the house, run as `cargo xtask NAME`. Depends on none of our crates, so it builds in seconds.

mod bench;
mod commands;
mod faults;
mod fuzz;
mod report;
mod setup;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::say;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  setup                 installs what the tests need: PostgreSQL, nats-server, buf, a Python environment.
                        On Debian and Ubuntu as root it runs apt-get; elsewhere it prints the line to run.
  test [--fast] [NAME…] [-- ARGS…]
                        setup, tidy, fmt, clippy, buf, and every test. --fast leaves out buf and the journeys.
                        With NAMEs: only the tests whose name contains one of them, and no checks.
                        ARGS go to cargo nextest run.
  tidy                  checks the rules of the house; prints `0 findings` or each finding with its line
  faults [--seed N] [--minutes M] [--replicas N] [--callers N]
                        the ledger harness: callers write while a seeded nemesis breaks things; then every promise is checked
  faults --mutation NAME
                        the same on a copy of the sources with faults/mutations/NAME.patch applied: it must fail
  fuzz [--minutes M] [NAME…]
                        builds the fuzz targets of fuzz/ and runs each, or those named, for M minutes (1 if left out)
  bench --quick         cold start and memory of the embedded suite (release build)
  bench [--only P3,P9] [--rounds N] [--seconds N] [--dry]
                        every measure against its yardstick; writes docs/benchmarks.md (unless --dry)
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let root = workspace_root();
    let outcome = match words.as_slice() {
        ["setup"] => setup::run(&root),
        ["test", options @ ..] => test::Options::parse(options).and_then(|options| test::run(&root, &options)),
        ["tidy"] => tidy::run(&root),
        ["faults", options @ ..] => faults::run(&root, options),
        ["fuzz", options @ ..] => fuzz::Options::parse(options).and_then(|options| fuzz::run(&root, &options)),
        ["bench", "--quick"] => bench::quick(&root),
        ["bench", options @ ..] => bench::full(&root, options),
        ["help" | "--help" | "-h"] | [] => {
            say(HELP);
            Ok(())
        }
        _ => Err(anyhow::anyhow!("unknown command\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
