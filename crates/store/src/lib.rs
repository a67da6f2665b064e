//! Two database engines behind one face: PostgreSQL and SQLite. The only crate that names an engine.
//! Portable types only: ids `uuid`/`BLOB`, instants, money, points and flags `BIGINT`, documents
//! `jsonb`/`TEXT`. No table of a service is known here.

mod conn;
mod db;
mod error;
mod inline;
mod loader;
mod migrate;
mod reader;
mod save;
mod sql;
mod table;
mod wall;

pub use conn::{Batch, Conn};
pub use db::{Db, Engine, Options, READER_ROLE};
pub use error::{Error, Result};
pub use loader::{Loader, Seen};
pub use migrate::{Migration, Migrations};
pub use reader::{BeyondScope, Reader, Within};
pub use sql::{Arg, Record, Sql};
pub use table::{Kind, OnConflict, Rows, Table, Unsealed};
pub use wall::Wall;

/// A JSON column of a row struct: decodes into `T` on both engines. Rows derive `sqlx::FromRow`.
pub use sqlx::types::Json;
pub use uuid::Uuid;
