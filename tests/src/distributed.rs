//! The suite as six processes on PostgreSQL and NATS, each started from its own binary.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use server::auth::SigningKeys;
use tempfile::TempDir;
use testkit::{Nats, Postgres, Service, ServiceOptions, free_port};

use crate::Place;

/// Short name and binary of each service that stands behind the gateway.
const SERVICES: [(&str, &str); 5] = [
    ("organization", "karibu-organization"),
    ("profile", "karibu-customer-profile"),
    ("ticketing", "karibu-ticketing"),
    ("loyalty", "karibu-loyalty"),
    ("feedback", "karibu-feedback"),
];

/// What keys of customers are wrapped by in these suites, and nowhere else.
const MASTER_KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The processes of a distributed suite and what they stand on.
pub struct Distributed {
    /// Services by short name, the gateway last.
    pub services: Vec<(&'static str, Service)>,
    /// The NATS server; its namespace is this suite's own.
    pub nats: Nats,
    /// Database URL of each service, by short name.
    pub databases: Vec<(&'static str, String)>,
    /// Where the gateway listens.
    pub gateway: SocketAddr,
    /// An administrator's API key.
    pub key: String,
    /// Holds the keys and the clock.
    pub folder: TempDir,
}

/// Starts six processes and waits until all are ready. `more` adds arguments to every process.
pub async fn distributed(more: &[(&str, &str)]) -> Place {
    let suite = Distributed::start(more).await;
    let clock = suite.folder.path().join("clock");
    let ahead_us = AtomicI64::new(0);
    Place {
        mode: "distributed",
        address: format!("http://{}", suite.gateway),
        key: suite.key.clone(),
        advance: std::sync::Arc::new(move |by_us| {
            let ahead = ahead_us.fetch_add(by_us, Ordering::Relaxed) + by_us;
            write_whole(&clock, &ahead.to_string());
            Ok(())
        }),
        keep: Box::new(suite),
    }
}

impl Distributed {
    /// Starts the processes with `more` environment for each.
    pub async fn start(more: &[(&str, &str)]) -> Self {
        let (postgres, nats) = tokio::join!(Postgres::start(), Nats::shared());
        let folder = TempDir::new().unwrap();
        let keys = KeyFiles::write(folder.path());
        write_whole(&folder.path().join("clock"), "0");
        let key = organization::new_key_text("test");
        let ports: Vec<(&str, u16)> = SERVICES.iter().map(|(name, _)| (*name, free_port())).collect();
        let peers: Vec<String> = ports.iter().map(|(name, port)| format!("{name}=http://127.0.0.1:{port}")).collect();
        let mut suite =
            Self { services: Vec::new(), nats, databases: Vec::new(), gateway: local(free_port()), key, folder };
        for ((name, binary), (_, port)) in SERVICES.iter().zip(&ports) {
            let database = postgres.database(name).await;
            let options = suite.options(binary, *port, &keys, &peers, more).env("KARIBU_DATABASE", &database);
            let options =
                if *name == "organization" { options.env("KARIBU_BOOTSTRAP_KEY", &suite.key) } else { options };
            suite.databases.push((name, database));
            suite.services.push((name, options.start()));
        }
        let options = suite.options("karibu-gateway", suite.gateway.port(), &keys, &peers, more);
        suite.services.push(("gateway", options.start()));
        for (name, service) in &suite.services {
            let port = ports.iter().find(|(peer, _)| peer == name).map_or(suite.gateway.port(), |(_, port)| *port);
            service.wait_file(&suite.address_file(port)).await;
        }
        suite.wait_until_ready().await;
        suite
    }

    fn address_file(&self, port: u16) -> PathBuf {
        self.folder.path().join(format!("{port}.address"))
    }

    fn options(
        &self,
        binary: &str,
        port: u16,
        keys: &KeyFiles,
        peers: &[String],
        more: &[(&str, &str)],
    ) -> ServiceOptions {
        let path = |path: PathBuf| path.display().to_string();
        let mut options = ServiceOptions::workspace_binary(binary)
            .arg("--clock-offset-file")
            .arg(path(self.folder.path().join("clock")))
            .arg("--address-file")
            .arg(path(self.address_file(port)))
            .env("KARIBU_LISTEN", local(port).to_string())
            .env("KARIBU_NATS", self.nats.url())
            .env("KARIBU_NATS_NAMESPACE", self.nats.namespace())
            .env("KARIBU_PEERS", peers.join(","))
            .env("KARIBU_INTERNAL_KEY", path(keys.private.clone()))
            .env("KARIBU_INTERNAL_PUBLIC_KEYS", path(keys.public.clone()))
            .env("KARIBU_MASTER_KEYS", MASTER_KEYS)
            .env("KARIBU_RATE_LIMITS", "off")
            .env("KARIBU_LOG", "warn");
        for (name, value) in more {
            options = options.env(name, *value);
        }
        options
    }

    /// The gateway answers a call that needs every service to have come up.
    async fn wait_until_ready(&self) {
        let address = format!("http://{}", self.gateway);
        let (_, gateway) = &self.services[self.services.len() - 1];
        gateway.wait_for("the gateway reaches every service", || crate::all_answer(&address, &self.key)).await;
    }
}

struct KeyFiles {
    private: PathBuf,
    public: PathBuf,
}

impl KeyFiles {
    fn write(folder: &Path) -> Self {
        let (private, public) = SigningKeys::generate().unwrap().to_pem().unwrap();
        let files = Self { private: folder.join("internal.pem"), public: folder.join("internal.pub.pem") };
        std::fs::write(&files.private, private).unwrap();
        std::fs::write(&files.public, public).unwrap();
        files
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Readers must never see half of it.
fn write_whole(path: &Path, text: &str) {
    let part = path.with_extension("part");
    std::fs::write(&part, text).unwrap();
    std::fs::rename(&part, path).unwrap();
}
