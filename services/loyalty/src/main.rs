//! The loyalty service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_loyalty::NAME, karibu_loyalty::start)
}
