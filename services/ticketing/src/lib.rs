//! The ticketing service: complaints from the first word to a satisfied customer. Rooms: `domain` (what may
//! happen), `store` (where it lives), `events` (who hears of it), `grpc` (who may ask), `error` (what can go
//! wrong), `config`. Here is the wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
pub mod store;

use std::sync::Arc;

use ::events::Redrive;
use ::store::Wall;
use anyhow::Context;
use commit::{Door, KeyRing};
use futures_util::future::try_join_all;
use proto::karibu::ticketing::v1::ticketing_service_server::TicketingServiceServer;
use server::{Kit, Started};

pub use config::Config;
use domain::verbs::{EraseComplaints, FollowUpComesDue};
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "ticketing";

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!["0001_ticketing"].behind(&[
    Wall::Through { table: "complaint_history", column: "complaint_id", parent: "complaint", key: "id" },
    Wall::Through { table: "interaction", column: "complaint_id", parent: "complaint", key: "id" },
    Wall::Hidden { table: "number_counter" },
]);

/// The ticketing service as the write path sees it.
#[derive(Debug)]
pub struct Ticketing;

impl commit::Service for Ticketing {
    const NAME: &'static str = NAME;
    type World = domain::Desk;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = ();

    async fn settings(_: &mut ::store::Conn) -> ::store::Result<()> {
        Ok(())
    }
}

/// Starts the service: its database, its write path, what it tells and hears, its timer, its methods.
pub async fn start(kit: &Kit, config: Config) -> anyhow::Result<Started> {
    let policy = Arc::new(config.policy()?);
    let db = kit.open_database().await?;
    db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
    let door = commit::start::<Ticketing>(db.clone(), kit.clock.clone(), kit.write_path()?).await?;
    let keys = kit.open_keys(&db, &door).await?;
    let reads = Reads::new(db.clone(), keys.clone());

    let react = ::events::react(events::react);
    kit.publish(&door);
    kit.consume(events::SOURCES, &door, &react);
    fire_what_is_due(kit, &config, &door, &reads);
    erase_what_is_left(kit, &db, &keys, &door, &reads);

    let ready = reads.clone();
    let log = server::log_service(door.log());
    let audit = server::audit_service(NAME, db.clone(), keys.clone());
    let dead = Redrive::new(NAME, commit::DeadLetters::new(db), door.clone(), react);
    let dead = server::dead_letter_service(NAME, events::SOURCES, dead);
    let api = TicketingServiceServer::new(grpc::Api { door, reads, policy })
        .max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    Ok(kit.routes().with(api).with(log).with(dead).with(audit).started(move || {
        let reads = ready.clone();
        async move { reads.ping().await.context("the database does not answer") }
    }))
}

/// Takes the words out of the complaints of erased customers, a few at a time.
fn erase_what_is_left(kit: &Kit, db: &::store::Db, keys: &KeyRing, door: &Door<Ticketing>, reads: &Reads) {
    let (door, reads) = (door.clone(), reads.clone());
    kit.erase(db, keys, move |customer, limit| {
        let (door, reads) = (door.clone(), reads.clone());
        async move {
            let complaints = reads.list_to_erase(customer, limit).await?;
            let last = complaints.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let erased = door.fire("erasures", EraseComplaints { customer, complaints, last }).await;
            erased.map_err(|refused| anyhow::anyhow!("complaints could not be erased: {refused}"))?;
            Ok(last)
        }
    });
}

/// The timer of follow-ups. It only looks; whether anything is still due is for the verb to decide.
fn fire_what_is_due(kit: &Kit, config: &Config, door: &Door<Ticketing>, reads: &Reads) {
    let (clock, door, reads) = (kit.clock.clone(), door.clone(), reads.clone());
    kit.every("follow-ups", config.timer_period(), move || {
        let (now_us, door, reads) = (clock.now_us(), door.clone(), reads.clone());
        async move {
            let due = reads.list_due(now_us).await?;
            let fired = due.into_iter().map(|follow_up| door.fire("timer:follow-ups", FollowUpComesDue { follow_up }));
            try_join_all(fired).await?;
            Ok(())
        }
    });
}
