//! The ticketing service: complaints from the first word to a satisfied customer. Rooms: `domain` (what may
//! happen), `store` (where it lives), `events` (who hears of it), `grpc` (who may ask), `error` (what can go
//! wrong), `config`. Here is the wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
pub mod store;
mod timers;

use std::sync::Arc;

use ::events::Redrive;
use ::store::Wall;
use anyhow::Context;
use commit::{Door, KeyRing};
use proto::karibu::ticketing::v1::casework_service_server::CaseworkServiceServer;
use proto::karibu::ticketing::v1::conversation_service_server::ConversationServiceServer;
use proto::karibu::ticketing::v1::duplicate_service_server::DuplicateServiceServer;
use proto::karibu::ticketing::v1::remedy_service_server::RemedyServiceServer;
use proto::karibu::ticketing::v1::routing_service_server::RoutingServiceServer;
use proto::karibu::ticketing::v1::search_service_server::SearchServiceServer;
use proto::karibu::ticketing::v1::sla_service_server::SlaServiceServer;
use proto::karibu::ticketing::v1::ticketing_service_server::TicketingServiceServer;
use server::{Kit, Started};

pub use config::Config;
use domain::verbs::EraseComplaints;
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "ticketing";

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations = ::store::migrations![
    "0001_ticketing",
    "0002_clocks",
    "0003_remedies",
    "0004_search",
    "0005_routing",
    "0006_conversation"
]
.behind(&[
    Wall::Through { table: "complaint_history", column: "complaint_id", parent: "complaint", key: "id" },
    Wall::Through { table: "interaction", column: "complaint_id", parent: "complaint", key: "id" },
    Wall::Through { table: "budget_entry", column: "complaint_id", parent: "complaint", key: "id" },
    Wall::Through { table: "deadline", column: "complaint_id", parent: "complaint", key: "id" },
    // What Karibu reads for itself.
    Wall::Hidden { table: "number_counter" },
    Wall::Hidden { table: "rule_book" },
    Wall::Hidden { table: "mandate" },
    Wall::Hidden { table: "tally" },
    Wall::Hidden { table: "staff" },
    Wall::Hidden { table: "search_index" },
    Wall::Hidden { table: "roster" },
    Wall::Hidden { table: "affinity" },
]);

/// The ticketing service as the write path sees it.
#[derive(Debug)]
pub struct Ticketing;

impl commit::Service for Ticketing {
    const NAME: &'static str = NAME;
    type World = domain::Desk;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = domain::sla::Rules;

    async fn settings(conn: &mut ::store::Conn) -> ::store::Result<Self::Settings> {
        store::rules::settings(conn).await
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
    timers::start(kit, &config, &door, &reads);
    erase_what_is_left(kit, &db, &keys, &door, &reads);

    let ready = reads.clone();
    let log = server::log_service(door.log());
    let audit = server::audit_service(NAME, db.clone(), keys.clone());
    let dead = Redrive::new(NAME, commit::DeadLetters::new(db), door.clone(), react);
    let dead = server::dead_letter_service(NAME, events::SOURCES, dead);
    let api = grpc::Api { door, reads, policy, clock: kit.clock.clone() };
    let casework = CaseworkServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let search = SearchServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let sla = SlaServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let remedy = RemedyServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let routing = RoutingServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let duplicates =
        DuplicateServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let conversation =
        ConversationServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let api = TicketingServiceServer::new(api).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    Ok(kit
        .routes()
        .with(api)
        .with(casework)
        .with(remedy)
        .with(routing)
        .with(duplicates)
        .with(conversation)
        .with(sla)
        .with(search)
        .with(log)
        .with(dead)
        .with(audit)
        .started(move || {
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
