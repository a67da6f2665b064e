//! The organization service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_organization::NAME, karibu_organization::start)
}
