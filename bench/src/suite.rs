//! The suite as real processes on a durable PostgreSQL and a NATS server, started from the release build as a launcher
//! would, and connections to its gateway.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use client::Karibu;
use proto::karibu::organization::v1::{BranchKind, CreateBranchRequest};
use server::auth::SigningKeys;
use tempfile::TempDir;
use testkit::{Nats, Postgres, Service, ServiceOptions, free_port};

use crate::machine;

/// Connections of the load generator, as several callers have.
pub(crate) const CONNECTIONS: usize = 4;
/// Longest wait until what was written in one service is known in another.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which services to start beside organization and the gateway: short name and binary.
pub(crate) type Wanted = &'static [(&'static str, &'static str)];
/// The owner of complaints.
pub(crate) const TICKETING: (&str, &str) = ("ticketing", "karibu-ticketing");
/// The owner of customers.
pub(crate) const PROFILE: (&str, &str) = ("profile", "karibu-customer-profile");
/// What keys of customers are wrapped by in the suites of the bench, and nowhere else.
pub(crate) const MASTER_KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const ORGANIZATION: (&str, &str) = ("organization", "karibu-organization");

/// The processes and what they stand on.
pub(crate) struct Suite {
    /// Services by short name, the gateway last.
    pub(crate) services: Vec<(&'static str, Service)>,
    /// Its broker.
    pub(crate) nats: Nats,
    /// Database of each service.
    pub(crate) databases: Vec<(&'static str, String)>,
    /// Connections to its gateway.
    pub(crate) callers: Vec<Karibu>,
    /// A branch to work at.
    pub(crate) branch: String,
    _folder: TempDir,
}

impl Suite {
    /// Starts the processes and makes a branch.
    pub(crate) async fn start(postgres: &Postgres, wanted: Wanted) -> anyhow::Result<Self> {
        let nats = Nats::start().await;
        let folder = TempDir::new()?;
        let keys = write_keys(folder.path())?;
        let key = organization::new_key_text("test");
        let names = [&[ORGANIZATION], wanted].concat();
        let ports: Vec<u16> = names.iter().map(|_| free_port()).collect();
        let peers: Vec<String> =
            names.iter().zip(&ports).map(|((name, _), port)| format!("{name}=http://127.0.0.1:{port}")).collect();
        let mut services = Vec::new();
        let mut databases = Vec::new();
        let gateway = free_port();
        let all = names.iter().copied().zip(ports.iter().copied()).chain([(("gateway", "karibu-gateway"), gateway)]);
        for ((name, binary), port) in all {
            let address = folder.path().join(format!("{name}.address"));
            let database = postgres.database(name).await;
            let service = binary_of(binary)?
                .arg("--address-file")
                .arg(address.display().to_string())
                .env("KARIBU_LISTEN", SocketAddr::from(([127, 0, 0, 1], port)).to_string())
                .env("KARIBU_NATS", nats.url())
                .env("KARIBU_NATS_NAMESPACE", nats.namespace())
                .env("KARIBU_PEERS", peers.join(","))
                .env("KARIBU_INTERNAL_KEY", keys.0.display().to_string())
                .env("KARIBU_INTERNAL_PUBLIC_KEYS", keys.1.display().to_string())
                .env("KARIBU_MASTER_KEYS", MASTER_KEYS)
                .env("KARIBU_RATE_LIMITS", "off")
                .env("KARIBU_BOOTSTRAP_KEY", &key)
                .env("KARIBU_DATABASE", &database)
                .start();
            service.wait_file(&address).await;
            databases.push((name, database));
            services.push((name, service));
        }
        let callers = connect(&format!("http://127.0.0.1:{gateway}"), &key).await?;
        let branch = make_branch(&callers[0]).await?;
        Ok(Self { services, nats, databases, callers, branch, _folder: folder })
    }

    /// The process of a service.
    pub(crate) fn service(&self, name: &str) -> anyhow::Result<&Service> {
        self.services.iter().find(|(known, _)| *known == name).map(|(_, service)| service).context("no such service")
    }

    /// The database of a service.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<&str> {
        let found = self.databases.iter().find(|(known, _)| *known == name);
        found.map(|(_, url)| url.as_str()).context("no such database")
    }

    /// Processor seconds of each process so far.
    pub(crate) fn seconds(&self) -> Vec<(&'static str, f64)> {
        self.services.iter().map(|(name, service)| (*name, crate::cpu::seconds_of(service.id()))).collect()
    }
}

/// Several connections to one gateway.
pub(crate) async fn connect(address: &str, key: &str) -> anyhow::Result<Vec<Karibu>> {
    let mut callers = Vec::new();
    for _ in 0..CONNECTIONS {
        callers.push(Karibu::connect(address, key).await?);
    }
    Ok(callers)
}

/// Makes the root of a business, which is a branch one can work at.
pub(crate) async fn make_branch(karibu: &Karibu) -> anyhow::Result<String> {
    let request = CreateBranchRequest {
        request_id: client::request_id(),
        code: "BENCH".to_owned(),
        display_name: "Bench".to_owned(),
        kind: BranchKind::Business.into(),
        time_zone: "Africa/Kigali".to_owned(),
        currency_code: "RWF".to_owned(),
        ..CreateBranchRequest::default()
    };
    let made = eventually("a branch is made", || async {
        Ok(karibu.organization().create_branch(request.clone()).await?.into_inner())
    })
    .await?;
    Ok(made.branch.context("no branch")?.branch_id)
}

/// Tries `work` until it succeeds; its last error after a while.
pub(crate) async fn eventually<T, F: Future<Output = anyhow::Result<T>>>(
    what: &str,
    work: impl Fn() -> F,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match work().await {
            Ok(done) => return Ok(done),
            Err(error) if started.elapsed() > PATIENCE => return Err(error.context(format!("never: {what}"))),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// A program of the release build.
pub(crate) fn binary_of(name: &str) -> anyhow::Result<ServiceOptions> {
    let program = machine::root().join("target/release").join(name);
    anyhow::ensure!(program.exists(), "{name} is not built: cargo build --release --workspace --bins");
    Ok(ServiceOptions::new(name, program))
}

fn write_keys(folder: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (private, public) = SigningKeys::generate()?.to_pem()?;
    let files = (folder.join("internal.pem"), folder.join("internal.pub.pem"));
    std::fs::write(&files.0, private)?;
    std::fs::write(&files.1, public)?;
    Ok(files)
}
