//! The way to PostgreSQL over TLS, as the address of the database asks for it.

use store::{Db, Options, Sql};
use testkit::{Authority, Postgres, PostgresOptions};

/// Whether the connection that answers is over TLS.
const IS_ENCRYPTED: Sql = Sql::same("select cast(ssl as text) from pg_stat_ssl where pid = pg_backend_pid()");

async fn is_encrypted(url: &str) -> store::Result<bool> {
    let db = Db::open(&Options::new(url, "tls-test")).await?;
    Ok(db.fetch_one::<(String,)>(IS_ENCRYPTED, &[]).await?.0 == "true")
}

#[tokio::test]
async fn a_database_is_reached_over_tls_and_a_false_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let root = ours.write(&folder.path().join("ours.pem")).display().to_string();
    let certificate = Some(ours.issue(&["127.0.0.1"]));
    let postgres = Postgres::start_own(PostgresOptions { certificate, ..Default::default() }).await;
    let url = postgres.database("bank").await;
    assert!(is_encrypted(&format!("{url}?sslmode=verify-full&sslrootcert={root}")).await.unwrap());
    assert!(!is_encrypted(&format!("{url}?sslmode=disable")).await.unwrap(), "the server takes both");

    let root = theirs.write(&folder.path().join("theirs.pem")).display().to_string();
    let foreign = is_encrypted(&format!("{url}?sslmode=verify-full&sslrootcert={root}")).await;
    assert!(foreign.is_err(), "signed by another authority");
    let plain = Postgres::start().await.database("bank").await;
    assert!(is_encrypted(&format!("{plain}?sslmode=require")).await.is_err(), "a server without TLS");
}
