//! The second wall: on PostgreSQL a caller is read for as a role that owns nothing, and row-level security shows it the
//! branches of its scope although the statement names none.

use kernel::BranchScope;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use store::{Db, Migrations, Options, Reader, Sql};
use testkit::Postgres;
use uuid::Uuid;

const OWN: Uuid = Uuid::from_u128(1);
const FOREIGN: Uuid = Uuid::from_u128(2);

/// Every service with its tables, and those of its tables that a caller may read without a wall: the business as a
/// whole, and what only a join with a walled table leads to.
const SERVICES: &[(&str, Migrations, &[&str])] = &[
    ("organization", organization::MIGRATIONS, ORGANIZATION),
    ("profile", customer_profile::MIGRATIONS, &["branch"]),
    ("ticketing", ticketing::MIGRATIONS, TICKETING),
    ("feedback", feedback::MIGRATIONS, &["branch", "open_cases", "survey"]),
    ("loyalty", loyalty::MIGRATIONS, &["branch", "earning", "program"]),
];

/// What belongs to the business as a whole (policies, texts), and words, which are read only together with their complaint: a
/// wall of their own would be asked for every word.
const TICKETING: &[&str] = &["branch", "complaint_word", "sla_policy", "template"];

/// Of the write path; `claim` is how a customer is found by a handle.
const WRITE_PATH: &[&str] = &["claim", "log_head"];

/// The tree, its people and its keys: their scope stands in documents, which the statements look into.
const ORGANIZATION: &[&str] = &[
    "api_key",
    "api_key_use",
    "branch",
    "branch_calendar",
    "branch_children",
    "holiday_set",
    "holiday_use",
    "role",
    "staff_member",
    "tally",
];

async fn open(url: &str, migrations: Migrations) -> Db {
    let db = Db::open(&Options::new(url, "walls")).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, migrations]).await.unwrap();
    db
}

/// The tables with a branch, and their columns with types.
async fn walled(raw: &mut PgConnection) -> Vec<(String, Vec<(String, String)>)> {
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "select table_name::text, column_name::text, data_type::text from information_schema.columns c \
         where table_schema = 'public' and exists (select 1 from information_schema.columns b where \
         b.table_schema = 'public' and b.table_name = c.table_name and b.column_name = 'branch_id') \
         order by table_name, ordinal_position",
    )
    .fetch_all(raw)
    .await
    .unwrap();
    let mut tables: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for (table, column, kind) in columns {
        match tables.last_mut() {
            Some((last, columns)) if *last == table => columns.push((column, kind)),
            _ => tables.push((table, vec![(column, kind)])),
        }
    }
    tables
}

/// Puts a row that means nothing into a table: only its branch counts.
async fn plant(raw: &mut PgConnection, table: &str, columns: &[(String, String)], branch: Uuid) {
    let value = |(column, kind): &(String, String)| match (column.as_str(), kind.as_str()) {
        ("branch_id", _) => format!("'{branch}'"),
        (_, "uuid") => "gen_random_uuid()".to_owned(),
        (_, "bigint") => "(random() * 1e15)::bigint".to_owned(),
        (_, "jsonb") => "'{}'".to_owned(),
        (_, "bytea") => "'\\x00'".to_owned(),
        _ => "md5(random()::text)".to_owned(),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let text = format!("insert into \"{table}\" values ({})", values.join(", "));
    sqlx::raw_sql(AssertSqlSafe(text)).execute(raw).await.unwrap_or_else(|error| panic!("{table}: {error}"));
}

/// A count that names no scope: the first wall switched off.
fn count(table: &str) -> Sql {
    Sql::same(Box::leak(format!("select count(*) from \"{table}\"").into_boxed_str()))
}

#[tokio::test]
async fn a_statement_that_forgets_its_scope_sees_the_branches_of_the_scope_only() {
    let server = Postgres::start().await;
    let mut proven = 0;
    for (service, migrations, _) in SERVICES {
        let url = server.database("walls").await;
        let db = open(&url, *migrations).await;
        let reader = Reader::from(db.clone());
        let mut raw = PgConnection::connect(&url).await.unwrap();
        for (table, columns) in walled(&mut raw).await {
            for branch in [OWN, FOREIGN, FOREIGN] {
                plant(&mut raw, &table, &columns, branch).await;
            }
            // Tables that are seen through another one show nothing yet: there is no parent to these rows.
            let through = migrations
                .walls
                .iter()
                .any(|wall| matches!(wall, store::Wall::Through { table: t, .. } if *t == table));
            for (scope, expected) in [
                (BranchScope::only([]), 0),
                (BranchScope::only([OWN]), i64::from(!through)),
                (BranchScope::only([OWN, FOREIGN]), if through { 0 } else { 3 }),
                (BranchScope::All, 3),
            ] {
                let seen: (i64,) = reader.within(&scope).fetch_one(count(&table), &[]).await.unwrap();
                assert_eq!(seen.0, expected, "{service}: {table} within {scope:?}");
            }
            // And without any scope, as a connection that was never told one.
            let mut bare = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("set role karibu_reader").execute(&mut bare).await.unwrap();
            let text = AssertSqlSafe(format!("select count(*) from \"{table}\""));
            let seen: (i64,) = sqlx::query_as(text).fetch_one(&mut bare).await.unwrap();
            assert_eq!(seen.0, 0, "{service}: {table} without a scope");
            proven += 1;
        }
        db.close().await;
    }
    assert!(proven >= 15, "only {proven} tables have a branch");
}

#[tokio::test]
async fn what_stands_before_no_wall_was_meant_to() {
    let server = Postgres::start().await;
    for (service, migrations, open_tables) in SERVICES {
        let db = open(&server.database("walls").await, *migrations).await;
        let found = db.tables_without_wall().await.unwrap();
        let meant = |table: &&String| open_tables.contains(&table.as_str()) || WRITE_PATH.contains(&table.as_str());
        let forgotten: Vec<&String> = found.iter().filter(|table| !meant(table)).collect();
        assert_eq!(
            forgotten,
            Vec::<&String>::new(),
            "{service}: give the table a branch_id, name a Wall for it, or list it here with its reason"
        );
        db.close().await;
    }
}

#[tokio::test]
async fn a_reader_changes_nothing_and_sees_no_secret() {
    let url = Postgres::start().await.database("walls").await;
    let db = open(&url, feedback::MIGRATIONS).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("set role karibu_reader").execute(&mut raw).await.unwrap();
    for text in [
        "select * from link_secret",
        "delete from event_log",
        "update invitation set version = 2",
        "insert into claim select * from claim",
        "alter table response disable row level security",
        "drop policy karibu_reach on response",
    ] {
        let error = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut raw).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{text}: {error}");
    }
    db.close().await;
}

#[tokio::test]
async fn a_wall_that_stands_is_left_alone_and_one_that_was_taken_down_is_raised_again() {
    let url = Postgres::start().await.database("walls").await;
    let db = open(&url, ticketing::MIGRATIONS).await;
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let stamp = "select max(xmin::text::bigint)::bigint from pg_policy";
    let before: (i64,) = sqlx::query_as(stamp).fetch_one(&mut raw).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, ticketing::MIGRATIONS]).await.unwrap();
    let after: (i64,) = sqlx::query_as(stamp).fetch_one(&mut raw).await.unwrap();
    assert_eq!(before, after, "a start that has nothing to do takes no lock");
    sqlx::raw_sql("alter table complaint disable row level security").execute(&mut raw).await.unwrap();
    assert_eq!(db.tables_without_wall().await.unwrap().iter().filter(|table| *table == "complaint").count(), 1);
    db.migrate(&[commit::MIGRATIONS, ticketing::MIGRATIONS]).await.unwrap();
    assert!(!db.tables_without_wall().await.unwrap().contains(&"complaint".to_owned()));
    db.close().await;
}

#[tokio::test]
async fn a_login_that_may_not_make_the_role_says_what_an_administrator_must_do() {
    let server = Postgres::start().await;
    let url = server.database("walls").await;
    let login = format!("plain_{}", Uuid::now_v7().simple());
    let mut raw = PgConnection::connect(&url).await.unwrap();
    let make = format!("create role {login} login; grant all on schema public to {login}");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut raw).await.unwrap();
    let (before, host) = url.split_once("://").and_then(|(kind, rest)| Some((kind, rest.split_once('@')?.1))).unwrap();
    let as_login = format!("{before}://{login}@{host}");

    let absent = format!("absent_{}", Uuid::now_v7().simple());
    let options = Options { reader_role: Some(absent.clone()), ..Options::new(&as_login, "walls") };
    let db = Db::open(&options).await.unwrap();
    let told = db.migrate(&[commit::MIGRATIONS]).await.unwrap_err().to_string();
    assert!(told.contains(&format!("create role \"{absent}\" nologin")), "{told}");
    assert!(told.contains("--database-reader-role"), "{told}");

    // A role that passes every wall is none.
    let options = Options { reader_role: Some(login.clone()), ..Options::new(&as_login, "walls") };
    let told = Db::open(&options).await.unwrap().migrate(&[commit::MIGRATIONS]).await.unwrap_err().to_string();
    assert!(told.contains("passes row-level security"), "{told}");
    let odd = Options { reader_role: Some("x\"; drop".to_owned()), ..Options::new(&url, "walls") };
    assert!(Db::open(&odd).await.unwrap_err().to_string().contains("no name of a role"));
}
