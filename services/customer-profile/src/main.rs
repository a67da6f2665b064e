//! The profile service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_customer_profile::NAME, karibu_customer_profile::start)
}
