//! `karibu up`: the suite until Ctrl-C, with its data kept.

use std::net::SocketAddr;
use std::path::PathBuf;

use gateway::SignIn;
use gateway::admission::RateLimits;
use kernel::Clock;
use server::config::TelemetryConfig;
use server::tls::TlsConfig;

use super::default_data;
use crate::embedded::{Options, Suite};

/// What `karibu up` takes.
#[derive(Debug, clap::Args)]
pub(super) struct Up {
    /// Address of the gateway; port 0 takes a free one
    #[arg(long, env = "KARIBU_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder with the databases, one for each service; made if it is not there
    #[arg(long, value_name = "DIR", default_value_os_t = default_data())]
    data: PathBuf,
    /// Make another administrator's API key and print it (the first start prints one anyway)
    #[arg(long)]
    new_key: bool,
    /// Calls each second by class, as the gateway takes them
    #[arg(long, env = "KARIBU_RATE_LIMITS", value_name = "NAME=CALLS", default_value = gateway::limits::RATE_LIMITS)]
    rate_limits: RateLimits,
    #[command(flatten)]
    sign_in: SignIn,
    #[command(flatten)]
    tls: TlsConfig,
    #[command(flatten)]
    telemetry: TelemetryConfig,
}

impl Up {
    #[allow(clippy::print_stdout)]
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let data = self.data.display().to_string();
        let scheme = if self.tls.tls_certificate.is_some() { "https" } else { "http" };
        let options = Options {
            data: self.data,
            listen: self.listen,
            clock: Clock::system(),
            rate_limits: self.rate_limits,
            sign_in: self.sign_in,
            tls: self.tls,
            telemetry: self.telemetry,
            new_key: self.new_key,
        };
        let suite = Suite::start(options).await?;
        let address = suite.address;
        anstream::println!("gateway   {scheme}://{address}   (gRPC, gRPC-Web and HTTP/JSON on one port)");
        anstream::println!("data      {data}");
        match &suite.key {
            Some(key) => anstream::println!("API key   {key}   (shown this once; keep it)"),
            None => anstream::println!("API key   as shown at the first start; --new-key makes another"),
        }
        anstream::println!("try       curl -H 'authorization: Bearer KEY' {scheme}://{address}/v1/branches");
        anstream::println!("ready");
        server::asked_to_stop()?.await;
        suite.stop().await;
        Ok(())
    }
}
