//! Schema migrations: the same numbers and names on both engines, run at start, checked by checksum.

use std::borrow::Cow;

use sqlx::migrate::{Migration as Step, MigrationType, Migrator};

use crate::db::{Db, Engine, Pools};
use crate::error::Result;
use crate::wall::Wall;

/// The table that tells which migrations have run.
const VERSION_TABLE: &str = "schema_version";

/// One step of the schema, with a text for each engine.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its file name without the ending, such as `0001_complaints`; the number orders the steps.
    pub name: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
}

/// The steps of one part of the schema. Parts run in the order of their `base`, so that the tables of
/// the write path (base 0) stand before those of a service (base 1000).
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// Added to the number of each step.
    pub base: i64,
    /// The steps.
    pub steps: &'static [Migration],
    /// How tables stand behind the wall of PostgreSQL, where their columns do not tell.
    pub walls: &'static [Wall],
}

impl Migrations {
    /// These steps with these walls.
    #[must_use]
    pub const fn behind(self, walls: &'static [Wall]) -> Self {
        Self { walls, ..self }
    }
}

/// The migrations in `migrations/{postgres,sqlite}/` of the calling crate: `migrations!["0001_init"]`.
#[macro_export]
macro_rules! migrations {
    ($($name:literal),+ $(,)?) => { $crate::migrations!(base 1000; $($name),+) };
    (base $base:literal; $($name:literal),+ $(,)?) => {
        $crate::Migrations { base: $base, walls: &[], steps: &[$($crate::Migration {
            name: $name,
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, ".sql")),
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql")),
        }),+] }
    };
}

impl Db {
    /// Brings the schema up to date with `parts`. Steps that already ran are checked by checksum; a
    /// database newer than this program is refused. On PostgreSQL the role of readers and the wall before every table
    /// are made as well.
    pub async fn migrate(&self, parts: &[Migrations]) -> Result<()> {
        let engine = self.engine();
        self.prepare_readers().await?;
        let mut steps: Vec<Step> = Vec::new();
        for part in parts {
            for step in part.steps {
                let (number, words) = step.name.split_once('_').unwrap_or((step.name, ""));
                let version = part.base + number.parse::<i64>().unwrap_or_default();
                let text = match engine {
                    Engine::Postgres => step.postgres,
                    Engine::Sqlite => step.sqlite,
                };
                steps.push(Step::new(
                    version,
                    Cow::Owned(words.replace('_', " ")),
                    MigrationType::Simple,
                    sqlx::SqlSafeStr::into_sql_str(text),
                    false,
                ));
            }
        }
        let mut migrator = Migrator::with_migrations(steps);
        migrator.dangerous_set_table_name(VERSION_TABLE);
        match &self.pools {
            Pools::Postgres { own, .. } => migrator.run(own).await?,
            Pools::Sqlite { write, .. } => migrator.run(write).await?,
        }
        let walls: Vec<Wall> = parts.iter().flat_map(|part| part.walls).copied().collect();
        self.raise_walls(&walls).await
    }
}
