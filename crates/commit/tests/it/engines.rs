//! Opens a fresh, migrated database on each engine, and checks that both hold the same schema.

use commit::{Door, MIGRATIONS, Options};
use kernel::Clock;
use store::{Db, Options as DbOptions};
use tempfile::TempDir;
use testkit::Postgres;

use crate::bank::{self, Bank};

/// A database with a name for messages; a SQLite file goes with its folder.
pub struct Bench {
    pub name: &'static str,
    pub db: Db,
    pub url: String,
    pub _folder: Option<TempDir>,
}

impl Bench {
    pub async fn door(&self) -> Door<Bank> {
        self.door_with(Options::default()).await
    }

    pub async fn door_with(&self, options: Options) -> Door<Bank> {
        commit::start::<Bank>(self.db.clone(), Clock::system(), options).await.unwrap()
    }
}

pub async fn open(url: &str) -> Db {
    let db = Db::open(&DbOptions::new(url, "commit-test")).await.unwrap();
    db.migrate(&[MIGRATIONS, bank::MIGRATIONS]).await.unwrap();
    db
}

pub async fn both() -> Vec<Bench> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bank.db").display());
    let sqlite = Bench { name: "sqlite", db: open(&url).await, url, _folder: Some(folder) };
    let url = Postgres::start().await.database("bank").await;
    let postgres = Bench { name: "postgres", db: open(&url).await, url, _folder: None };
    vec![sqlite, postgres]
}

#[tokio::test]
async fn every_statement_fits_the_schema_of_both_engines() {
    for bench in both().await {
        for sql in commit::STATEMENTS {
            bench.db.prepare(*sql).await.unwrap_or_else(|error| panic!("{}: {sql:?}: {error:?}", bench.name));
        }
    }
}

#[tokio::test]
async fn both_engines_hold_the_same_tables_and_columns() {
    let benches = both().await;
    let mut seen = Vec::new();
    for bench in &benches {
        seen.push(bench.db.columns().await.unwrap());
    }
    assert!(seen[0].len() > 40, "the schema is read: {:?}", seen[0]);
    assert_eq!(seen[0], seen[1], "sqlite (left) and postgres (right)");
}

#[tokio::test]
async fn a_second_process_on_one_sqlite_file_is_refused() {
    let bench = both().await.remove(0);
    let error = Db::open(&DbOptions::new(&bench.url, "twin")).await.unwrap_err();
    assert!(error.to_string().contains("in use by another process"), "{error}");
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    for bench in both().await {
        bench.door().await;
        bench.db.migrate(&[MIGRATIONS, bank::MIGRATIONS]).await.unwrap();
    }
}
