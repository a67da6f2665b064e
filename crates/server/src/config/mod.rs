//! The settings that every process of Karibu knows. A service's own settings are a `clap::Args` struct of its own,
//! parsed beside these. Layers: flag, then environment, then file, then default.

mod document;
mod file;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use document::{command, own_command, settings_table};
pub use file::{Loaded, load};

use crate::deadline::Deadlines;
use crate::tls::TlsConfig;
use crate::{Bounds, limits};

/// The settings of every process.
#[derive(Clone, Debug, clap::Args)]
pub struct BaseConfig {
    /// TOML file with settings, named as the flags are; keys for one service alone stand in a table of its name
    #[arg(long, env = "KARIBU_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address that serves gRPC; port 0 takes a free one
    #[arg(long, env = "KARIBU_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:50051")]
    pub listen: SocketAddr,
    /// Address that serves /metrics, /livez and /readyz; none if left out
    #[arg(long, env = "KARIBU_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// Database: sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME; sqlite:.karibu/SERVICE.db if left out
    #[arg(long, env = "KARIBU_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// Role of PostgreSQL as which callers are read for, made at the start if the login may; row-level security shows it
    /// the branches of the caller. Empty: the login reads, and there is no such second wall
    #[arg(long, env = "KARIBU_DATABASE_READER_ROLE", value_name = "ROLE", default_value = store::READER_ROLE)]
    pub database_reader_role: String,
    /// Events between processes.
    #[command(flatten)]
    pub nats: NatsConfig,
    /// A peer as NAME=URL; the same name again adds a replica, and a host name is resolved again and again
    #[arg(long = "peer", env = "KARIBU_PEERS", value_name = "NAME=URL", value_delimiter = ',', value_parser = peer)]
    pub peers: Vec<Peer>,
    /// PEM file with the private Ed25519 key that signs internal tokens: gateway, and who calls peers
    #[arg(long, env = "KARIBU_INTERNAL_KEY", value_name = "FILE")]
    pub internal_key: Option<PathBuf>,
    /// PEM files with the public Ed25519 keys whose internal tokens are believed
    #[arg(long, env = "KARIBU_INTERNAL_PUBLIC_KEYS", value_name = "FILES", value_delimiter = ',')]
    pub internal_public_keys: Vec<PathBuf>,
    /// Secrets behind page tokens, at least 16 characters: the first makes tokens, all are believed. If left out, one is
    /// derived from the key that signs internal tokens
    #[arg(long = "page-secret", env = "KARIBU_PAGE_SECRETS", value_name = "SECRET", value_delimiter = ',',
          value_parser = page_secret, hide_env_values = true)]
    pub page_secrets: Vec<String>,
    /// Worker threads of the runtime; 1 runs everything on one thread, which is fastest for small replicas
    #[arg(long, env = "KARIBU_WORKER_THREADS", value_name = "COUNT", default_value = "1",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub worker_threads: u16,
    /// TLS of the ports and towards peers.
    #[command(flatten)]
    pub tls: TlsConfig,
    /// Time a call may take when its caller names none
    #[arg(long, env = "KARIBU_DEADLINE", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub deadline: Duration,
    /// The most time that a caller gets
    #[arg(long, env = "KARIBU_DEADLINE_CAP", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub deadline_cap: Duration,
    /// Largest request message, bytes
    #[arg(long, env = "KARIBU_MAX_REQUEST_BYTES", value_name = "BYTES", default_value = "1048576")]
    pub max_request_bytes: usize,
    /// Connections open at once; more wait to be accepted
    #[arg(long, env = "KARIBU_MAX_CONNECTIONS", value_name = "COUNT", default_value = "10000")]
    pub max_connections: usize,
    /// Connections open at once from one address; more are closed
    #[arg(long, env = "KARIBU_MAX_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", default_value = "1000")]
    pub max_connections_per_address: usize,
    /// Time for the TLS handshake, for the first bytes of a connection, and for the head of an HTTP/1 request
    #[arg(long, env = "KARIBU_HEAD_TIMEOUT", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub head_timeout: Duration,
    /// Age at which an HTTP/2 connection is asked to leave once its calls have ended
    #[arg(long, env = "KARIBU_CONNECTION_AGE", value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub connection_age: Duration,
    /// Answer gRPC server reflection
    #[arg(long, env = "KARIBU_REFLECTION", value_name = "BOOL", default_value = "true", action = clap::ArgAction::Set)]
    pub reflection: bool,
    /// Time between "not serving" and the end of new work when the process is asked to stop
    #[arg(long, env = "KARIBU_DRAIN_DELAY", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub drain_delay: Duration,
    /// Time that open calls get to end when the process stops
    #[arg(long, env = "KARIBU_DRAIN", value_name = "DURATION", default_value = "25s", value_parser = duration)]
    pub drain: Duration,
    /// Personal data.
    #[command(flatten)]
    pub privacy: PrivacyConfig,
    /// Logs, traces and metrics.
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    /// For tests: a file with microseconds by which business time runs ahead, read again and again
    #[arg(long, value_name = "FILE", hide = true)]
    pub clock_offset_file: Option<PathBuf>,
    /// For launchers: a file that gets the bound address once the process listens
    #[arg(long, value_name = "FILE", hide = true)]
    pub address_file: Option<PathBuf>,
}

impl BaseConfig {
    /// Default and cap of deadlines.
    pub fn deadlines(&self) -> Deadlines {
        Deadlines { default: self.deadline.min(self.deadline_cap), cap: self.deadline_cap }
    }

    /// What a port bears: a public one hears strangers, the others hear Karibu itself.
    pub fn bounds(&self, public: bool) -> Bounds {
        Bounds {
            header_bytes: if public { limits::MAX_HEADER_BYTES } else { limits::MAX_INNER_HEADER_BYTES },
            streams: if public { limits::MAX_PUBLIC_STREAMS } else { limits::MAX_STREAMS },
            connections: self.max_connections,
            connections_per_address: self.max_connections_per_address,
            head_timeout: self.head_timeout,
            connection_age: self.connection_age,
        }
    }

    /// The database of the service `name`.
    pub fn database_of(&self, name: &str) -> String {
        self.database.clone().unwrap_or_else(|| format!("sqlite:.karibu/{name}.db"))
    }
}

/// Events between processes.
#[derive(Clone, Debug, clap::Args)]
pub struct NatsConfig {
    /// NATS servers that carry events between processes, such as nats://HOST:4222; needed when services run apart
    #[arg(long = "nats", env = "KARIBU_NATS", value_name = "URLS", value_delimiter = ',', hide_env_values = true)]
    pub urls: Vec<String>,
    /// File with the JWT and seed of a NATS user
    #[arg(long = "nats-credentials", env = "KARIBU_NATS_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// PEM file with the certificates of the authority that NATS servers are signed by
    #[arg(long = "nats-root-certificates", env = "KARIBU_NATS_ROOT_CERTIFICATES", value_name = "FILE")]
    pub root_certificates: Option<PathBuf>,
    /// PEM file with the certificate that NATS servers are shown, if they ask for one
    #[arg(long = "nats-certificate", env = "KARIBU_NATS_CERTIFICATE", value_name = "FILE", requires = "nats_key")]
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key of that certificate
    #[arg(id = "nats_key", long = "nats-key", env = "KARIBU_NATS_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Keeps installations apart that share NATS servers
    #[arg(long = "nats-namespace", env = "KARIBU_NATS_NAMESPACE", value_name = "NAME")]
    pub namespace: Option<String>,
    /// Replicas of each stream: 1, or 3 on a cluster
    #[arg(long = "nats-replicas", env = "KARIBU_NATS_REPLICAS", value_name = "COUNT", default_value = "1")]
    pub replicas: usize,
    /// How long streams keep events; the databases keep them longer
    #[arg(long = "nats-max-age", env = "KARIBU_NATS_MAX_AGE", value_name = "DURATION", default_value = "336h",
          value_parser = duration)]
    pub max_age: Duration,
}

impl NatsConfig {
    /// For the bus; `None` without a server. `name` is shown by the server for our connection.
    pub fn options(&self, name: &str) -> Option<events::NatsOptions> {
        let Self { urls, credentials, root_certificates, certificate, key, namespace, replicas, max_age } =
            self.clone();
        let client_name = format!("karibu-{name}");
        (!urls.is_empty()).then_some(events::NatsOptions {
            urls,
            credentials,
            root_certificates,
            certificate: certificate.zip(key),
            namespace,
            replicas,
            max_age,
            client_name,
        })
    }
}

/// Personal data.
#[derive(Clone, clap::Args)]
pub struct PrivacyConfig {
    /// File with the master keys that keys of customers are wrapped by, one NAME:KEY a line (32 bytes in base64), the
    /// newest first; made beside the database if left out and that is SQLite
    #[arg(long, env = "KARIBU_MASTER_KEY_FILE", value_name = "FILE")]
    pub master_key_file: Option<PathBuf>,
    /// The same keys as a text, in place of the file; a comma ends a line
    #[arg(long, env = "KARIBU_MASTER_KEYS", value_name = "KEYS", hide_env_values = true)]
    pub master_keys: Option<String>,
    /// How long the answers to requests are kept, so that a repeat with the same request id changes nothing
    #[arg(long, env = "KARIBU_KEEP_ANSWERS", value_name = "DURATION", default_value = "168h", value_parser = duration)]
    pub keep_answers: Duration,
    /// Note in the audit trail who read personal data
    #[arg(long, env = "KARIBU_AUDIT_READS", value_name = "BOOL", default_value = "false",
          action = clap::ArgAction::Set)]
    pub audit_reads: bool,
}

impl std::fmt::Debug for PrivacyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let master_keys = self.master_keys.as_ref().map(|_| "..");
        f.debug_struct("PrivacyConfig")
            .field("master_key_file", &self.master_key_file)
            .field("master_keys", &master_keys)
            .field("keep_answers", &self.keep_answers)
            .field("audit_reads", &self.audit_reads)
            .finish()
    }
}

/// Logs, traces and metrics.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetryConfig {
    /// OTLP/gRPC endpoint that gets traces and metrics, such as http://collector:4317; none are sent if left out
    #[arg(long, env = "KARIBU_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Share of new traces that are kept, 0 to 1; a trace that a caller began follows the caller
    #[arg(long, env = "KARIBU_TRACE_RATIO", value_name = "RATIO", default_value = "1")]
    pub trace_ratio: f64,
    /// Log filter: a level, or directives such as info,karibu_commit=debug
    #[arg(long, env = "KARIBU_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// Form of log lines
    #[arg(long, env = "KARIBU_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { otlp_endpoint: None, trace_ratio: 1.0, log: "info".to_owned(), log_format: LogFormat::Text }
    }
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// For a service without settings of its own.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NoConfig {}

/// Where a peer is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Name of the service.
    pub name: String,
    /// `http://host:port` or `https://host:port`.
    pub url: http::Uri,
}

/// Shortest secret behind page tokens, characters.
const MIN_PAGE_SECRET: usize = 16;

fn page_secret(text: &str) -> Result<String, String> {
    if text.chars().count() < MIN_PAGE_SECRET {
        return Err(format!("a secret has {MIN_PAGE_SECRET} characters at least"));
    }
    Ok(text.to_owned())
}

fn peer(text: &str) -> Result<Peer, String> {
    let (name, url) = text.split_once('=').ok_or("expected NAME=URL")?;
    let url: http::Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
        return Err(format!("{url}: expected http://HOST:PORT or https://HOST:PORT"));
    }
    Ok(Peer { name: name.trim().to_owned(), url })
}

/// A time such as `250ms`, `10s` or `5m`. For the settings of services too.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "a time cannot be negative".to_owned())
}

const _: () = assert!(limits::MAX_REQUEST_BYTES == 1_048_576, "the default above is written out");
