//! Finds the replicas of a peer and keeps one lane to each: names are resolved again and again, so that a headless
//! service that grows or shrinks is followed.

use std::collections::BTreeSet;
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

/// Opens ways to peers.
#[derive(Clone, Debug)]
pub struct Dialler {
    /// Signs the credential that opens a lane.
    pub minter: Minter,
    /// Tells streams from unary methods.
    pub rules: Arc<Rules>,
}

/// Time for one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

impl Dialler {
    /// A way to the service `peer` at these `http://host:port`. It is there at once; calls wait a moment for the
    /// first connection. Runs until the process ends.
    pub fn dial(&self, peer: &str, urls: &[Uri]) -> Upstream {
        let lanes = Lanes::new(peer, self.rules.clone());
        let (stream, changes) = Channel::balance_channel(limits::LANE_QUEUE);
        let follow = Follow {
            peer: peer.to_owned(),
            urls: urls.to_vec(),
            lanes: lanes.clone(),
            minter: self.minter.clone(),
            known: BTreeSet::new(),
        };
        tokio::spawn(follow.run(changes));
        Upstream::Remote { lanes, stream }
    }
}

/// Follows the addresses of one peer.
struct Follow {
    peer: String,
    urls: Vec<Uri>,
    lanes: Lanes,
    minter: Minter,
    known: BTreeSet<SocketAddr>,
}

impl Follow {
    async fn run(mut self, changes: tokio::sync::mpsc::Sender<Change<SocketAddr, Endpoint>>) {
        let mut failing = false;
        // Ends when the last clone of the channel is dropped: then nobody can call any more.
        while !changes.is_closed() {
            match self.step(&changes).await {
                Ok(()) => failing = false,
                Err(error) if !failing => {
                    tracing::warn!(peer = self.peer, error = format!("{error:#}"), "cannot find the peer, trying on");
                    failing = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(limits::RESOLVE_PERIOD).await;
        }
    }

    async fn step(&mut self, changes: &tokio::sync::mpsc::Sender<Change<SocketAddr, Endpoint>>) -> anyhow::Result<()> {
        let mut found = BTreeSet::new();
        for url in &self.urls {
            let (host, port) = (url.host().unwrap_or_default(), url.port_u16().unwrap_or(80));
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let addresses =
                tokio::net::lookup_host((host, port)).await.with_context(|| format!("cannot resolve {url}"))?;
            found.extend(addresses);
        }
        for address in found.difference(&self.known) {
            let endpoint = endpoint(*address)?;
            self.lanes.add(*address, endpoint.clone(), &self.minter);
            // Fails only when the channel is gone, and the loop ends on that.
            let _ = changes.send(Change::Insert(*address, endpoint)).await;
        }
        for address in self.known.difference(&found) {
            self.lanes.remove(*address);
            let _ = changes.send(Change::Remove(*address)).await;
        }
        self.known = found;
        Ok(())
    }
}

fn endpoint(address: SocketAddr) -> anyhow::Result<Endpoint> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(limits::STREAM_WINDOW_BYTES)
        .initial_connection_window_size(limits::CONNECTION_WINDOW_BYTES)
        .http2_keep_alive_interval(limits::KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}
