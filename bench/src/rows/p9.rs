//! P9: complaints a second on SQLite with synchronous FULL, 64 in flight, against the same rows written by hand.

use super::p3::{IN_FLIGHT, check, open, opens};
use super::{line, quietly};
use crate::Plan;
use crate::result::{Good, Line};
use crate::yard::hand;

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let yardstick = "the same rows by hand in SQLite, 64 a commit";
    let mut inside =
        line("P9 in process", "write path in process on SQLite, 64 in flight", yardstick, "/s", Good::High, (0.4, 0.7));
    let mut spent = commit::Spent::default();
    for _ in 0..plan.rounds {
        let ((yard, ours, phases), foreign) = quietly(|| async {
            let folder = tempfile::tempdir()?;
            let yard = hand::write(folder.path(), plan.span()).await?;
            let (db, door) = open(&format!("sqlite:{}", folder.path().join("desk.db").display())).await?;
            let outcome = opens(&door, IN_FLIGHT, plan.span()).await?;
            let phases = door.stats().spent();
            check(&db).await?;
            // The committer gives its connection back when nobody can send it anything.
            drop(door);
            db.close().await;
            Ok((yard, outcome, phases))
        })
        .await?;
        inside.rounds.push((ours.rate, yard));
        inside.foreign.push(foreign);
        inside.notes.push(format!("p50 {:.2} ms, p99 {:.2} ms", ours.p50_ms, ours.p99_ms));
        spent = spent.plus(&phases);
    }
    inside.notes.insert(0, spent.to_string());
    Ok(vec![inside])
}
