//! Fresh databases: a SQLite file of its own, a PostgreSQL database of its own.

use store::{Db, Migrations, Options};
use tempfile::TempDir;
use testkit::Postgres;

/// Where the database of a service is, and a folder that lives as long as this.
#[derive(Debug)]
pub struct Ground {
    /// The engine, for messages.
    pub name: &'static str,
    /// Of the database.
    pub url: String,
    /// For files beside it.
    pub folder: TempDir,
}

impl Ground {
    /// A SQLite file.
    pub fn sqlite(service: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join(format!("{service}.db")).display());
        Self { name: "sqlite", url, folder }
    }

    /// A PostgreSQL database.
    pub async fn postgres(service: &str) -> Self {
        let url = Postgres::start().await.database(service).await;
        Self { name: "postgres", url, folder: tempfile::tempdir().unwrap() }
    }
}

/// One open database with a name for messages.
#[derive(Debug)]
pub struct Bench {
    /// The engine.
    pub name: &'static str,
    /// With all tables of the service.
    pub db: Db,
    _folder: TempDir,
}

/// One database on each engine, with the tables of the write path and of the service.
pub async fn both(service: &str, migrations: Migrations) -> Vec<Bench> {
    let mut benches = Vec::new();
    for Ground { name, url, folder } in [Ground::sqlite(service), Ground::postgres(service).await] {
        let db = Db::open(&Options::new(&url, format!("{service}-test"))).await.unwrap();
        db.migrate(&[commit::MIGRATIONS, migrations]).await.unwrap();
        benches.push(Bench { name, db, _folder: folder });
    }
    benches
}
