//! The same rows as the desk saves, written to SQLite by hand: multi-row inserts, 64 complaints a commit.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions, SqliteConnection};
use uuid::Uuid;

use crate::sql;

/// Complaints in one commit.
pub(crate) const PER_COMMIT: usize = 64;
/// What a customer tells; with the rest of its document some 300 bytes.
pub(crate) const STORY: &str = "The soup was cold, the waiter was kind but nobody came for half an hour, and in the end the bill \
                         had a dish on it that we never saw. We come here every week and want to come again.";
/// Size of an event's payload.
pub(crate) const PAYLOAD_BYTES: usize = 230;
/// Size of a stored reply.
pub(crate) const REPLY_BYTES: usize = 28;

/// Writes for `span` into a new file in `folder`; complaints a second.
pub(crate) async fn write(folder: &Path, span: Duration) -> anyhow::Result<f64> {
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.join("hand.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "20000")
        .disable_statement_logging()
        .connect()
        .await?;
    for text in [sql::DESK_SQLITE, sql::HAND_TABLES] {
        sqlx::raw_sql(text).execute(&mut connection).await?;
    }
    let document = serde_json::json!({
        "story": STORY, "channel": "counter", "wish": "a quick answer", "proposals": []
    })
    .to_string();
    let texts = [("complaint", 12), ("event_log", 12), ("request", 4), ("history", 6)]
        .map(|(table, columns)| sql::hand_insert(table, columns, PER_COMMIT));
    let started = Instant::now();
    let mut written = 0;
    while started.elapsed() < span {
        sqlx::raw_sql(sql::HAND_BEGIN).execute(&mut connection).await?;
        let rows = Bound::of(written as i64, &document)?;
        for (text, bound) in texts.iter().zip([rows.complaints, rows.events, rows.requests, rows.history]) {
            run(&mut connection, text, bound).await?;
        }
        sqlx::raw_sql("commit").execute(&mut connection).await?;
        written += PER_COMMIT;
    }
    Ok(written as f64 / started.elapsed().as_secs_f64())
}

async fn run(connection: &mut SqliteConnection, text: &str, bound: SqliteArguments) -> anyhow::Result<()> {
    // The text is made of our own constants.
    sqlx::query_with(AssertSqlSafe(text), bound).execute(connection).await?;
    Ok(())
}

#[derive(Default)]
struct Bound {
    complaints: SqliteArguments,
    events: SqliteArguments,
    requests: SqliteArguments,
    history: SqliteArguments,
}

impl Bound {
    fn of(from: i64, document: &str) -> anyhow::Result<Self> {
        let mut bound = Self::default();
        for place in from..from + PER_COMMIT as i64 {
            bound.add(place, document).map_err(|error| anyhow::anyhow!("{error}"))?;
        }
        Ok(bound)
    }

    fn add(&mut self, place: i64, document: &str) -> Result<(), sqlx::error::BoxDynError> {
        let (id, branch, customer) = (Uuid::now_v7(), Uuid::from_u128(1), Uuid::from_u128(place as u128 % 100_000));
        let at_us = 1_700_000_000_000_000 + place;
        let rows = &mut self.complaints;
        rows.add(id)?;
        rows.add(1_i64)?;
        rows.add(branch)?;
        rows.add(customer)?;
        rows.add("open")?;
        rows.add("late delivery")?;
        rows.add(None::<Uuid>)?;
        rows.add(0_i64)?;
        rows.add(at_us)?;
        rows.add(at_us)?;
        rows.add(None::<i64>)?;
        rows.add(document.to_owned())?;
        let rows = &mut self.events;
        rows.add(place + 1)?;
        rows.add(Uuid::now_v7())?;
        rows.add("karibu.desk.complaint.opened.v1")?;
        rows.add("complaint")?;
        rows.add(id)?;
        rows.add(1_i64)?;
        rows.add(branch)?;
        rows.add(customer)?;
        rows.add(at_us)?;
        rows.add(at_us)?;
        rows.add(None::<String>)?;
        rows.add(vec![0xAB_u8; PAYLOAD_BYTES])?;
        let rows = &mut self.requests;
        rows.add(Uuid::from_u64_pair(crate::load::scatter(place as u64), place as u64))?;
        rows.add(1_i64)?;
        rows.add(vec![0xCD_u8; REPLY_BYTES])?;
        rows.add(at_us)?;
        let rows = &mut self.history;
        rows.add(id)?;
        rows.add(1_i64)?;
        rows.add(at_us)?;
        rows.add("tester")?;
        rows.add("opened")?;
        rows.add(0_i64)?;
        Ok(())
    }
}
