//! The connection to NATS: made once, kept for ever, never in the way of a start.

mod calls;
mod keep;

use std::path::PathBuf;
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions, Event};
use tokio::sync::watch;

pub(crate) use calls::{Messages, Pokes};

/// Longest wait for an answer of the server.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that answers no ping for two of these is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Longest pause between two tries to connect.
const RECONNECT: Duration = Duration::from_secs(1);
/// Publishes without an ack yet, of all relays of this process together.
const ACKS_IN_FLIGHT: usize = 16_384;

/// Where NATS is, and how streams are kept there.
#[derive(Clone, Debug)]
pub struct NatsOptions {
    /// Servers, such as `nats://user:password@host:4222`.
    pub urls: Vec<String>,
    /// A file with a user's JWT and seed.
    pub credentials: Option<PathBuf>,
    /// Certificates of the authority that signed the server's certificate (PEM).
    pub root_certificates: Option<PathBuf>,
    /// Our own certificate and its key (PEM), for servers that ask for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Keeps installations apart that share servers; see [`crate::Names`].
    pub namespace: Option<String>,
    /// Replicas of each stream: 1, or 3 in production.
    pub replicas: usize,
    /// How long a stream keeps events; the log itself keeps them longer.
    pub max_age: Duration,
    /// Shown by the server for our connection.
    pub client_name: String,
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            urls: vec!["nats://127.0.0.1:4222".to_owned()],
            credentials: None,
            root_certificates: None,
            certificate: None,
            namespace: None,
            replicas: 1,
            max_age: Duration::from_secs(14 * 24 * 3_600),
            client_name: "karibu".to_owned(),
        }
    }
}

/// The options cannot be used; a server that is away is no error.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credentials file cannot be read.
    #[error("the NATS credentials cannot be read: {0}")]
    Credentials(#[from] std::io::Error),
    /// An address or another option is wrong.
    #[error("the NATS options are wrong: {0}")]
    Options(#[from] async_nats::ConnectError),
}

/// The connection of one bus.
pub(crate) struct Connection {
    client: Client,
    jetstream: Context,
    /// Counts the times that the connection was made.
    connections: watch::Receiver<u32>,
}

impl Connection {
    /// Begins to connect, and goes on for ever in the background.
    pub(crate) async fn connect(options: &NatsOptions) -> Result<Self, ConnectError> {
        let mut connect = ConnectOptions::new();
        if let Some(path) = &options.credentials {
            connect = connect.credentials_file(path).await?;
        }
        if let Some(path) = &options.root_certificates {
            connect = connect.add_root_certificates(path.clone());
        }
        if let Some((certificate, key)) = &options.certificate {
            connect = connect.add_client_certificate(certificate.clone(), key.clone());
        }
        let (connected, connections) = watch::channel(0);
        let client = connect
            .name(&options.client_name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .reconnect_delay_callback(|tries| RECONNECT.min(Duration::from_millis(20 << tries.min(6))))
            .ping_interval(PING_INTERVAL)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .event_callback(move |event| {
                tell(&event);
                if matches!(event, Event::Connected) {
                    connected.send_modify(|times| *times += 1);
                }
                std::future::ready(())
            })
            .connect(options.urls.clone())
            .await?;
        let jetstream = ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .ack_timeout(REQUEST_TIMEOUT)
            .max_ack_inflight(ACKS_IN_FLIGHT)
            .build(client.clone());
        Ok(Self { client, jetstream, connections })
    }

    /// Whether a server answers right now, as far as is known.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Counts the times that the connection was made.
    pub(crate) fn connections(&self) -> watch::Receiver<u32> {
        self.connections.clone()
    }
}

fn tell(event: &Event) {
    match event {
        Event::Connected => tracing::info!("connected to NATS"),
        Event::Disconnected => tracing::warn!("NATS is away: events wait in their logs"),
        Event::SlowConsumer(_) | Event::ServerError(_) | Event::ClientError(_) => {
            tracing::warn!(%event, "trouble with NATS");
        }
        _ => tracing::debug!(%event, "NATS"),
    }
}
