//! Finds the replicas of a peer and keeps one lane to each: names are resolved again and again, so that a headless
//! service that grows or shrinks is followed.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::Uri;
use tonic::transport::channel::Change;
use tonic::transport::{Channel, Endpoint};

use super::{Lanes, Upstream};
use crate::auth::{Minter, Rules};
use crate::limits;
use crate::tls::Tls;

/// Opens ways to peers.
#[derive(Clone, Debug)]
pub struct Dialler {
    /// Signs the credential that opens a lane.
    pub minter: Minter,
    /// Tells streams from unary methods.
    pub rules: Arc<Rules>,
    /// What peers at `https://` are shown, and believed by.
    pub tls: Tls,
}

/// Time for one attempt to connect, and for the handshake after it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl Dialler {
    /// A way to the service `peer` at these `http://host:port` or `https://host:port`. It is there at once; calls wait a moment for the
    /// first connection. Runs until the process ends.
    pub fn dial(&self, peer: &str, urls: &[Uri]) -> Upstream {
        let lanes = Lanes::new(peer, self.rules.clone());
        let (stream, changes) = Channel::balance_channel(limits::LANE_QUEUE);
        let follow = Follow {
            peer: peer.into(),
            urls: urls.to_vec(),
            lanes: lanes.clone(),
            minter: self.minter.clone(),
            tls: self.tls.clone(),
            known: BTreeSet::new(),
            round: self.tls.round(),
        };
        tokio::spawn(follow.run(changes));
        Upstream::Remote { lanes, stream }
    }
}

/// One replica, and whether it is spoken to over TLS.
pub(super) type Replica = (SocketAddr, bool);
type Changes = tokio::sync::mpsc::Sender<Change<Replica, Endpoint>>;

/// The way to one replica. What it shows and believes is taken anew for every connection.
#[derive(Clone, Debug)]
pub(super) struct Way {
    peer: Arc<str>,
    replica: Replica,
    tls: Tls,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, secure) = self.replica;
        write!(f, "{}://{address}", if secure { "https" } else { "http" })
    }
}

impl Way {
    pub(super) fn endpoint(&self) -> anyhow::Result<Endpoint> {
        let endpoint = Endpoint::from_shared(self.to_string())?
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
            .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
            .http2_keep_alive_interval(limits::KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(limits::KEEP_ALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        if !self.replica.1 {
            return Ok(endpoint);
        }
        // The address is one of many behind the peer's name, so the certificate is asked for the name.
        Ok(endpoint.tls_config(self.tls.for_peer(&self.peer)?.timeout(CONNECT_TIMEOUT))?)
    }
}

/// Follows the addresses of one peer.
struct Follow {
    peer: Arc<str>,
    urls: Vec<Uri>,
    lanes: Lanes,
    minter: Minter,
    tls: Tls,
    known: BTreeSet<Replica>,
    /// The certificates that the channel connects with.
    round: u64,
}

impl Follow {
    async fn run(mut self, changes: Changes) {
        let mut failing = false;
        // Ends when the last clone of the channel is dropped: then nobody can call any more.
        while !changes.is_closed() {
            match self.step(&changes).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    tracing::warn!(peer = %self.peer, error = format!("{error:#}"), "cannot find the peer, trying on");
                    failing = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(limits::RESOLVE_PERIOD).await;
        }
    }

    async fn step(&mut self, changes: &Changes) -> anyhow::Result<()> {
        let mut found = BTreeSet::new();
        for url in &self.urls {
            let secure = url.scheme_str() == Some("https");
            let port = url.port_u16().unwrap_or(if secure { 443 } else { 80 });
            let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
            let addresses =
                tokio::net::lookup_host((host, port)).await.with_context(|| format!("cannot resolve {url}"))?;
            found.extend(addresses.map(|address| (address, secure)));
        }
        let round = self.tls.round();
        if round != self.round {
            // A lane takes new certificates by itself when it connects; the channel keeps what it was given.
            for replica in self.known.intersection(&found).filter(|(_, secure)| *secure) {
                let _ = changes.send(Change::Insert(*replica, self.way(*replica).endpoint()?)).await;
            }
            self.round = round;
        }
        for replica in found.difference(&self.known) {
            let way = self.way(*replica);
            let endpoint = way.endpoint()?;
            self.lanes.add(*replica, way, &self.minter);
            // Fails only when the channel is gone, and the loop ends on that.
            let _ = changes.send(Change::Insert(*replica, endpoint)).await;
        }
        for replica in self.known.difference(&found) {
            self.lanes.remove(*replica);
            let _ = changes.send(Change::Remove(*replica)).await;
        }
        self.known = found;
        Ok(())
    }

    fn way(&self, replica: Replica) -> Way {
        Way { peer: self.peer.clone(), replica, tls: self.tls.clone() }
    }
}
