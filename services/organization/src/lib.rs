//! The organization service: branches, staff, roles and API keys. Rooms: `domain` (what may happen), `store` (where it
//! lives), `events` (who hears of it), `grpc` (who may ask), `error` (what can go wrong), `config`. Here is the wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod first_key;
mod grpc;
pub mod store;

use std::sync::Arc;

use ::store::Wall;
use anyhow::Context;
use commit::Door;
use proto::karibu::organization::v1::access_service_server::AccessServiceServer;
use proto::karibu::organization::v1::calendar_service_server::CalendarServiceServer;
use proto::karibu::organization::v1::organization_service_server::OrganizationServiceServer;
use proto::karibu::organization::v1::staff_service_server::StaffServiceServer;
use server::{Kit, Started};

pub use config::Config;
pub use first_key::{create_admin_key, ensure_first_key, new_key_text};
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "organization";

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations =
    ::store::migrations!["0001_organization", "0002_identity", "0003_access", "0004_calendar", "0005_staff_at_work",]
        // What only verbs need is shown to no caller.
        .behind(&[
            Wall::Hidden { table: "branch_children" },
            Wall::Hidden { table: "holiday_use" },
            Wall::Hidden { table: "roster" },
            Wall::Hidden { table: "tally" },
        ]);

/// The organization service as the write path sees it.
#[derive(Debug)]
pub struct Organization;

impl commit::Service for Organization {
    const NAME: &'static str = NAME;
    type World = domain::Business;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = ();

    async fn settings(_: &mut ::store::Conn) -> ::store::Result<()> {
        Ok(())
    }
}

/// The service with its database open and its write path running, not yet answering calls.
#[derive(Clone)]
pub struct Office {
    door: Door<Organization>,
    reads: Reads,
    key_environment: Arc<str>,
    db: ::store::Db,
    keys: commit::KeyRing,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office").field("reads", &self.reads).finish_non_exhaustive()
    }
}

/// Opens the database and starts the write path.
pub async fn open(kit: &Kit, config: &Config) -> anyhow::Result<Office> {
    let db = kit.open_database().await?;
    db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
    let door = commit::start::<Organization>(db.clone(), kit.clock.clone(), kit.write_path()?).await?;
    let keys = kit.open_keys(&db, &door).await?;
    kit.publish(&door);
    let key_environment = config.key_environment.as_str().into();
    Ok(Office { door, reads: Reads::new(db.clone()), key_environment, db, keys })
}

/// Starts answering calls.
pub fn serve(kit: &Kit, office: Office) -> Started {
    let Office { door, reads, key_environment, db, keys } = office;
    let ready = reads.clone();
    let log = server::log_service(door.log());
    let audit = server::audit_service(NAME, db, keys);
    let api = grpc::Api { door, reads, clock: kit.clock.clone(), key_environment };
    let access = AccessServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let calendars = CalendarServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let staff = StaffServiceServer::new(api.clone()).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    let organization = OrganizationServiceServer::new(api).max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    kit.routes().with(organization).with(access).with(calendars).with(staff).with(log).with(audit).started(move || {
        let reads = ready.clone();
        async move { reads.ping().await.context("the database does not answer") }
    })
}

/// Starts the service. A key given in the settings is registered if no key exists yet.
pub async fn start(kit: &Kit, config: Config) -> anyhow::Result<Started> {
    let office = open(kit, &config).await?;
    if let Some(text) = &config.bootstrap_key {
        ensure_first_key(&office, Some(text)).await?;
    }
    Ok(serve(kit, office))
}
