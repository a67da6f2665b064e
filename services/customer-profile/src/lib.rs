//! The profile service: customers, their handles, visits and purchases, and the timeline of what happened with them.
//! Rooms: `domain` (what may happen), `store` (where it lives), `events` (who tells and hears), `grpc` (who may ask),
//! `error` (what can go wrong), `config`. Here is the wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
pub mod store;

use ::store::Wall;
use anyhow::Context;
use proto::karibu::profile::v1::profile_service_server::ProfileServiceServer;
use server::{Kit, Started};

pub use config::Config;
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "profile";

/// The logs that this service reads.
pub static SOURCES: [&str; 4] = ["organization", "ticketing", "loyalty", "feedback"];

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!["0001_profile", "0002_forgetting"].behind(&[
    // A customer is seen by whoever works at a branch where it was.
    Wall::Through { table: "customer", column: "id", parent: "presence", key: "customer_id" },
    Wall::Through { table: "tally", column: "customer_id", parent: "presence", key: "customer_id" },
    Wall::OrNoBranch { table: "timeline_entry" },
    Wall::Hidden { table: "forgetting" },
]);

/// The profile service as the write path sees it.
#[derive(Debug)]
pub struct Profile;

impl commit::Service for Profile {
    const NAME: &'static str = NAME;
    type World = domain::Desk;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = ();

    async fn settings(_: &mut ::store::Conn) -> ::store::Result<()> {
        Ok(())
    }
}

/// Starts the service.
pub async fn start(kit: &Kit, _: Config) -> anyhow::Result<Started> {
    let db = kit.open_database().await?;
    db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
    let door = commit::start::<Profile>(db.clone(), kit.clock.clone(), kit.write_path()?).await?;
    let keys = kit.open_keys(&db, &door).await?;
    let react = ::events::react(events::react);
    kit.publish(&door);
    kit.consume(&SOURCES, &door, &react);
    let log = server::log_service(door.log());
    let lookup = keys.lookup_key();
    let audit = server::audit_service(NAME, db.clone(), keys);
    let dead = ::events::Redrive::new(NAME, commit::DeadLetters::new(db.clone()), door.clone(), react);
    let dead = server::dead_letter_service(NAME, &SOURCES, dead);
    let reads = Reads::new(db);
    let ready = reads.clone();
    let api = grpc::Api::new(door, reads, kit.clock.clone(), lookup);
    let api = ProfileServiceServer::new(api).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    Ok(kit.routes().with(api).with(log).with(dead).with(audit).started(move || {
        let reads = ready.clone();
        async move { reads.ping().await.context("the database does not answer") }
    }))
}
