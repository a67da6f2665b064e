//! `with-servers COMMAND…`: starts one PostgreSQL and one nats-server, runs the command with their URLs in the environment,
//! and ends them. `cargo xtask test` runs the test suites through it, so that each of their processes need not start its own.

use std::process::{Command, ExitCode};

use karibu_testkit::{NATS_URL_VAR, Nats, PG_URL_VAR, Postgres, PostgresOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    let Some(program) = words.next() else { anyhow::bail!("usage: with-servers COMMAND [ARGUMENT…]") };
    let (postgres, nats) = tokio::join!(Postgres::start_own(PostgresOptions::default()), Nats::start());
    let mut command = Command::new(program);
    command.args(words).env(PG_URL_VAR, postgres.url("postgres")).env(NATS_URL_VAR, nats.url());
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
