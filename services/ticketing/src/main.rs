//! The ticketing service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_ticketing::NAME, karibu_ticketing::start)
}
