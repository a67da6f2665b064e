//! What a service is given at its start, and what it gives back. The kit is all that differs between the embedded
//! and the distributed mode; a service never asks which of them it is in.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::response::IntoResponse;
use events::Bus;
use kernel::{Clock, PageKeys};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;

use crate::auth::{Minter, Principal, Rules, SigningKeys, Verifier, VerifyingKeys};
use crate::config::{BaseConfig, Peer};
use crate::deadline::Deadlines;
use crate::edge::{EdgeLayer, Guard};
use crate::health::Ready;
use crate::hop::{Acting, Dialler, Peers};
use crate::privacy::Privacy;
use crate::tls::Tls;
use crate::{Stop, clock, limits, log_service, observe, timers, trace};

/// What all services of one process share. Clones share it too.
#[derive(Clone, Debug)]
pub struct House {
    /// Business time.
    pub clock: Clock,
    /// Events: publish the own log, consume those of others.
    pub bus: Bus,
    /// Whose tokens are believed.
    pub keys: VerifyingKeys,
    /// Makes tokens; `None` in a process that calls nobody.
    pub minter: Option<Minter>,
    /// The services that can be called.
    pub peers: Peers,
    /// What each method asks of its caller.
    pub rules: Arc<Rules>,
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// Largest message of a unary request, bytes.
    pub max_request_bytes: usize,
    /// Secrets behind page tokens.
    pub page_keys: PageKeys,
    /// Role of PostgreSQL as which callers are read for; empty for none.
    pub reader_role: String,
    /// Master keys, and what is kept for how long.
    pub privacy: Privacy,
    /// What ports show, and what peers at `https://` are believed by.
    pub tls: Tls,
    /// Set when no new work may begin: timers, relays and consumers end. Open calls still run.
    pub stop: Stop,
    /// Background tasks; the process waits for them a moment before it ends.
    pub tasks: TaskTracker,
    /// The databases that were opened, to be closed at the end.
    databases: Databases,
}

/// The databases of this process. Clones share them.
#[derive(Clone, Debug, Default)]
struct Databases(Arc<Mutex<Vec<store::Db>>>);

impl House {
    /// One process with everything in it: a key of its own, made now.
    pub fn embedded(clock: Clock) -> anyhow::Result<Self> {
        let keys = SigningKeys::generate()?;
        let minter = Minter::new(keys.clone());
        let page_keys = page_keys(&[], Some(&minter));
        Ok(Self {
            clock,
            bus: Bus::local(),
            keys: keys.public(),
            minter: Some(minter),
            page_keys,
            reader_role: store::READER_ROLE.to_owned(),
            peers: Peers::default(),
            rules: Arc::new(Rules::of_contract()),
            deadlines: Deadlines::default(),
            max_request_bytes: limits::MAX_REQUEST_BYTES,
            privacy: Privacy::embedded(),
            tls: Tls::default(),
            stop: Stop::new(),
            tasks: TaskTracker::new(),
            databases: Databases::default(),
        })
    }

    /// The service `name` in a process of its own, with keys from files and peers over the network. Waits for none
    /// of them: what is away is tried again in the background.
    pub async fn distributed(name: &str, config: &BaseConfig) -> anyhow::Result<Self> {
        let mut keys = VerifyingKeys::read(&config.internal_public_keys)?;
        let mut minter = None;
        if let Some(path) = &config.internal_key {
            let signing = SigningKeys::read(path)?;
            keys = keys.with(signing.public());
            minter = Some(Minter::new(signing));
        }
        anyhow::ensure!(
            !keys.is_empty(),
            "no internal token could be believed: give --internal-public-keys, or --internal-key"
        );
        let peers = Peers::default();
        let bus = match config.nats.options(name) {
            Some(options) => Bus::nats(options, log_service::backfill_of(name, &peers, minter.as_ref())).await?,
            None => {
                tracing::warn!("no NATS server is configured: events stay in this process");
                Bus::local()
            }
        };
        let house = Self {
            clock: Clock::system(),
            bus,
            keys,
            page_keys: page_keys(&config.page_secrets, minter.as_ref()),
            reader_role: config.database_reader_role.clone(),
            minter,
            peers,
            rules: Arc::new(Rules::of_contract()),
            deadlines: config.deadlines(),
            max_request_bytes: config.max_request_bytes,
            privacy: Privacy::of(&config.privacy)?,
            tls: Tls::load(&config.tls)?,
            stop: Stop::new(),
            tasks: TaskTracker::new(),
            databases: Databases::default(),
        };
        house.tls.follow(&house.tasks, &house.stop);
        for peer in &config.peers {
            config.tls.may_call(&peer.url)?;
        }
        house.dial(&config.peers)?;
        if let Some(path) = config.clock_offset_file.clone() {
            clock::follow(&house.tasks, &house.stop, house.clock.clone(), path);
        }
        Ok(house)
    }

    fn dial(&self, peers: &[Peer]) -> anyhow::Result<()> {
        if peers.is_empty() {
            return Ok(());
        }
        let minter = self.minter.clone().context("a process with peers needs --internal-key to call them")?;
        let dialler = Dialler { minter, rules: self.rules.clone(), tls: self.tls.clone() };
        let mut by_name: BTreeMap<&str, Vec<http::Uri>> = BTreeMap::new();
        for peer in peers {
            anyhow::ensure!(
                peer.url.scheme_str() != Some("https") || self.tls.can_dial(),
                "{} cannot be called without --tls-peers, the authorities that sign the certificates of peers",
                peer.url
            );
            by_name.entry(&peer.name).or_default().push(peer.url.clone());
        }
        for (name, urls) in by_name {
            self.peers.put(name, dialler.dial(name, &urls));
        }
        Ok(())
    }

    /// Closes what the services of this process have opened. They must have been dropped: a committer ends when the
    /// last door to it is gone, and gives its connection back then.
    pub(crate) async fn close(&self) {
        self.peers.clear();
        let databases = std::mem::take(&mut *self.databases.0.lock().unwrap_or_else(PoisonError::into_inner));
        for db in databases {
            db.close().await;
        }
    }

    /// The kit of the service `name` with its database (`sqlite:…` or `postgres://…`).
    pub fn kit(&self, name: &'static str, database: impl Into<String>) -> Kit {
        let verifier = Verifier::new(self.keys.clone(), name);
        Kit { name, database: database.into(), verifier, house: self.clone() }
    }
}

/// The secrets behind page tokens: those configured, else one derived from the signing key, which all replicas share.
fn page_keys(secrets: &[String], minter: Option<&Minter>) -> PageKeys {
    let own = minter.map(|minter| minter.derived_secret("page tokens")).unwrap_or_else(|| {
        if secrets.is_empty() {
            tracing::warn!("page tokens serve this process only: give --page-secret, or --internal-key");
        }
        rand::random()
    });
    PageKeys::new(secrets, own)
}

/// What one service is given.
#[derive(Clone, Debug)]
pub struct Kit {
    /// Name of the service, such as `ticketing`: in logs, event subjects and as the audience of tokens.
    pub name: &'static str,
    /// Its database: `sqlite:FILE` or `postgres://…`.
    pub database: String,
    /// Checks the internal tokens of calls to this service.
    pub verifier: Verifier,
    /// What it shares with the other services of the process.
    pub house: House,
}

impl std::ops::Deref for Kit {
    type Target = House;
    fn deref(&self) -> &House {
        &self.house
    }
}

impl Kit {
    /// Opens the database. A SQLite file is made if it is not there; PostgreSQL is not asked before the first use.
    pub async fn open_database(&self) -> anyhow::Result<store::Db> {
        let reader_role = Some(self.reader_role.clone()).filter(|role| !role.is_empty());
        let options =
            store::Options { reader_role, ..store::Options::new(&self.database, format!("karibu-{}", self.name)) };
        let db =
            store::Db::open(&options).await.with_context(|| format!("cannot open the database of {}", self.name))?;
        self.databases.0.lock().unwrap_or_else(PoisonError::into_inner).push(db.clone());
        Ok(db)
    }

    /// Begins the set of gRPC services that this service answers.
    pub fn routes(&self) -> RoutesBuilder {
        RoutesBuilder { guard: self.guard(), name: self.name, routes: Routes::default(), services: Vec::new() }
    }

    /// The rules that stand before every method of this service.
    pub(crate) fn guard(&self) -> Arc<Guard> {
        Arc::new(Guard {
            service: self.name,
            rules: self.rules.clone(),
            verifier: self.verifier.clone(),
            deadlines: self.deadlines,
            max_request_bytes: self.max_request_bytes,
            page_keys: self.page_keys.clone(),
            reads: self.privacy.reads.find(self.name),
            places: Semaphore::new(limits::MAX_ACTIVE_CALLS),
        })
    }

    /// Makes the events of this service readable for the others, and the state of its write path and relay visible
    /// in the metrics.
    pub fn publish<S: commit::Service>(&self, door: &commit::Door<S>) {
        let relay = self.bus.publish(door.log());
        observe::write_path(self.name, door.stats().clone());
        observe::relay(door.log().name(), relay);
    }

    /// Turns the events of the logs `sources` into commands of this service, under its own name as consumer: each
    /// in the trace that caused the event, with the progress in the metrics.
    pub fn consume<S: commit::Service>(
        &self,
        sources: &[&str],
        door: &commit::Door<S>,
        react: impl Borrow<events::React<S>>,
    ) {
        let react = react.borrow().clone();
        let options = events::ConsumerOptions { span: event_span, ..Default::default() };
        for progress in self.bus.consume_with(options, self.name, sources, door.clone(), react) {
            observe::consumer(progress);
        }
    }

    /// Runs `work` now and then every `period` until the process stops. An error or panic is logged once, until it
    /// is well again, and the work is tried again at its next time.
    pub fn every<W, F>(&self, name: &'static str, period: Duration, work: W)
    where
        W: FnMut() -> F + Send + 'static,
        F: Future<Output = anyhow::Result<()>> + Send,
    {
        timers::every(&self.tasks, &self.stop, name, period, work);
    }

    /// A way to call the service `name` as this service itself; `None` when it is not configured. Build a typed
    /// client on it: `LogServiceClient::new(kit.peer("ticketing")?)`.
    pub fn peer(&self, name: &str) -> Option<Acting> {
        let upstream = self.peers.find(name)?;
        Some(upstream.acting_as(Principal::system(self.name), self.minter.clone()?, name))
    }
}

/// The span of one event taken in: part of the trace of the call that caused it.
fn event_span(event: &commit::LogEvent) -> tracing::Span {
    let span = events::process_span(event);
    if let Some(traceparent) = &event.trace_context {
        trace::continue_from(&span, traceparent);
    }
    span
}

/// Collects the gRPC services of one service and puts the edge before them, once.
#[derive(Debug)]
pub struct RoutesBuilder {
    guard: Arc<Guard>,
    name: &'static str,
    routes: Routes,
    services: Vec<&'static str>,
}

impl RoutesBuilder {
    /// Adds a generated gRPC server.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.services.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// What the service gives back from its start. `ready` is asked every second: can it do its work, which means
    /// that its database answers?
    pub fn started<R, F>(self, ready: R) -> Started
    where
        R: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let routes = Routes::from(self.routes.into_axum_router().layer(EdgeLayer(self.guard))).prepare();
        let ready: Ready = Arc::new(move || Box::pin(ready()));
        Started { name: self.name, routes, services: self.services, ready, door: None }
    }
}

/// A service that runs.
#[derive(Clone)]
pub struct Started {
    /// Its name.
    pub name: &'static str,
    /// Its methods, behind the edge.
    pub routes: Routes,
    /// The gRPC services among them, by full name.
    pub services: Vec<&'static str>,
    /// Can it do its work?
    pub ready: Ready,
    /// What the port serves in place of `routes` and lanes: the gateway's front.
    pub door: Option<axum::Router>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").field("name", &self.name).field("services", &self.services).finish_non_exhaustive()
    }
}

impl Started {
    /// Serves `door` on the port in place of the routes; health and reflection are added to it.
    #[must_use]
    pub fn with_door(mut self, door: axum::Router) -> Self {
        self.door = Some(door);
        self
    }
}
