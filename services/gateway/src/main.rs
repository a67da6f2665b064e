//! The gateway as a process of its own: services are peers over the network, events come over NATS.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::run(karibu_gateway::NAME, karibu_gateway::start)
}
