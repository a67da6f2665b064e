//! P3: the write path in process on a durable PostgreSQL, 64 in flight: opens, and mixed transitions on one hot budget.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commit::{Door, Options, Refused, Submission};
use kernel::Clock;
use store::{Db, Uuid};
use testkit::{Postgres, PostgresOptions};

use super::{line, quietly};
use crate::Plan;
use crate::desk::{self, Close, Desk, Open, Propose, Refusal};
use crate::load::{Outcome, drive, scatter};
use crate::result::{Good, Line};
use crate::sql;
use crate::yard::hand::STORY;
use crate::yard::pgbench::Pgbench;

/// Callers that wait for a reply at any moment.
pub(crate) const IN_FLIGHT: u64 = 64;
/// Complaints that stand before transitions begin.
const PRELOADED: u64 = 20_000;
/// The branch whose budget all transitions share.
const BRANCH: Uuid = Uuid::from_u128(1);

/// A durable server sized like a small production one.
pub(crate) async fn durable() -> Postgres {
    let settings = ["shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=30min"];
    Postgres::start_own(PostgresOptions {
        durable: true,
        settings: settings.map(str::to_owned).into(),
        certificate: None,
    })
    .await
}

/// Opens the desk on `url`.
pub(crate) async fn open(url: &str) -> anyhow::Result<(Db, Door<Desk>)> {
    let db = Db::open(&store::Options::new(url, "karibu-bench")).await?;
    db.migrate(&[commit::MIGRATIONS, desk::MIGRATIONS]).await?;
    let door = commit::start::<Desk>(db.clone(), Clock::system(), Options::default()).await?;
    Ok((db, door))
}

/// A submission with the key of its place in the load.
pub(crate) fn submission(salt: u64, caller: u64, turn: u64) -> Submission {
    Submission {
        key: Uuid::from_u64_pair(scatter(salt ^ (caller << 40) ^ turn), scatter(turn ^ (caller << 40))),
        fingerprint: turn as i64,
        until: Instant::now() + Duration::from_secs(30),
        by: Arc::from("tester"),
        trace: None,
        cause: None,
    }
}

fn complaint(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0190_0000_0000_7000 | (number << 16), 0x8000_0000_0000_0000 | number)
}

/// Opens complaints for `span`.
pub(crate) async fn opens(door: &Door<Desk>, in_flight: u64, span: Duration) -> anyhow::Result<Outcome> {
    let (door, salt) = (door.clone(), Uuid::now_v7().as_u64_pair().0);
    drive(in_flight, span, move |caller, turn| {
        let door = door.clone();
        async move {
            let customer_id = Uuid::from_u128(u128::from(scatter(turn ^ caller) % 100_000));
            let open = Open { id: None, branch_id: BRANCH, customer_id, story: STORY.to_owned() };
            door.submit(submission(salt, caller, turn), open).await?;
            Ok(())
        }
    })
    .await
}

/// 40 % opens, 51 % proposals on one budget, 3 % repeats of an earlier command, 6 % that must be refused.
async fn mixed(door: &Door<Desk>, span: Duration) -> anyhow::Result<Outcome> {
    let (door, salt) = (door.clone(), Uuid::now_v7().as_u64_pair().0);
    drive(IN_FLIGHT, span, move |caller, turn| {
        let door = door.clone();
        async move {
            let dice = scatter(salt ^ (caller << 32) ^ turn);
            // Only the last of each hundred turns is repeated, so that a repeat has the body of its first.
            let (kind, turn) =
                if dice % 100 < 3 && turn % 100 > 0 { (0, turn - turn % 100) } else { (dice % 100, turn) };
            let kind = if turn % 100 == 0 { 0 } else { kind };
            let submission = submission(salt, caller, turn);
            let outcome = if kind < 43 {
                let customer_id = Uuid::from_u128(u128::from(dice % 100_000));
                door.submit(submission, Open { id: None, branch_id: BRANCH, customer_id, story: STORY.to_owned() })
                    .await
            } else if kind < 94 {
                // The first thousand are closed.
                let complaint = complaint(1_000 + (dice >> 8) % (PRELOADED - 1_000));
                door.submit(submission, Propose { complaint, amount: (dice >> 40) as i64 % 10_000 }).await
            } else {
                door.submit(submission, Propose { complaint: complaint((dice >> 8) % 1_000), amount: 1 }).await
            };
            match outcome {
                Ok(_) | Err(Refused::Refusal(Refusal::Closed)) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
    })
    .await
}

async fn preload(door: &Door<Desk>) -> anyhow::Result<()> {
    let work = (0..IN_FLIGHT).map(|caller| {
        let door = door.clone();
        async move {
            for number in (0..PRELOADED).filter(|number| number % IN_FLIGHT == caller) {
                let open = Open {
                    id: Some(complaint(number)),
                    branch_id: BRANCH,
                    customer_id: Uuid::from_u128(number.into()),
                    story: STORY.to_owned(),
                };
                door.submit(submission(1, 0, number), open).await?;
                if number < 1_000 {
                    door.submit(submission(2, 0, number), Close { complaint: complaint(number) }).await?;
                }
            }
            anyhow::Ok(())
        }
    });
    futures_util::future::try_join_all(work).await?;
    Ok(())
}

/// The log must be whole after a load: every event has its place, every key its row.
pub(crate) async fn check(db: &Db) -> anyhow::Result<()> {
    let (events, last_seq, requests): (i64, i64, i64) = db.fetch_one(sql::CHECK, &[]).await?;
    anyhow::ensure!(events == last_seq && requests == events, "{events} events, head {last_seq}, {requests} requests");
    Ok(())
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let postgres = durable().await;
    let pgbench = Pgbench::new(&postgres).await?;
    let (db, door) = open(&postgres.database("desk").await).await?;
    preload(&door).await?;
    let yardstick = "pgbench, one CTE of three rows, 64 clients";
    let mut lines = [
        line("P3 opens", "write path in process, opens, 64 in flight", yardstick, "/s", Good::High, (1.4, 1.7)),
        line("P3 mixed", "the same, transitions on one hot budget", yardstick, "/s", Good::High, (1.2, 1.5)),
    ];
    let mut spent = [commit::Spent::default(), commit::Spent::default()];
    let mut shown = [Vec::new(), Vec::new()];
    for _ in 0..plan.rounds {
        let (round, foreign) = quietly(plan, || async {
            let yard = pgbench.cte(64, plan.span()).await?;
            let before = door.stats().spent();
            let opens = opens(&door, IN_FLIGHT, plan.span()).await?;
            let between = door.stats().spent();
            let mixed = mixed(&door, plan.span()).await?;
            let after = door.stats().spent();
            Ok((yard, [(opens, between.since(&before)), (mixed, after.since(&between))]))
        })
        .await?;
        let (yard, measured) = round;
        for (place, (outcome, phases)) in measured.into_iter().enumerate() {
            lines[place].rounds.push((outcome.rate, yard.rate));
            lines[place].foreign.push(foreign);
            spent[place] = spent[place].plus(&phases);
            shown[place].push(format!(
                "p50 {:.2} ms, p99 {:.2} ms (pgbench {:.2}, {:.2})",
                outcome.p50_ms, outcome.p99_ms, yard.p50_ms, yard.p99_ms
            ));
        }
    }
    check(&db).await?;
    for (place, line) in lines.iter_mut().enumerate() {
        line.notes.push(spent[place].to_string());
        line.notes.append(&mut shown[place]);
    }
    Ok(lines.into())
}
