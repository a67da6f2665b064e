//! P11 and P12: memory after a load, and the time of a cold start to the first correct answer from the database.

use std::time::{Duration, Instant};

use anyhow::Context;
use proto::karibu::organization::v1::ListBranchesRequest;
use testkit::{Service, free_port};

use super::p1::{first_complaint, opens};
use super::p3::{IN_FLIGHT, durable};
use super::{line, quietly};
use crate::Plan;
use crate::machine::memory_mib;
use crate::result::{Good, Line};
use crate::suite::{MASTER_KEYS, Suite, TICKETING, binary_of, connect, make_branch};
use crate::yard::echo::Hop;

const READY: &str = "ready";
const KEY: &str = "API key";

/// The embedded suite as a process.
pub(crate) struct Embedded {
    /// The process.
    pub(crate) service: Service,
    /// Where its gateway listens.
    pub(crate) address: String,
    /// The key printed at its first start.
    pub(crate) key: Option<String>,
    /// Time from its start to its word that it is ready.
    pub(crate) ready_after: Duration,
    /// Time from its start to an answer from a database, when a key was known.
    pub(crate) answered_after: Option<Duration>,
}

/// Starts `karibu up` on the databases in `data`, and asks it for branches when `key` is known.
pub(crate) async fn embedded(data: &std::path::Path, key: Option<&str>) -> anyhow::Result<Embedded> {
    let port = free_port();
    let address = format!("http://127.0.0.1:{port}");
    let options = binary_of("karibu")?
        .arg("up")
        .arg("--listen")
        .arg(format!("127.0.0.1:{port}"))
        .arg("--data")
        .arg(data.display().to_string())
        .env("KARIBU_RATE_LIMITS", "off");
    let started = Instant::now();
    let service = options.start();
    let mut answered_after = None;
    if let Some(key) = key {
        // Asked every millisecond from the first moment: who waits for the word of the process measures the pipe.
        loop {
            if let Ok(karibu) = client::Karibu::connect(&address, key).await
                && karibu.organization().list_branches(ListBranchesRequest::default()).await.is_ok()
            {
                break;
            }
            anyhow::ensure!(started.elapsed() < Duration::from_secs(30), "no answer\n{}", service.log_tail());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        answered_after = Some(started.elapsed());
    }
    service.wait_line(READY).await;
    let ready_after = started.elapsed();
    let word = |line: String| line.split_whitespace().nth(2).map(str::to_owned);
    let key = service.log().lines().find(|line| line.starts_with(KEY)).map(str::to_owned).and_then(word);
    Ok(Embedded { service, address, key: key.filter(|key| key.starts_with("kb_")), ready_after, answered_after })
}

/// Time from the start of ticketing, on a database that is migrated already, to ready: it asked its database.
async fn cold_start(suite: &Suite) -> anyhow::Result<f64> {
    let data = suite.database("organization")?.to_owned();
    let (port, metrics) = (free_port(), free_port());
    let folder = tempfile::tempdir()?;
    let (private, public) = server::auth::SigningKeys::generate()?.to_pem()?;
    std::fs::write(folder.path().join("key.pem"), private)?;
    std::fs::write(folder.path().join("key.pub.pem"), public)?;
    let options = binary_of("karibu-organization")?
        .env("KARIBU_LISTEN", format!("127.0.0.1:{port}"))
        .env("KARIBU_METRICS_LISTEN", format!("127.0.0.1:{metrics}"))
        .env("KARIBU_DATABASE", data)
        .env("KARIBU_MASTER_KEYS", MASTER_KEYS)
        .env("KARIBU_INTERNAL_KEY", folder.path().join("key.pem").display().to_string())
        .env("KARIBU_INTERNAL_PUBLIC_KEYS", folder.path().join("key.pub.pem").display().to_string());
    let started = Instant::now();
    let service = options.start();
    loop {
        if is_ready(metrics).await {
            return Ok(started.elapsed().as_secs_f64() * 1_000.0);
        }
        anyhow::ensure!(started.elapsed() < Duration::from_secs(30), "never ready\n{}", service.log_tail());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn is_ready(port: u16) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    asked.await.is_ok_and(|answer| answer.ends_with(b"200"))
}

/// P11.
pub(crate) async fn memory(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let rss = |service: &Service| memory_mib(service.id(), "VmRSS:").context("the process has ended");
    let mut one = line(
        "P11 service",
        "memory (RSS) of ticketing after the load of P1",
        "tonic echo after the same number of callers",
        "MiB",
        Good::Low,
        (2.0, 1.3),
    );
    let mut all = line(
        "P11 suite",
        "memory (RSS) of the embedded suite after opening complaints",
        "sum of organization, ticketing and gateway after the load",
        "MiB",
        Good::Low,
        (2.0, 1.3),
    );
    for _ in 0..plan.rounds {
        let postgres = durable().await;
        let suite = Suite::start(&postgres, &[TICKETING]).await?;
        let hop = Hop::start().await?;
        first_complaint(&suite.callers[0], &suite.branch).await?;
        opens(&suite.callers, &suite.branch, IN_FLIGHT, plan.span()).await?;
        hop.call(IN_FLIGHT, plan.span()).await?;
        let apart: Vec<f64> = suite.services.iter().map(|(_, service)| rss(service)).collect::<Result<_, _>>()?;
        let folder = tempfile::tempdir()?;
        let karibu = embedded(folder.path(), None).await?;
        let callers = connect(&karibu.address, karibu.key.as_deref().context("no key was printed")?).await?;
        let branch = make_branch(&callers[0]).await?;
        first_complaint(&callers[0], &branch).await?;
        opens(&callers, &branch, IN_FLIGHT, plan.span()).await?;
        one.rounds.push((rss(suite.service("ticketing")?)?, rss(&hop.echo)?));
        all.rounds.push((rss(&karibu.service)?, apart.iter().sum()));
        one.foreign.push(0.0);
        all.foreign.push(0.0);
        let names: Vec<String> =
            suite.services.iter().zip(&apart).map(|((name, _), mib)| format!("{name} {mib:.1}")).collect();
        one.notes.push(format!("MiB: {}, proxy {:.1}", names.join(", "), rss(&hop.proxy)?));
    }
    Ok(vec![one, all])
}

/// P12.
pub(crate) async fn starts(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let mut one = line(
        "P12 service",
        "cold start of a service on PostgreSQL until it is ready",
        "",
        "ms",
        Good::Low,
        (60.0, 25.0),
    );
    let mut all = line(
        "P12 suite",
        "cold start of the embedded suite to its first answer from a database",
        "",
        "ms",
        Good::Low,
        (300.0, 100.0),
    );
    let postgres = durable().await;
    let suite = Suite::start(&postgres, &[]).await?;
    // The running one would hold nothing that a second process needs, but it would work beside it.
    suite.services.iter().for_each(|(_, service)| service.kill());
    for _ in 0..plan.rounds.max(5) {
        let ((service_ms, suite_ms), foreign) = quietly(plan, || async {
            let service_ms = cold_start(&suite).await?;
            let folder = tempfile::tempdir()?;
            let first = embedded(folder.path(), None).await?;
            let key = first.key.clone().context("no key was printed")?;
            first.service.terminate();
            first.service.wait_exit(Duration::from_secs(30)).await;
            let again = embedded(folder.path(), Some(&key)).await?;
            let answered = again.answered_after.context("it never answered")?;
            eprintln!(
                "    first start {:?}, second {:?}, first answer {answered:?}",
                first.ready_after, again.ready_after
            );
            Ok((service_ms, answered.as_secs_f64() * 1_000.0))
        })
        .await?;
        one.rounds.push((service_ms, 1.0));
        all.rounds.push((suite_ms, 1.0));
        one.foreign.push(foreign);
        all.foreign.push(foreign);
    }
    Ok(vec![one, all])
}
