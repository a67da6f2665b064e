//! The loyalty service: programmes, accounts and the points ledger. Rooms: `domain` (what may happen), `store` (where it
//! lives), `events` (who tells and hears), `grpc` (who may ask), `error` (what can go wrong), `config`. Here is the
//! wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
pub mod store;

use ::store::Wall;
use anyhow::Context;
use proto::karibu::loyalty::v1::loyalty_service_server::LoyaltyServiceServer;
use server::{Kit, Started};

pub use config::Config;
use domain::EraseAccounts;
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "loyalty";

/// The logs that this service reads.
pub static SOURCES: [&str; 3] = ["organization", "profile", "ticketing"];

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations!["0001_loyalty"].behind(&[
    // An account is seen at every branch where its customer was, with all of its ledger.
    Wall::Through { table: "account", column: "id", parent: "account_branch", key: "account_id" },
    Wall::Through { table: "ledger_entry", column: "account_id", parent: "account_branch", key: "account_id" },
]);

/// The loyalty service as the write path sees it.
#[derive(Debug)]
pub struct Loyalty;

impl commit::Service for Loyalty {
    const NAME: &'static str = NAME;
    type World = domain::Books;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = domain::Programs;

    async fn settings(conn: &mut ::store::Conn) -> ::store::Result<domain::Programs> {
        store::load_programs(conn).await
    }
}

/// Starts the service.
pub async fn start(kit: &Kit, _: Config) -> anyhow::Result<Started> {
    let db = kit.open_database().await?;
    db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
    let door = commit::start::<Loyalty>(db.clone(), kit.clock.clone(), kit.write_path()?).await?;
    let keys = kit.open_keys(&db, &door).await?;
    let react = ::events::react(events::react);
    kit.publish(&door);
    kit.consume(&SOURCES, &door, &react);
    let log = server::log_service(door.log());
    let audit = server::audit_service(NAME, db.clone(), keys.clone());
    let dead = ::events::Redrive::new(NAME, commit::DeadLetters::new(db.clone()), door.clone(), react);
    let dead = server::dead_letter_service(NAME, &SOURCES, dead);
    let reads = Reads::new(db.clone());
    erase_what_is_left(kit, &db, &keys, &door, &reads);
    let ready = reads.clone();
    let api =
        LoyaltyServiceServer::new(grpc::Api { door, reads }).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    Ok(kit.routes().with(api).with(log).with(dead).with(audit).started(move || {
        let reads = ready.clone();
        async move { reads.ping().await.context("the database does not answer") }
    }))
}

/// Takes the cards of erased customers away and closes their accounts, a few at a time.
fn erase_what_is_left(
    kit: &Kit,
    db: &::store::Db,
    keys: &commit::KeyRing,
    door: &commit::Door<Loyalty>,
    reads: &Reads,
) {
    let (door, reads) = (door.clone(), reads.clone());
    kit.erase(db, keys, move |customer, limit| {
        let (door, reads) = (door.clone(), reads.clone());
        async move {
            let accounts = reads.list_to_erase(customer, limit).await?;
            let last = accounts.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let erased = door.fire("erasures", EraseAccounts { customer, accounts, last }).await;
            erased.map_err(|refused| anyhow::anyhow!("accounts could not be erased: {refused}"))?;
            Ok(last)
        }
    });
}
