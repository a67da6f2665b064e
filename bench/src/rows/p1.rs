//! P1, P2 and P5: a complaint is opened through the gateway of a distributed suite, durable, its event delivered to the
//! broker and to a subscriber; 64 callers, and one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use client::Karibu;
use futures_util::StreamExt;
use proto::karibu::ticketing::v1::OpenComplaintRequest;
use proto::karibu::types::v1::Channel;
use store::Uuid;

use super::p3::{IN_FLIGHT, durable};
use super::{line, quietly};
use crate::Plan;
use crate::load::{Outcome, drive};
use crate::machine::memory_mib;
use crate::result::{Good, Line};
use crate::suite::{Suite, TICKETING, eventually};
use crate::yard::echo::Hop;
use crate::yard::hand::STORY;
use crate::yard::pgbench::Pgbench;

/// Opens complaints through a gateway.
pub(crate) async fn opens(callers: &[Karibu], branch: &str, in_flight: u64, span: Duration) -> anyhow::Result<Outcome> {
    let clients: Vec<_> = callers.iter().map(Karibu::ticketing).collect();
    let branch = branch.to_owned();
    drive(in_flight, span, move |caller, _| {
        let mut ticketing = clients[caller as usize % clients.len()].clone();
        let request = request(&branch);
        async move {
            ticketing.open_complaint(request).await?;
            Ok(())
        }
    })
    .await
}

fn request(branch: &str) -> OpenComplaintRequest {
    OpenComplaintRequest {
        request_id: client::request_id(),
        branch_id: branch.to_owned(),
        customer_id: Uuid::now_v7().to_string(),
        channel: Channel::InPerson.into(),
        category_code: "late_delivery".to_owned(),
        subject: "Cold soup, and a long wait".to_owned(),
        narrative: STORY.to_owned(),
        desired_outcome: "a quick answer".to_owned(),
        ..OpenComplaintRequest::default()
    }
}

/// Waits until the new branch is known where complaints are opened.
pub(crate) async fn first_complaint(karibu: &Karibu, branch: &str) -> anyhow::Result<()> {
    eventually("a complaint is opened", || async {
        karibu.ticketing().open_complaint(request(branch)).await?;
        Ok(())
    })
    .await
}

/// Counts what a plain NATS subscriber hears of complaints.
async fn subscribe(suite: &Suite) -> anyhow::Result<Arc<AtomicU64>> {
    let nats = async_nats::connect(suite.nats.url()).await?;
    let mut heard = nats.subscribe(events::Names::new(Some(suite.nats.namespace())).subjects("ticketing")).await?;
    nats.flush().await?;
    let count = Arc::new(AtomicU64::new(0));
    let counter = count.clone();
    tokio::spawn(async move {
        let _keep = nats;
        while heard.next().await.is_some() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    Ok(count)
}

/// The subscriber must have heard of everything that was acknowledged, a moment after the load.
async fn all_heard(heard: &AtomicU64, least: u64) -> anyhow::Result<()> {
    eventually("the subscriber heard of every complaint", || async {
        let count = heard.load(Ordering::Relaxed);
        anyhow::ensure!(count >= least, "{count} of {least}");
        Ok(())
    })
    .await
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let postgres = durable().await;
    let pgbench = Pgbench::new(&postgres).await?;
    let suite = Suite::start(&postgres, &[TICKETING]).await?;
    let hop = Hop::start().await?;
    first_complaint(&suite.callers[0], &suite.branch).await?;
    let heard = subscribe(&suite).await?;
    let measure = "complaints opened through gateway and ticketing on PostgreSQL, event delivered, 64 in flight";
    let mut lines = [
        line("P1", measure, "pgbench, one CTE of three rows, 64 clients", "/s", Good::High, (1.0, 1.5)),
        line("P2", "the same", "pgbench, three statements, 64 clients", "/s", Good::High, (2.0, 3.0)),
        line(
            "P5",
            "open complaint through the gateway, one caller, p50",
            "pgbench CTE, 1 client, and one-hop echo: p50 summed",
            "ms",
            Good::Low,
            (2.0, 1.4),
        ),
    ];
    let short = (plan.span() / 2).max(Duration::from_secs(1));
    for _ in 0..plan.rounds {
        let (round, foreign) = quietly(plan, || async {
            let cte = pgbench.cte(64, plan.span()).await?;
            let before = suite.seconds();
            let heard_before = heard.load(Ordering::Relaxed);
            let ours = opens(&suite.callers, &suite.branch, IN_FLIGHT, plan.span()).await?;
            let opened = (ours.rate * plan.span().as_secs_f64()) as u64;
            all_heard(&heard, heard_before + opened * 99 / 100).await?;
            let after = suite.seconds();
            let three = pgbench.three(64, plan.span()).await?;
            let one = pgbench.cte(1, short).await?;
            let alone = opens(&suite.callers, &suite.branch, 1, short).await?;
            let echo = hop.call(1, short).await?;
            let cpu: Vec<String> = before
                .iter()
                .zip(&after)
                .map(|((name, before), (_, after))| {
                    format!("{name} {:.0}", (after - before) * 1e6 / (opened as f64).max(1.0))
                })
                .collect();
            Ok((cte, three, ours, one, alone, echo, cpu.join(", ")))
        })
        .await?;
        let (cte, three, ours, one, alone, echo, cpu) = round;
        lines[0].rounds.push((ours.rate, cte.rate));
        lines[0].notes.push(format!(
            "p50 {:.2} ms, p99 {:.2} ms (pgbench {:.2}, {:.2}); processor us a complaint: {cpu}",
            ours.p50_ms, ours.p99_ms, cte.p50_ms, cte.p99_ms
        ));
        lines[1].rounds.push((ours.rate, three.rate));
        lines[2].rounds.push((alone.p50_ms, one.p50_ms + echo.p50_ms));
        lines[2]
            .notes
            .push(format!("p99 {:.2} ms; pgbench {:.2} ms, echo {:.2} ms", alone.p99_ms, one.p50_ms, echo.p50_ms));
        lines.iter_mut().for_each(|line| line.foreign.push(foreign));
    }
    let rss = memory_mib(suite.service("ticketing")?.id(), "VmRSS:").context("ticketing has ended")?;
    lines[0].notes.push(format!("memory of ticketing after the load (RSS): {rss:.0} MiB"));
    Ok(lines.into())
}
