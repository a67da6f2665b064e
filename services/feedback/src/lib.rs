//! The feedback service: surveys, invitations after complaints, responses and scores. Rooms: `domain` (what may happen),
//! `store` (where it lives), `events` (who tells and hears), `grpc` (who may ask), `error` (what can go wrong), `config`.
//! Here is the wiring.

mod config;
pub mod domain;
mod error;
mod events;
mod grpc;
pub mod store;

use std::time::Duration;

use ::store::Wall;
use anyhow::Context;
use commit::{DeadLetters, Door, KeyRing};
use domain::{EraseResponses, ExpireInvitation, InvitationId, KeepLinkSecret, ResponseId, SendInvitation};
use grpc::link::Links;
use proto::karibu::feedback::v1::feedback_service_server::FeedbackServiceServer;
use server::{Kit, Started};

pub use config::Config;
use store::Reads;

/// Short name: of the event log, in event types, as the audience of tokens.
pub const NAME: &str = "feedback";

/// The logs that this service reads.
pub const SOURCES: [&str; 3] = ["organization", "profile", "ticketing"];

/// The tables of the service, after those of the write path.
pub const MIGRATIONS: ::store::Migrations =
    ::store::migrations!["0001_feedback"].behind(&[Wall::Hidden { table: "link_secret" }]);

/// How often invitations are looked for whose time has come.
const TIMER_PERIOD: Duration = Duration::from_millis(500);
/// Invitations taken up in one look; the rest waits for the next one.
const TIMER_LIMIT: i64 = 500;

/// The feedback service as the write path sees it.
#[derive(Debug)]
pub struct Feedback;

impl commit::Service for Feedback {
    const NAME: &'static str = NAME;
    type World = domain::Desk;
    type Event = domain::Event;
    type Refusal = domain::Refusal;
    type Settings = domain::Settings;

    async fn settings(conn: &mut ::store::Conn) -> ::store::Result<domain::Settings> {
        store::settings(conn).await
    }
}

/// Starts the service.
pub async fn start(kit: &Kit, config: Config) -> anyhow::Result<Started> {
    let db = kit.open_database().await?;
    db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
    let door = commit::start::<Feedback>(db.clone(), kit.clock.clone(), kit.write_path()?).await?;
    let keys = kit.open_keys(&db, &door).await?;
    let reads = Reads::new(db.clone());
    let links = links(&config, &door, &reads).await?;

    let react = ::events::react(events::react);
    kit.publish(&door);
    kit.consume(&SOURCES, &door, &react);
    start_timers(kit, &door, &reads);
    erase_what_is_left(kit, &db, &keys, &door, &reads);

    let log = server::log_service(door.log());
    let audit = server::audit_service(NAME, db.clone(), keys.clone());
    let redrive = ::events::Redrive::new(NAME, DeadLetters::new(db.clone()), door.clone(), react);
    let dead_letters = server::dead_letter_service(NAME, &SOURCES, redrive);
    let ready = reads.clone();
    let api = FeedbackServiceServer::new(grpc::Api { door, reads, links, clock: kit.clock.clone() })
        .max_encoding_message_size(server::limits::MAX_REPLY_BYTES);
    Ok(kit.routes().with(api).with(log).with(dead_letters).with(audit).started(move || {
        let reads = ready.clone();
        async move { reads.ping().await.context("the database does not answer") }
    }))
}

/// Links under the secret of the settings, else under the one kept in the database, which is made at the first start.
async fn links(config: &Config, door: &Door<Feedback>, reads: &Reads) -> anyhow::Result<Links> {
    if let Some(secret) = &config.link_secret {
        return Links::new(secret.as_bytes());
    }
    if reads.find_link_secret().await?.is_none() {
        let drawn = KeepLinkSecret { secret: rand::random() };
        door.fire("link secret", drawn)
            .await
            .map_err(|error| anyhow::anyhow!("cannot keep the link secret: {error}"))?;
    }
    let kept = reads.find_link_secret().await?.context("the link secret was not kept")?;
    Links::new(&kept.secret)
}

/// Takes the answers out of the responses of erased customers, a few at a time.
fn erase_what_is_left(kit: &Kit, db: &::store::Db, keys: &KeyRing, door: &Door<Feedback>, reads: &Reads) {
    let (door, reads) = (door.clone(), reads.clone());
    kit.erase(db, keys, move |customer, limit| {
        let (door, reads) = (door.clone(), reads.clone());
        async move {
            let responses: Vec<_> = reads.list_to_erase(customer, limit).await?.into_iter().map(ResponseId).collect();
            let last = responses.len() < usize::try_from(limit).unwrap_or(usize::MAX);
            let erased = door.fire("erasures", EraseResponses { customer, responses, last }).await;
            erased.map_err(|refused| anyhow::anyhow!("responses could not be erased: {refused}"))?;
            Ok(last)
        }
    });
}

fn start_timers(kit: &Kit, door: &Door<Feedback>, reads: &Reads) {
    let (clock, sender, source) = (kit.clock.clone(), door.clone(), reads.clone());
    kit.every("invitations to send", TIMER_PERIOD, move || {
        let (clock, door, reads) = (clock.clone(), sender.clone(), source.clone());
        async move {
            let due = reads.list_to_send(clock.now_us(), TIMER_LIMIT).await?;
            fire(&door, "invitations to send", due, |id| SendInvitation { id }).await
        }
    });
    let (clock, sender, source) = (kit.clock.clone(), door.clone(), reads.clone());
    kit.every("invitations to expire", TIMER_PERIOD, move || {
        let (clock, door, reads) = (clock.clone(), sender.clone(), source.clone());
        async move {
            let due = reads.list_to_expire(clock.now_us(), TIMER_LIMIT).await?;
            fire(&door, "invitations to expire", due, |id| ExpireInvitation { id }).await
        }
    });
}

/// Fires a verb for each invitation, all at once so that they share transactions.
async fn fire<V: commit::Verb<Feedback>>(
    door: &Door<Feedback>,
    timer: &'static str,
    due: Vec<uuid::Uuid>,
    verb: fn(InvitationId) -> V,
) -> anyhow::Result<()> {
    let fired = due.into_iter().map(|id| door.fire(timer, verb(InvitationId(id))));
    let failed = |error| anyhow::anyhow!("an invitation could not be taken up: {error}");
    futures_util::future::try_join_all(fired).await.map(|_| ()).map_err(failed)
}
