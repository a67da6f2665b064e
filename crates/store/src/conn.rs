//! The connection that a committer owns: transactions by hand, load-many and save-many. A connection
//! after a doubtful error is dropped by its owner, and dropping it is the rollback.

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::db::Engine;
use crate::error::{Error, Result};
use crate::inline::Inline;
use crate::save::{self, Texts};
use crate::sql::{Arg, Record, Sql, bind_postgres, bind_sqlite};
use crate::table::{Rows, Table};

pub(crate) enum Line {
    Postgres(PgConnection),
    Sqlite(PoolConnection<Sqlite>),
}

/// A connection for writing.
pub struct Conn {
    line: Line,
    texts: Texts,
    inline: Inline,
}

/// Rows to save together, and the statement that closes the batch (such as the move of the log head).
#[derive(Debug)]
pub struct Batch<'a> {
    /// Rows by table; each table once for each way to save them.
    pub rows: Vec<Rows>,
    /// Runs in the same statement on PostgreSQL, last on SQLite. Its placeholders begin at `$1`.
    pub last: Sql,
    /// The arguments of `last`.
    pub args: &'a [Arg<'a>],
}

impl Batch<'_> {
    /// The tables that have rows; fails when one of the rows was given only in part.
    fn whole_rows(&self) -> Result<Vec<&Rows>> {
        let rows: Vec<&Rows> = self.rows.iter().filter(|rows| !rows.is_empty()).collect();
        if let Some(broken) = rows.iter().find(|rows| !rows.is_whole()) {
            let problem = format!("table {}: a row was given only in part", broken.table.name);
            return Err(Error::Faulty(sqlx::Error::Encode(problem.into())));
        }
        Ok(rows)
    }

    fn bind_postgres(&self, rows: Vec<&Rows>) -> Result<sqlx::postgres::PgArguments> {
        let mut bound = sqlx::postgres::PgArguments::default();
        for rows in rows {
            save::bind_postgres(&mut bound, rows)?;
        }
        save::bind_last(&mut bound, self.args)?;
        Ok(bound)
    }
}

impl Conn {
    pub(crate) fn new(line: Line, inline: Inline) -> Self {
        Self { line, texts: Texts::default(), inline }
    }

    /// The engine at the other end.
    pub const fn engine(&self) -> Engine {
        match self.line {
            Line::Postgres(_) => Engine::Postgres,
            Line::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Begins a transaction and reads the row it locks, in one message. `lock` holds both statements as
    /// fixed text without arguments: `begin; select … for update`.
    pub async fn begin<T: Record>(&mut self, lock: Sql) -> Result<T> {
        match &mut self.line {
            Line::Postgres(conn) => {
                let row = sqlx::raw_sql(lock.postgres).fetch_one(&mut *conn).await?;
                Ok(T::from_row(&row)?)
            }
            Line::Sqlite(conn) => {
                let row = self.inline.run(sqlx::raw_sql(lock.sqlite).fetch_one(&mut **conn)).await?;
                Ok(T::from_row(&row)?)
            }
        }
    }

    /// Commits. After an error it is not known whether the transaction took effect.
    pub async fn commit(&mut self) -> Result<()> {
        self.raw("commit").await
    }

    /// Takes everything since `begin` back.
    pub async fn rollback(&mut self) -> Result<()> {
        self.raw("rollback").await
    }

    /// Ends a transaction that failed and gives the connection back if it is still sound. A doubtful one
    /// is closed, which is the rollback.
    pub async fn recover(mut self, failed: &Error) -> Option<Self> {
        let sound = matches!(failed, Error::Rejected(_)) || self.engine() == Engine::Sqlite;
        if sound && self.rollback().await.is_ok() {
            return Some(self);
        }
        if let Line::Sqlite(conn) = self.line {
            let _ = self.inline.run(conn.close()).await;
        }
        None
    }

    async fn raw(&mut self, text: &'static str) -> Result<()> {
        match &mut self.line {
            Line::Postgres(conn) => sqlx::raw_sql(text).execute(&mut *conn).await.map(|_| ())?,
            Line::Sqlite(conn) => self.inline.run(sqlx::raw_sql(text).execute(&mut **conn)).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Runs a statement; gives the number of rows it touched.
    pub async fn execute(&mut self, sql: Sql, args: &[Arg<'_>]) -> Result<u64> {
        Ok(match &mut self.line {
            Line::Postgres(conn) => {
                sqlx::query_with(sql.postgres, bind_postgres(args)?).execute(&mut *conn).await?.rows_affected()
            }
            Line::Sqlite(conn) => {
                let call = sqlx::query_with(sql.sqlite, bind_sqlite(args)?).execute(&mut **conn);
                self.inline.run(call).await?.rows_affected()
            }
        })
    }

    /// All rows of a query, read inside the transaction.
    pub async fn fetch_all<T: Record>(&mut self, sql: Sql, args: &[Arg<'_>]) -> Result<Vec<T>> {
        Ok(match &mut self.line {
            Line::Postgres(conn) => {
                sqlx::query_as_with(sql.postgres, bind_postgres(args)?).fetch_all(&mut *conn).await?
            }
            Line::Sqlite(conn) => {
                let call = sqlx::query_as_with(sql.sqlite, bind_sqlite(args)?).fetch_all(&mut **conn);
                self.inline.run(call).await?
            }
        })
    }

    /// The rows of `table` with these keys (first key column); unknown keys give no row.
    pub async fn load<T: Record>(&mut self, table: &'static Table, ids: &[Uuid]) -> Result<Vec<T>> {
        let sql = self.texts.load(table);
        self.fetch_all(sql, &[Arg::Uuids(ids)]).await
    }

    /// Saves a batch in a transaction of its own, in one round trip. `last` must touch one row, or none: then nothing is
    /// saved, and the answer is `false`. Only on PostgreSQL; a local file has no round trips to spare.
    pub async fn save_alone(&mut self, batch: &Batch<'_>) -> Result<bool> {
        let rows = batch.whole_rows()?;
        let Line::Postgres(conn) = &mut self.line else {
            return Err(Error::Faulty(sqlx::Error::Protocol("this engine saves in transactions only".to_owned())));
        };
        let text = self.texts.postgres_alone(&rows, batch.last.postgres);
        let (touched,): (i64,) = sqlx::query_as_with(text, batch.bind_postgres(rows)?).fetch_one(&mut *conn).await?;
        Ok(touched == 1)
    }

    /// Saves a batch: one statement on PostgreSQL, bucketed inserts on SQLite.
    pub async fn save(&mut self, batch: &Batch<'_>) -> Result<()> {
        let rows = batch.whole_rows()?;
        match &mut self.line {
            Line::Postgres(conn) => {
                let text = self.texts.postgres(&rows, batch.last.postgres);
                sqlx::query_with(text, batch.bind_postgres(rows)?).execute(&mut *conn).await?;
            }
            Line::Sqlite(conn) => {
                for rows in rows {
                    for (from, count) in save::buckets(rows) {
                        let text = self.texts.sqlite(rows.table, rows.way, count);
                        let bound = save::bind_sqlite(rows, from, count)?;
                        self.inline.run(sqlx::query_with(text, bound).execute(&mut **conn)).await?;
                    }
                }
                let last = sqlx::query_with(batch.last.sqlite, bind_sqlite(batch.args)?).execute(&mut **conn);
                self.inline.run(last).await?;
            }
        }
        Ok(())
    }
}
