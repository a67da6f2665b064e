//! The feedback service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_feedback::NAME, karibu_feedback::start)
}
