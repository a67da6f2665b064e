//! All services in one process: databases in one folder, calls as function calls, events straight from
//! the logs, the gateway's door on one port.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use kernel::Clock;
use server::config::{BaseConfig, TelemetryConfig};
use server::telemetry::Telemetry;
use server::tls::{Tls, TlsConfig};
use server::{Drained, House, Process, Started, Stop, Upstream};
use tokio::task::JoinHandle;

/// How to start the suite.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the databases; made if it is not there.
    pub data: PathBuf,
    /// Address of the gateway; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Business time.
    pub clock: Clock,
    /// How much the gateway bears of each caller.
    pub rate_limits: gateway::admission::RateLimits,
    /// How staff sign in.
    pub sign_in: gateway::SignIn,
    /// TLS of the gateway's port.
    pub tls: TlsConfig,
    /// Logs, traces and metrics.
    pub telemetry: TelemetryConfig,
    /// Make an administrator's key even when there is one.
    pub new_key: bool,
}

/// The suite while it runs.
pub struct Suite {
    /// Where the gateway listens.
    pub address: SocketAddr,
    /// The administrator's key that was made at this start, if one was.
    pub key: Option<String>,
    /// Business time.
    pub clock: Clock,
    leave: Stop,
    running: JoinHandle<Drained>,
    telemetry: Telemetry,
}

/// The settings of the process: defaults, and what the environment says.
#[derive(Parser)]
struct Base {
    #[command(flatten)]
    base: BaseConfig,
}

impl Suite {
    /// Starts every service. When this returns, the gateway answers.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let telemetry = server::telemetry::init("karibu", &options.telemetry)?;
        let mut house = House::embedded(options.clock.clone())?;
        house.tls = Tls::load(&options.tls)?;
        house.tls.follow(&house.tasks, &house.stop);
        let tls = options.tls.clone();
        let base = BaseConfig { listen: options.listen, tls, ..Base::parse_from(["karibu"]).base };
        house.privacy = house.privacy.with(&base.privacy)?;
        let (services, key) = start_services(&house, &options).await?;
        let process = Process::bind(&base, house, telemetry.scrape.clone()).await?;
        let (address, leave) = (process.address, Stop::new());
        let asked = leave.clone();
        let running = tokio::spawn(process.serve(services, async move { asked.cancelled().await }));
        Ok(Self { address, key, clock: options.clock, leave, running, telemetry })
    }

    /// Ends in good order: open calls are answered, databases closed.
    pub async fn stop(self) {
        self.leave.cancel();
        let _ = self.running.await;
        self.telemetry.shut_down().await;
    }
}

async fn start_services(house: &House, options: &Options) -> anyhow::Result<(Vec<Started>, Option<String>)> {
    let kit = |name: &'static str| house.kit(name, database(&options.data, name));
    let own = kit(organization::NAME);
    let office = organization::open(&own, &organization::Config::default()).await.context("organization")?;
    let key = if options.new_key {
        Some(organization::create_admin_key(&office).await?)
    } else {
        organization::ensure_first_key(&office, None).await?
    };
    let services = vec![
        organization::serve(&own, office),
        customer_profile::start(&kit(customer_profile::NAME), Default::default()).await.context("customer-profile")?,
        ticketing::start(&kit(ticketing::NAME), Default::default()).await.context("ticketing")?,
        loyalty::start(&kit(loyalty::NAME), Default::default()).await.context("loyalty")?,
        feedback::start(&kit(feedback::NAME), Default::default()).await.context("feedback")?,
    ];
    for service in &services {
        house.peers.put(service.name, Upstream::Local(service.routes.clone()));
    }
    // Kept with the data, so that subscribers go on where they were after a restart.
    let resume_secret_file = Some(options.data.join("resume-secret"));
    let rate_limits = options.rate_limits.clone();
    let sign_in = options.sign_in.clone();
    let settings = gateway::Config { resume_secret_file, rate_limits, sign_in, ..Default::default() };
    let door = gateway::start(&kit(gateway::NAME), settings).await.context("gateway")?;
    Ok((services.into_iter().chain([door]).collect(), key))
}

fn database(data: &Path, service: &str) -> String {
    format!("sqlite:{}", data.join(format!("{service}.db")).display())
}
