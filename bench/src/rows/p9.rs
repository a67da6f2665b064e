//! P9: complaints a second on SQLite with synchronous FULL, 64 in flight, against the same rows written by hand: through
//! gRPC into the embedded suite, and the write path alone.

use anyhow::Context;

use super::p1;
use super::p3::{IN_FLIGHT, check, open, opens};
use super::p11::embedded;
use super::{line, quietly};
use crate::Plan;
use crate::result::{Good, Line};
use crate::suite::{connect, make_branch};
use crate::yard::hand;

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let yardstick = "the same rows by hand in SQLite, 64 a commit";
    let mut lines = [
        line("P9", "embedded suite: complaints through gRPC, 64 in flight", yardstick, "/s", Good::High, (0.4, 0.7)),
        line("P9 in process", "write path in process on SQLite, 64 in flight", yardstick, "/s", Good::High, (0.4, 0.7)),
    ];
    let mut spent = commit::Spent::default();
    for _ in 0..plan.rounds {
        let ((yard, ours, inside, phases), foreign) = quietly(plan, || async {
            let folder = tempfile::tempdir()?;
            let yard = hand::write(folder.path(), plan.span()).await?;
            let (db, door) = open(&format!("sqlite:{}", folder.path().join("desk.db").display())).await?;
            let inside = opens(&door, IN_FLIGHT, plan.span()).await?;
            let phases = door.stats().spent();
            check(&db).await?;
            // The committer gives its connection back when nobody can send it anything.
            drop(door);
            db.close().await;
            let karibu = embedded(&folder.path().join("suite"), None).await?;
            let callers = connect(&karibu.address, karibu.key.as_deref().context("no key was printed")?).await?;
            let branch = make_branch(&callers[0]).await?;
            p1::first_complaint(&callers[0], &branch).await?;
            let ours = p1::opens(&callers, &branch, IN_FLIGHT, plan.span()).await?;
            Ok((yard, ours, inside, phases))
        })
        .await?;
        for (line, outcome) in lines.iter_mut().zip([&ours, &inside]) {
            line.rounds.push((outcome.rate, yard));
            line.foreign.push(foreign);
            line.notes.push(format!("p50 {:.2} ms, p99 {:.2} ms", outcome.p50_ms, outcome.p99_ms));
        }
        spent = spent.plus(&phases);
    }
    lines[1].notes.insert(0, spent.to_string());
    Ok(lines.into())
}
