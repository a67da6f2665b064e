//! `karibu demo`: a suite of its own in a fresh folder, and the story told through its gateway.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use client::Karibu;
use kernel::Clock;
use server::config::TelemetryConfig;

use crate::embedded::{Options, Suite};
use crate::story::{Printed, Stage, tell};

/// What `karibu demo` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Folder that gets the databases and keeps them; a temporary one that is removed at the end if left out
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Log filter: a level, or directives such as warn,karibu_commit=debug
    #[arg(long, env = "KARIBU_LOG", value_name = "FILTER", default_value = "error")]
    log: String,
}

impl Demo {
    #[allow(clippy::print_stdout)]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let temporary = self.data.is_none();
        let data =
            self.data.unwrap_or_else(|| std::env::temp_dir().join(format!("karibu-demo-{}", std::process::id())));
        anyhow::ensure!(
            !data.join("organization.db").exists(),
            "{} holds a business already; the demo opens a new one: name another folder",
            data.display()
        );
        let telemetry = TelemetryConfig { log: self.log, ..TelemetryConfig::default() };
        let options = Options {
            data: data.clone(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: Clock::system(),
            telemetry,
            rate_limits: Default::default(),
            sign_in: Default::default(),
            tls: server::tls::TlsConfig::none(),
            new_key: false,
        };
        let outcome = play(options).await;
        if temporary {
            std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        }
        outcome?;
        anstream::println!("\nThat was the demo. `karibu up` starts the suite and keeps it running.");
        Ok(())
    }
}

#[allow(clippy::print_stdout)]
async fn play(options: Options) -> anyhow::Result<()> {
    let suite = Suite::start(options).await?;
    let key = suite.key.clone().context("a new suite makes a first key")?;
    let address = format!("http://{}", suite.address);
    anstream::println!("The suite runs: six services in one process, the gateway on {address}");
    let clock = suite.clock.clone();
    let stage = Stage {
        client: Karibu::connect(&address, &key).await?,
        address,
        advance: Box::new(move |by_us| {
            clock.advance_us(by_us);
            Ok(())
        }),
        narrator: Arc::new(Printed),
    };
    let told = tell(stage).await;
    suite.stop().await;
    told.map(|_| ())
}
