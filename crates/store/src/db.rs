//! The database of one service: opening it on either engine, and reading from it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use crate::conn::{Conn, Line};
use crate::error::{Error, Result};
use crate::inline::Inline;
use crate::sql::{Arg, Record, Sql, bind_postgres, bind_sqlite};

/// Longest wait for a free read connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a lock of SQLite, and for the lock of the log head on PostgreSQL.
const LOCK_TIMEOUT_MS: u64 = 5_000;
/// A replica that stops inside a transaction loses it, and with it the lock, after this time.
const IDLE_IN_TRANSACTION_MS: u64 = 1_000;
/// Longest run of one statement.
const STATEMENT_TIMEOUT_MS: u64 = 10_000;
/// Connections of PostgreSQL for what Karibu reads for itself, beside those for callers.
const OWN_CONNECTIONS: u32 = 3;
/// Role as which callers are read for, if no other is named.
pub const READER_ROLE: &str = "karibu_reader";
/// Longest name of a role (PostgreSQL documentation, "Identifiers and Key Words").
const MAX_ROLE_BYTES: usize = 63;
/// Pages of the write-ahead log of SQLite before a commit pays for a checkpoint; an idle moment comes first.
const WAL_PAGES: u32 = 20_000;

/// Which engine a database runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL 15 or newer.
    Postgres,
    /// SQLite, bundled.
    Sqlite,
}

/// How to open a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `postgres://user:password@host/database` or `sqlite:path/to/file.db`.
    pub url: String,
    /// Connections for reading.
    pub read_connections: u32,
    /// Shown by the server for our connections.
    pub application_name: String,
    /// Role of PostgreSQL as which callers are read for; without one the login reads, and there is no second wall.
    pub reader_role: Option<String>,
}

impl Options {
    /// A database at `url` with 4 read connections and the usual role of readers.
    pub fn new(url: impl Into<String>, application_name: impl Into<String>) -> Self {
        let reader_role = Some(READER_ROLE.to_owned());
        Self { url: url.into(), read_connections: 4, application_name: application_name.into(), reader_role }
    }
}

/// The database of one service, as Karibu itself uses it; what callers ask is read through a [`crate::Reader`]. Cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct Db {
    pub(crate) pools: Pools,
    inline: Inline,
    reader_role: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    /// As the login, and as the role of readers.
    Postgres {
        own: PgPool,
        readers: Option<PgPool>,
    },
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
        lock: Arc<File>,
    },
}

/// Runs one body on the pool for reading, whichever engine it is.
macro_rules! on_read {
    ($self:expr, $sql:expr, $args:expr, $query:ident, $call:ident) => {
        match &$self.pools {
            Pools::Postgres { own, .. } => {
                sqlx::$query::<sqlx::Postgres, _, _>($sql.postgres, bind_postgres($args)?).$call(own).await
            }
            Pools::Sqlite { read, .. } => {
                let call = sqlx::$query::<sqlx::Sqlite, _, _>($sql.sqlite, bind_sqlite($args)?).$call(read);
                $self.inline.run(call).await
            }
        }
    };
}

impl Db {
    /// Opens the database. A SQLite file is made if it is not there, and held for this process alone: a
    /// second process is refused. PostgreSQL is not asked before the first use.
    pub async fn open(options: &Options) -> Result<Self> {
        let pools = if let Some(path) = options.url.strip_prefix("sqlite:") {
            open_sqlite(Path::new(path.trim_start_matches("//")), options).await?
        } else if options.url.starts_with("postgres:") || options.url.starts_with("postgresql:") {
            open_postgres(options)?
        } else {
            return Err(Error::Address("the database address must begin with postgres:// or sqlite:".to_owned()));
        };
        Ok(Self { pools, inline: Inline::default(), reader_role: options.reader_role.as_deref().map(Arc::from) })
    }

    /// For simulations: every later call to SQLite blocks its thread until it has ended, so that what happens on this
    /// thread has one order. `elsewhere` is another runtime, which looks after the connections meanwhile.
    #[must_use]
    pub fn blocking(mut self, elsewhere: tokio::runtime::Handle) -> Self {
        self.inline = Inline::on(elsewhere);
        self
    }

    /// The role as which callers are read for on PostgreSQL, if there is one.
    pub(crate) fn reader_role(&self) -> Option<&str> {
        self.reader_role.as_deref()
    }

    /// The engine that this database runs on.
    pub const fn engine(&self) -> Engine {
        match self.pools {
            Pools::Postgres { .. } => Engine::Postgres,
            Pools::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// All rows.
    pub async fn fetch_all<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Vec<T>> {
        Ok(on_read!(self, sql, args, query_as_with, fetch_all)?)
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Option<T>> {
        Ok(on_read!(self, sql, args, query_as_with, fetch_optional)?)
    }

    /// The first row; none is a defect of the statement (use it for counts and sums).
    pub async fn fetch_one<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<T> {
        Ok(on_read!(self, sql, args, query_as_with, fetch_one)?)
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.fetch_one::<(i64,)>(Sql::same("select cast(1 as bigint)"), &[]).await.map(|_| ())
    }

    /// Asks the engine to prepare `sql` without running it: the test that every statement fits the schema.
    pub async fn prepare(&self, sql: Sql) -> Result<()> {
        use sqlx::{Executor, SqlSafeStr};
        match &self.pools {
            Pools::Postgres { own, .. } => own.prepare(sql.postgres.into_sql_str()).await.map(|_| ())?,
            Pools::Sqlite { read, .. } => read.prepare(sql.sqlite.into_sql_str()).await.map(|_| ())?,
        }
        Ok(())
    }

    /// The tables and columns of the schema as `table.column`, sorted: the test that both engines agree.
    pub async fn columns(&self) -> Result<Vec<String>> {
        const COLUMNS: Sql = Sql::split(
            "select table_name || '.' || column_name from information_schema.columns \
             where table_schema = current_schema() and table_name <> 'schema_version' order by 1",
            "select t.name || '.' || c.name from sqlite_master t, pragma_table_info(t.name) c \
             where t.type = 'table' and t.name not in ('schema_version', 'sqlite_sequence') order by 1",
        );
        let mut columns: Vec<String> =
            self.fetch_all::<(String,)>(COLUMNS, &[]).await?.into_iter().map(|(column,)| column).collect();
        columns.sort_unstable();
        Ok(columns)
    }

    /// A connection of its own, for a committer: settings as the write path needs them.
    pub async fn writer(&self) -> Result<Conn> {
        let line = match &self.pools {
            Pools::Postgres { own, .. } => {
                // jit and sequential scans are off because plans made while a table is young cost up to
                // 100 times more (docs/architecture.md, "The write path").
                let timeout = format!("{IDLE_IN_TRANSACTION_MS}");
                let options = (*own.connect_options()).clone().options([
                    ("jit", "off"),
                    ("enable_seqscan", "off"),
                    // Whatever a batch joins is a handful of keys: an index look-up each, never a scan.
                    ("enable_hashjoin", "off"),
                    ("enable_mergejoin", "off"),
                    ("idle_in_transaction_session_timeout", timeout.as_str()),
                    ("lock_timeout", &LOCK_TIMEOUT_MS.to_string()),
                ]);
                Line::Postgres(sqlx::PgConnection::connect_with(&options).await?)
            }
            Pools::Sqlite { write, .. } => Line::Sqlite(self.inline.run(write.acquire()).await?),
        };
        Ok(Conn::new(line, self.inline.clone()))
    }

    /// Folds the write-ahead log of SQLite back into the file as far as readers allow; nothing on
    /// PostgreSQL. For idle moments.
    pub async fn checkpoint(&self) -> Result<()> {
        if let Pools::Sqlite { read, .. } = &self.pools {
            self.inline.run(sqlx::raw_sql("pragma wal_checkpoint(passive)").execute(read)).await?;
        }
        Ok(())
    }

    /// Closes every connection once it is given back; a SQLite file is checkpointed and let go, so that
    /// another process can open it, even while clones of this are still about.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Postgres { own, readers } => {
                own.close().await;
                if let Some(readers) = readers {
                    readers.close().await;
                }
            }
            Pools::Sqlite { read, write, lock, .. } => {
                read.close().await;
                write.close().await;
                let _ = lock.unlock();
            }
        }
    }
}

fn open_postgres(options: &Options) -> Result<Pools> {
    let connect: PgConnectOptions =
        options.url.parse().map_err(|error| Error::Address(format!("the database address is wrong: {error}")))?;
    let connect = connect
        .application_name(&options.application_name)
        .options([("statement_timeout", STATEMENT_TIMEOUT_MS.to_string())])
        .disable_statement_logging();
    let pool = |connections| {
        PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // One round trip less per read; a dead connection shows itself at the query.
            .test_before_acquire(false)
    };
    let readers = match options.reader_role.as_deref() {
        Some(role) if is_role(role) => {
            Some(pool(options.read_connections).connect_lazy_with(connect.clone().options([("role", role)])))
        }
        Some(role) => return Err(Error::Address(format!("{role:?} is no name of a role: a to z, 0 to 9 and _"))),
        None => None,
    };
    let own = if readers.is_some() { OWN_CONNECTIONS } else { options.read_connections };
    Ok(Pools::Postgres { own: pool(own).connect_lazy_with(connect), readers })
}

/// The name stands in statements that cannot be bound, so it is plain.
fn is_role(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_ROLE_BYTES).contains(&name.len()) && name.bytes().all(plain) && !name.as_bytes()[0].is_ascii_digit()
}

async fn open_sqlite(path: &Path, options: &Options) -> Result<Pools> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Error::Address(format!("cannot make the folder {}: {error}", folder.display())))?;
    }
    let lock = lock_file(path)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_millis(LOCK_TIMEOUT_MS))
        .pragma("wal_autocheckpoint", WAL_PAGES.to_string())
        .disable_statement_logging();
    let pool = |connections| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
    };
    // The writer comes first: it makes the file and sets the journal mode.
    let write = pool(1).connect_with(connect.clone()).await?;
    let read = pool(options.read_connections).connect_lazy_with(connect.pragma("query_only", "on"));
    Ok(Pools::Sqlite { read, write, lock: Arc::new(lock) })
}

/// Two processes on one file would each believe to be the only writer.
fn lock_file(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file =
        File::create(&name).map_err(|error| Error::Address(format!("cannot make {}: {error}", name.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Address(format!(
            "{} is in use by another process; a SQLite database serves one process at a time",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Error::Address(format!("cannot lock {}: {error}", name.display()))),
    }
}
