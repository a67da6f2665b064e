//! PostgreSQL: databases are separate, a crash and a restart keep what was committed, and nothing is left behind.

use std::time::Duration;

use sqlx::{Connection, PgConnection, Row};
use testkit::{Postgres, PostgresOptions, assert_eventually};

#[tokio::test]
async fn each_database_is_new_and_separate() {
    let postgres = Postgres::start().await;
    let (one, two) = (postgres.database("ticketing").await, postgres.database("ticketing").await);
    assert_ne!(one, two);
    let mut first = PgConnection::connect(&one).await.unwrap();
    sqlx::raw_sql("create table only_here (id bigint)").execute(&mut first).await.unwrap();
    let mut second = PgConnection::connect(&two).await.unwrap();
    let error = sqlx::raw_sql("select * from only_here").execute(&mut second).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn text_sorts_by_bytes_as_on_sqlite() {
    let url = Postgres::start().await.database("collation").await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let rows = sqlx::query("select word from (values ('b'), ('B'), ('a'), ('é')) as t(word) order by word");
    let words: Vec<String> = rows.fetch_all(&mut connection).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(words, ["B", "a", "b", "é"]);
}

#[tokio::test]
async fn a_crash_keeps_what_was_committed_when_durable() {
    let postgres = Postgres::start_own(PostgresOptions { durable: true, ..Default::default() }).await;
    let url = postgres.database("crash").await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let fsync: String = sqlx::query("show fsync").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(fsync, "on");
    sqlx::raw_sql("create table kept (id bigint); insert into kept values (7)").execute(&mut connection).await.unwrap();
    postgres.kill();
    assert_eventually(Duration::from_secs(10), || async { PgConnection::connect(&url).await.is_err() }).await;
    postgres.restart().await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let kept: i64 = sqlx::query("select id from kept").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(kept, 7);
}

#[tokio::test]
async fn settings_reach_the_server() {
    let options = PostgresOptions { settings: vec!["lock_timeout=1234ms".to_owned()], ..Default::default() };
    let postgres = Postgres::start_own(options).await;
    let mut connection = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    let value: String = sqlx::query("show lock_timeout").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(value, "1234ms");
}
