//! The one public door of Karibu: it says who a caller is, finds the service that answers, and speaks gRPC, gRPC-Web
//! and HTTP/JSON on one port. It has no domain and no tables.
//!
//! Rooms: `door` (what comes in, and by which protocol), `admission` (who calls, and may they), `transcode` (HTTP/JSON
//! and gRPC), `subscribe` (events for subscribers), `overview` (one answer of several services), `own` (what customers see of
//! theirs), `limits`, `config`. Here is the wiring.

pub mod admission;
mod config;
pub mod door;
pub mod limits;
pub mod overview;
pub mod own;
pub mod subscribe;
pub mod transcode;

use std::collections::BTreeSet;

use anyhow::Context;
use proto::karibu::gateway::v1::customer_service_server::CustomerServiceServer;
use proto::karibu::gateway::v1::event_service_server::EventServiceServer;
use proto::karibu::gateway::v1::overview_service_server::OverviewServiceServer;
use server::limits::MAX_REPLY_BYTES;
use server::{Kit, Started, Upstream};

use admission::oidc::Oidc;
use admission::{Admission, CustomerTokens, Keys, Rates, Registry, customer};
pub use config::{Config, SignIn};
use door::{Cors, Door, Proxies};
use subscribe::{Branches, Seats, Tails, Tokens};
use transcode::Routes;

/// Name of this service: in logs, and as the audience of tokens.
pub const NAME: &str = "gateway";

/// Starts the gateway over the peers of the kit, which may come later. What it gives back has the public port as its
/// door.
pub async fn start(kit: &Kit, config: Config) -> anyhow::Result<Started> {
    config.validate()?;
    let minter = kit.minter.clone().context("the gateway signs internal tokens and needs --internal-key")?;
    let oidc = config.sign_in.settings().map(|settings| Oidc::new(&settings)).transpose().context("--oidc-issuer")?;
    let registry = Registry::new(kit.peers.clone(), minter.clone(), oidc);
    let keys = Keys::new(registry.clone().ask());
    kit.every("uses of API keys", limits::USES_PERIOD, move || {
        let registry = registry.clone();
        async move { registry.tell_uses().await }
    });
    let secrets = config.secrets()?;
    let customers = CustomerTokens::new(&secrets, minter.derived_secret(customer::PURPOSE));
    let admission = Admission::new(keys, customers.clone(), Rates::new(&config.rate_limits));

    let sources = logs().into_iter().map(|log| kit.bus.source(log));
    let tails = Tails::follow(sources, &kit.stop, |work| {
        kit.tasks.spawn(work);
    });
    let events = subscribe::Api {
        tails,
        tokens: Tokens::new(&secrets, minter.derived_secret("resume tokens")),
        branches: Branches::new(kit.peers.clone(), minter.clone()),
        admission: admission.clone(),
        seats: Seats::default(),
        stop: kit.stop.clone(),
    };
    let overview = overview::Api { peers: kit.peers.clone(), minter: minter.clone(), clock: kit.clock.clone() };
    let own = own::Api { peers: kit.peers.clone(), minter: minter.clone(), tokens: customers };
    // The gateway is ready when it serves: a service that is away costs its own methods only.
    let mut started = kit
        .routes()
        .with(EventServiceServer::new(events).max_encoding_message_size(MAX_REPLY_BYTES))
        .with(CustomerServiceServer::new(own).max_encoding_message_size(MAX_REPLY_BYTES))
        .with(OverviewServiceServer::new(overview).max_encoding_message_size(MAX_REPLY_BYTES))
        .started(|| async { Ok(()) });
    // What reflection lists on the public port: all that can be called there.
    started.services = public_services();

    let door = Door::new(door::Parts {
        admission,
        routes: Routes::of(proto::methods().iter())?,
        peers: kit.peers.clone(),
        own: Upstream::Local(started.routes.clone()),
        minter,
        rules: kit.rules.clone(),
        deadlines: kit.deadlines,
        max_request_bytes: kit.max_request_bytes,
        cors: Cors::new(config.cors_origins),
        proxies: Proxies::new(config.trusted_proxies),
    });
    Ok(started.with_door(door.router()))
}

/// The logs of all services, by the event types of the contract.
fn logs() -> BTreeSet<&'static str> {
    proto::event_types().iter().map(|kind| kind.service.as_str()).collect()
}

/// The gRPC services that have a method for callers from outside.
fn public_services() -> Vec<&'static str> {
    let public = proto::methods().iter().filter(|method| !method.is_internal());
    let names: BTreeSet<&str> = public.map(|method| method.grpc_service.as_str()).collect();
    names.into_iter().collect()
}
