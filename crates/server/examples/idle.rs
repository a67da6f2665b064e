//! The smallest process that boots from the kit: no database and no methods, but settings, keys, health, drain and
//! all else that every service has. `cargo run -p karibu-server --example idle -- --help`

use std::process::ExitCode;
use std::time::Duration;

use karibu_server::{Kit, Started, run};

/// Its own settings.
#[derive(Clone, Debug, clap::Args)]
struct Idle {
    /// Work that goes on in the background when the process is asked to stop
    #[arg(long, default_value = "0s", value_parser = karibu_server::config::duration)]
    linger: Duration,
}

async fn start(kit: &Kit, config: Idle) -> anyhow::Result<Started> {
    let stop = kit.stop.clone();
    kit.tasks.spawn(async move {
        stop.cancelled().await;
        tokio::time::sleep(config.linger).await;
    });
    Ok(kit.routes().started(|| async { Ok(()) }))
}

fn main() -> ExitCode {
    run("idle", start)
}
