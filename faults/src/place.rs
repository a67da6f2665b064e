//! The distributed suite with replicas, durable PostgreSQL and NATS, every edge to them through a fault proxy; and a
//! supervisor that starts again what ended by itself, as any cluster would.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use client::Karibu;
use server::auth::SigningKeys;
use tempfile::TempDir;
use testkit::{Nats, Postgres, PostgresOptions, Service, ServiceOptions, free_port};

use crate::proxy::Proxy;

/// Short name and binary of each service that stands behind the gateway.
pub const SERVICES: [(&str, &str); 5] = [
    ("organization", "karibu-organization"),
    ("profile", "karibu-customer-profile"),
    ("ticketing", "karibu-ticketing"),
    ("loyalty", "karibu-loyalty"),
    ("feedback", "karibu-feedback"),
];
const GATEWAY: (&str, &str) = ("gateway", "karibu-gateway");
/// How often the supervisor looks.
const SUPERVISION: Duration = Duration::from_millis(250);

/// One process of the suite.
#[derive(Debug)]
pub struct Process {
    /// Short name of the service, and which replica: `ticketing-1`.
    pub name: String,
    service: Mutex<Service>,
    /// Its way to the database; the gateway has none.
    pub postgres: Option<Proxy>,
    /// Its way to NATS.
    pub nats: Proxy,
    /// The nemesis holds it down.
    down: AtomicBool,
    /// How often the supervisor started it again, because it had ended by itself.
    pub ended: AtomicU64,
}

impl Process {
    fn with<T>(&self, work: impl FnOnce(&mut Service) -> T) -> T {
        work(&mut self.service.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// SIGKILL, and nobody starts it until [`Self::start`].
    pub fn kill(&self) {
        self.down.store(true, Ordering::SeqCst);
        self.with(|service| service.kill());
    }

    /// SIGTERM; the supervisor starts it again when it has ended.
    pub fn terminate(&self) {
        self.with(|service| service.terminate());
    }

    /// SIGSTOP.
    pub fn pause(&self) {
        self.with(|service| service.pause());
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.with(|service| service.resume());
    }

    /// Starts it after a [`Self::kill`].
    pub fn start(&self) {
        self.with(|service| {
            if service.exited().is_some() {
                service.restart();
            }
        });
        self.down.store(false, Ordering::SeqCst);
    }

    /// Everything it printed in all its lives.
    pub fn log(&self) -> String {
        self.with(|service| service.log())
    }

    fn supervise(&self) {
        if self.down.load(Ordering::SeqCst) {
            return;
        }
        self.with(|service| {
            if service.exited().is_some() {
                self.ended.fetch_add(1, Ordering::Relaxed);
                service.restart();
            }
        });
    }
}

/// All processes and what they stand on.
#[derive(Debug)]
pub struct Place {
    /// The database server.
    pub postgres: Postgres,
    /// The NATS server.
    pub nats: Nats,
    /// The processes of the suite.
    pub processes: Vec<Arc<Process>>,
    /// URL of the database of each service, past the proxies.
    pub databases: Vec<(&'static str, String)>,
    /// The gateways, `http://host:port`.
    pub gateways: Vec<String>,
    /// An administrator's API key.
    pub key: String,
    /// Holds keys and the ledger.
    pub folder: TempDir,
    supervisor: tokio::task::JoinHandle<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// What all processes are told alike.
struct Common {
    peers: String,
    private_key: PathBuf,
    public_key: PathBuf,
    api_key: String,
    postgres: SocketAddr,
    nats: SocketAddr,
    namespace: String,
}

impl Place {
    /// Starts `replicas` of each service and of the gateway, and waits until all answer. `settings` are those of
    /// PostgreSQL, `name=value`.
    pub async fn start(replicas: usize, settings: &[String]) -> anyhow::Result<Self> {
        let settings = [&["max_connections=300".to_owned()], settings].concat();
        let (postgres, nats) = tokio::join!(
            Postgres::start_own(PostgresOptions { durable: true, settings, certificate: None }),
            Nats::start()
        );
        let folder = TempDir::new()?;
        let ports: Vec<(&str, Vec<u16>)> =
            SERVICES.iter().map(|(name, _)| (*name, (0..replicas).map(|_| free_port()).collect())).collect();
        let peers = ports
            .iter()
            .flat_map(|(name, ports)| ports.iter().map(move |port| format!("{name}=http://127.0.0.1:{port}")))
            .collect::<Vec<_>>()
            .join(",");
        let (private_key, public_key) = write_keys(folder.path())?;
        let api_key = organization::new_key_text("test");
        let common = Common {
            peers,
            private_key,
            public_key,
            api_key: api_key.clone(),
            postgres: host_of(&postgres.url(""))?,
            nats: host_of(nats.url())?,
            namespace: nats.namespace().to_owned(),
        };
        let (mut processes, mut databases) = (Vec::new(), Vec::new());
        for ((name, binary), (_, ports)) in SERVICES.iter().zip(&ports) {
            let database = postgres.database(name).await;
            for (replica, port) in ports.iter().enumerate() {
                let label = format!("{name}-{replica}");
                processes.push(Arc::new(common.process(label, binary, *port, Some(&database)).await?));
            }
            databases.push((*name, database));
        }
        let mut gateways = Vec::new();
        for replica in 0..replicas {
            let port = free_port();
            let label = format!("{}-{replica}", GATEWAY.0);
            processes.push(Arc::new(common.process(label, GATEWAY.1, port, None).await?));
            gateways.push(format!("http://127.0.0.1:{port}"));
        }
        let watched = processes.clone();
        let supervisor = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SUPERVISION).await;
                let watched = watched.clone();
                blocking(move || watched.iter().for_each(|process| process.supervise())).await;
            }
        });
        let place = Self { postgres, nats, processes, databases, gateways, key: api_key, folder, supervisor };
        for gateway in &place.gateways {
            testkit::assert_eventually(Duration::from_secs(90), || place.all_answer(gateway)).await;
        }
        Ok(place)
    }

    /// A client of one of the gateways.
    pub async fn client(&self, gateway: usize) -> Result<Karibu, client::ConnectError> {
        Karibu::connect(&self.gateways[gateway % self.gateways.len()], &self.key).await
    }

    /// URL of a service's database.
    pub fn database(&self, service: &str) -> anyhow::Result<&str> {
        let found = self.databases.iter().find(|(name, _)| *name == service);
        found.map(|(_, url)| url.as_str()).with_context(|| format!("no database of {service}"))
    }

    /// Whether every service answers through this gateway.
    pub async fn all_answer(&self, gateway: &str) -> Result<(), String> {
        use proto::karibu::{feedback, loyalty, organization, profile, ticketing};
        let karibu = Karibu::connect(gateway, &self.key).await.map_err(|error| error.to_string())?;
        let said = |status: tonic::Status| format!("{gateway}: {status}");
        karibu.organization().list_roles(organization::v1::ListRolesRequest::default()).await.map_err(said)?;
        karibu.profile().list_customers(profile::v1::ListCustomersRequest::default()).await.map_err(said)?;
        karibu.ticketing().list_complaints(ticketing::v1::ListComplaintsRequest::default()).await.map_err(said)?;
        karibu.loyalty().list_programs(loyalty::v1::ListProgramsRequest::default()).await.map_err(said)?;
        karibu.feedback().list_surveys(feedback::v1::ListSurveysRequest::default()).await.map_err(said)?;
        Ok(())
    }

    /// The process with this label.
    pub fn process(&self, label: &str) -> Option<&Arc<Process>> {
        self.processes.iter().find(|process| process.name == label)
    }
}

impl Common {
    async fn process(&self, name: String, binary: &str, port: u16, database: Option<&str>) -> anyhow::Result<Process> {
        let nats = Proxy::start(self.nats).await?;
        let postgres = if database.is_some() { Some(Proxy::start(self.postgres).await?) } else { None };
        let mut options = ServiceOptions::new(&name, program(binary)?)
            .env("KARIBU_LISTEN", SocketAddr::from(([127, 0, 0, 1], port)).to_string())
            .env("KARIBU_NATS", format!("nats://{}", nats.address()))
            .env("KARIBU_NATS_NAMESPACE", &self.namespace)
            .env("KARIBU_PEERS", &self.peers)
            .env("KARIBU_INTERNAL_KEY", self.private_key.display().to_string())
            .env("KARIBU_INTERNAL_PUBLIC_KEYS", self.public_key.display().to_string())
            .env("KARIBU_MASTER_KEYS", "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
            .env("KARIBU_RATE_LIMITS", "off")
            .env("KARIBU_LOG", "warn");
        if let (Some(database), Some(proxy)) = (database, &postgres) {
            options = options.env("KARIBU_DATABASE", through(database, proxy.address())?);
        }
        if name.starts_with("organization") {
            options = options.env("KARIBU_BOOTSTRAP_KEY", &self.api_key);
        }
        let service = Mutex::new(options.start());
        Ok(Process { name, service, postgres, nats, down: AtomicBool::new(false), ended: AtomicU64::new(0) })
    }
}

/// Runs what blocks where it may; a panic of it is one of ours.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// A binary of the workspace, beside ours or, in a test, one folder up.
fn program(binary: &str) -> anyhow::Result<PathBuf> {
    let us = std::env::current_exe()?;
    let mut folders = us.ancestors().skip(1).take(2).map(|folder| folder.join(binary));
    folders
        .find(|path| path.is_file())
        .with_context(|| format!("the binary {binary} is not built. Build it:\n    cargo build --workspace --bins"))
}

fn write_keys(folder: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (private, public) = SigningKeys::generate()?.to_pem()?;
    let paths = (folder.join("internal.pem"), folder.join("internal.pub.pem"));
    std::fs::write(&paths.0, private)?;
    std::fs::write(&paths.1, public)?;
    Ok(paths)
}

/// Start and end of `host:port` in a URL.
fn host_place(url: &str) -> anyhow::Result<(usize, usize)> {
    let Some(scheme) = url.find("://") else { bail!("no scheme in {url}") };
    let start = url.find('@').map_or(scheme + 3, |at| at + 1);
    let end = url[start..].find('/').map_or(url.len(), |slash| start + slash);
    Ok((start, end))
}

fn host_of(url: &str) -> anyhow::Result<SocketAddr> {
    let (start, end) = host_place(url)?;
    url[start..end].replace("localhost", "127.0.0.1").parse().with_context(|| format!("no address in {url}"))
}

fn through(url: &str, proxy: SocketAddr) -> anyhow::Result<String> {
    let (start, end) = host_place(url)?;
    Ok(format!("{}{proxy}{}", &url[..start], &url[end..]))
}
