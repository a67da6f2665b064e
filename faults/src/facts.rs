//! What the databases and streams say after a run, read past all services.

use std::collections::BTreeMap;

use anyhow::Context;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::place::{Place, SERVICES};
use crate::sql;

/// Who reads whose log.
pub const READERS: [(&str, &[&str]); 4] = [
    ("profile", &["organization", "ticketing", "loyalty", "feedback"]),
    ("ticketing", &["organization", "loyalty"]),
    ("loyalty", &["organization", "profile", "ticketing"]),
    ("feedback", &["organization", "ticketing"]),
];

/// One event of a log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Event {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub event_id: Uuid,
    /// Its full type.
    #[sqlx(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub aggregate_id: Uuid,
    /// Version of that after it.
    pub aggregate_version: i64,
    /// Whom it is about.
    pub customer_id: Option<Uuid>,
    /// What it says.
    pub payload: Vec<u8>,
}

/// A consumer's place in a log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Cursor {
    /// The log.
    pub source_log: String,
    /// The last event that took effect.
    pub cursor: i64,
}

/// A purchase.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Purchase {
    /// Its id.
    pub id: Uuid,
    /// Its receipt.
    pub source_ref: String,
    /// What earns points, minor units.
    pub earning_minor: i64,
}

/// An entry of the points ledger.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entry {
    /// The purchase that it stems from.
    pub purchase_id: Option<Uuid>,
    /// The compensation that it stems from.
    pub compensation_id: Option<Uuid>,
    /// Why it was made.
    pub reason_code: String,
    /// How much.
    pub points: i64,
}

/// An account.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Account {
    /// Whose it is.
    pub customer_id: Uuid,
    /// What may be spent.
    pub available: i64,
}

/// A line of a timeline.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Shown {
    /// The event.
    pub id: Uuid,
    /// Whose log it is of.
    pub service: String,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Facts {
    /// The logs by service.
    pub logs: BTreeMap<&'static str, Vec<Event>>,
    /// `last_seq` of each log's head.
    pub heads: BTreeMap<&'static str, i64>,
    /// The purchases.
    pub purchases: Vec<Purchase>,
    /// Id and subject of the complaints.
    pub complaints: Vec<(Uuid, String)>,
    /// The points ledger.
    pub entries: Vec<Entry>,
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The timelines.
    pub timeline: Vec<Shown>,
    /// Dead letters by service.
    pub dead: BTreeMap<&'static str, i64>,
}

async fn open(place: &Place, service: &str) -> anyhow::Result<PgConnection> {
    PgConnection::connect(place.database(service)?).await.with_context(|| format!("the database of {service}"))
}

/// The head of a log and the cursors of its service.
pub async fn progress(place: &Place, service: &str) -> anyhow::Result<(i64, Vec<Cursor>)> {
    let mut connection = open(place, service).await?;
    let head: i64 = sqlx::query_scalar(sql::HEAD).fetch_one(&mut connection).await?;
    let cursors = sqlx::query_as(sql::CURSORS).fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok((head, cursors))
}

impl Facts {
    /// Reads everything.
    pub async fn read(place: &Place) -> anyhow::Result<Self> {
        let mut facts = Self::default();
        for (service, _) in SERVICES {
            let mut connection = open(place, service).await?;
            facts.logs.insert(service, sqlx::query_as(sql::EVENTS).fetch_all(&mut connection).await?);
            let head = sqlx::query_scalar(sql::HEAD).fetch_one(&mut connection).await?;
            facts.heads.insert(service, head);
            let dead = sqlx::query_scalar(sql::DEAD).fetch_one(&mut connection).await?;
            facts.dead.insert(service, dead);
            connection.close().await?;
        }
        let mut profile = open(place, "profile").await?;
        let purchases = sqlx::query_as(sql::PURCHASES);
        facts.purchases = purchases.fetch_all(&mut profile).await?;
        facts.timeline = sqlx::query_as(sql::TIMELINE).fetch_all(&mut profile).await?;
        let mut ticketing = open(place, "ticketing").await?;
        let complaints = sqlx::query_as(sql::COMPLAINTS);
        facts.complaints = complaints.fetch_all(&mut ticketing).await?;
        let mut loyalty = open(place, "loyalty").await?;
        let entries = sqlx::query_as(sql::ENTRIES);
        facts.entries = entries.fetch_all(&mut loyalty).await?;
        let accounts = sqlx::query_as(sql::ACCOUNTS);
        facts.accounts = accounts.fetch_all(&mut loyalty).await?;
        Ok(facts)
    }
}
