//! Looking for a text in every byte that a suite has stored: which tables hold it, in the clear or as the bytes of
//! another column.

use std::collections::BTreeSet;
use std::path::Path;

use sqlx::{Connection, Row};

/// The tables of the database at `url` (`sqlite:FILE` or `postgres://…`) that hold `text` in any column, of any kind.
pub async fn tables_with(url: &str, text: &str) -> BTreeSet<String> {
    match url.strip_prefix("sqlite:") {
        Some(file) => in_sqlite(file, text).await,
        None => in_postgres(url, text).await,
    }
}

async fn in_sqlite(file: &str, text: &str) -> BTreeSet<String> {
    let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite:{file}")).await.unwrap();
    let columns = "select t.name, c.name from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table'";
    let rows = sqlx::raw_sql(columns).fetch_all(&mut conn).await.unwrap();
    let mut found = BTreeSet::new();
    for row in rows {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let count =
            format!("select count(*) from \"{table}\" where instr(cast(\"{column}\" as blob), cast($1 as blob)) > 0");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(text).fetch_one(&mut conn).await.unwrap();
        if count > 0 {
            found.insert(table);
        }
    }
    found
}

async fn in_postgres(url: &str, text: &str) -> BTreeSet<String> {
    let mut conn = sqlx::PgConnection::connect(url).await.unwrap();
    let tables = "select table_name::text from information_schema.tables where table_schema = current_schema()";
    let rows = sqlx::raw_sql(tables).fetch_all(&mut conn).await.unwrap();
    // A row as text shows its bytes as hexadecimal digits.
    let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = BTreeSet::new();
    for row in rows {
        let table: String = row.get(0);
        let count = format!(
            "select count(*) from \"{table}\" t where position($1 in t::text) > 0 or position($2 in t::text) > 0"
        );
        let count: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(count)).bind(text).bind(&bytes).fetch_one(&mut conn).await.unwrap();
        if count > 0 {
            found.insert(table);
        }
    }
    found
}

/// Gives the free pages of a SQLite file back, as housekeeping does, so that nothing stands in them any more.
pub async fn compact(file: &Path) {
    let mut conn = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    sqlx::raw_sql("vacuum; pragma wal_checkpoint(truncate)").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

/// The files below `folder` that hold `text` in any of their bytes.
pub fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}
