//! pgbench against a database of its own on the same server as ours: one CTE of three rows, or a transaction of
//! three statements.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use sqlx::Connection;
use tempfile::TempDir;
use testkit::Postgres;
use tokio::process::Command;

use crate::load::Outcome;
use crate::sql;
use crate::stats::Latencies;

/// A prepared pgbench.
#[derive(Debug)]
pub(crate) struct Pgbench {
    url: String,
    folder: TempDir,
}

impl Pgbench {
    /// A database with the tables, and the scripts.
    pub(crate) async fn new(postgres: &Postgres) -> anyhow::Result<Self> {
        let url = postgres.database("pgbench").await;
        let mut connection = sqlx::PgConnection::connect(&url).await?;
        for text in [sql::DESK_POSTGRES, sql::PGBENCH_TABLES] {
            sqlx::raw_sql(text).execute(&mut connection).await?;
        }
        connection.close().await?;
        let folder = TempDir::new()?;
        for (name, script) in [("cte.sql", sql::PGBENCH_CTE), ("three.sql", sql::PGBENCH_THREE)] {
            let document = serde_json::json!({
                "story": super::hand::STORY, "channel": "counter", "wish": "a quick answer", "proposals": []
            });
            let script = script
                .replace("DOCUMENT", &document.to_string())
                .replace("PAYLOAD", &"ab".repeat(super::hand::PAYLOAD_BYTES))
                .replace("REPLY", &"cd".repeat(super::hand::REPLY_BYTES));
            std::fs::write(folder.path().join(name), script)?;
        }
        Ok(Self { url, folder })
    }

    /// One CTE of three rows a transaction.
    pub(crate) async fn cte(&self, clients: u32, span: Duration) -> anyhow::Result<Outcome> {
        self.run("cte.sql", clients, span).await
    }

    /// Three statements a transaction.
    pub(crate) async fn three(&self, clients: u32, span: Duration) -> anyhow::Result<Outcome> {
        self.run("three.sql", clients, span).await
    }

    async fn run(&self, script: &str, clients: u32, span: Duration) -> anyhow::Result<Outcome> {
        let threads = clients.min(2);
        let output = Command::new(testkit::postgres_program("pgbench"))
            .current_dir(self.folder.path())
            .args(["-n", "-M", "prepared", "-l", "-c", &clients.to_string(), "-j", &threads.to_string()])
            .args(["-T", &span.as_secs().to_string(), "-f", script, &self.url])
            .output()
            .await
            .context("pgbench")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text
            .lines()
            .find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or_default();
        let mut latencies = self.take_log()?;
        if !output.status.success() || rate <= 0.0 || latencies.len() == 0 {
            bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(Outcome { rate, p50_ms: latencies.percentile_ms(0.5), p99_ms: latencies.percentile_ms(0.99) })
    }

    /// Reads its logs (client, transaction, microseconds, …) and removes them.
    fn take_log(&self) -> anyhow::Result<Latencies> {
        let mut all = Latencies::default();
        let logs: Vec<PathBuf> = std::fs::read_dir(self.folder.path())?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pgbench_log.")))
            .collect();
        for log in logs {
            for line in std::fs::read_to_string(&log)?.lines() {
                if let Some(us) = line.split(' ').nth(2).and_then(|us| us.parse().ok()) {
                    all.add(Duration::from_micros(us));
                }
            }
            std::fs::remove_file(log)?;
        }
        Ok(all)
    }
}
