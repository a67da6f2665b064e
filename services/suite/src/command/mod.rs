//! The command line: what each command does, and how it ends.

mod demo;
mod import;
mod keys;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Worker threads of the embedded suite: the gateway and the services share them.
const WORKER_THREADS: u16 = 2;

/// Know your customers, hear their complaints, ask for their feedback and keep them loyal.
#[derive(Debug, Parser)]
#[command(name = "karibu", version, about, after_help = "Start with `karibu demo`. README.md tells the rest.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays the main job from first visit to survey answer, in a suite of its own, and shows each step
    Demo(demo::Demo),
    /// Starts the whole suite in one process on SQLite and keeps it running until Ctrl-C
    Up(Box<up::Up>),
    /// Prints a new API key for KARIBU_BOOTSTRAP_KEY, the first key of a suite whose services run apart
    Key,
    /// Makes the Ed25519 keys with which services that run apart know each other
    Keypair(keys::Keypair),
    /// Imports a CSV file through a running gateway
    #[command(subcommand)]
    Import(import::Import),
}

/// Runs the command that the arguments ask for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match server::runtime(WORKER_THREADS) {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(demo) => demo.run().await.map(|()| ExitCode::SUCCESS),
            Command::Up(up) => up.run().await.map(|()| ExitCode::SUCCESS),
            Command::Key => keys::print_key().map(|()| ExitCode::SUCCESS),
            Command::Keypair(keypair) => keypair.run().map(|()| ExitCode::SUCCESS),
            Command::Import(import) => import.run().await,
        }
    });
    outcome.unwrap_or_else(|error| failed(&error))
}

#[allow(clippy::print_stderr)]
fn failed(error: &anyhow::Error) -> ExitCode {
    anstream::eprintln!("karibu: {error:#}");
    ExitCode::FAILURE
}

/// Where the suite keeps its data when nothing else is said.
fn default_data() -> PathBuf {
    PathBuf::from(".karibu")
}
