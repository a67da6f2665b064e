//! The binary `karibu`: the command line of the embedded suite.

use std::process::ExitCode;

fn main() -> ExitCode {
    karibu::command::main()
}
