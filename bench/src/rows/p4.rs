//! P4 and P10: a customer is read through the gateway, with a million customers stored and with a thousand.

use std::time::Duration;

use anyhow::Context;
use proto::karibu::profile::v1::{CreateCustomerRequest, GetCustomerRequest};
use sqlx::{AssertSqlSafe, Connection};
use store::Uuid;

use super::p3::{IN_FLIGHT, durable};
use super::{line, quietly};
use crate::Plan;
use crate::load::{Outcome, drive, scatter};
use crate::result::{Good, Line};
use crate::sql;
use crate::suite::{PROFILE, Suite, eventually};
use crate::yard::echo::Hop;

/// Customers of the large and of the small suite.
const STORED: (u64, u64) = (1_000_000, 1_000);

/// The id of the `number`th customer, as the seeding statement makes it.
fn customer(number: u64) -> String {
    Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | number).to_string()
}

/// Makes one customer through the gateway and copies it until there are `count`.
async fn seed(suite: &Suite, count: u64) -> anyhow::Result<()> {
    let request = CreateCustomerRequest {
        request_id: client::request_id(),
        preferred_name: "Amina".to_owned(),
        locale: "rw-RW".to_owned(),
        home_branch_id: suite.branch.clone(),
        tags: vec!["regular".to_owned(), "lunch".to_owned()],
        ..CreateCustomerRequest::default()
    };
    eventually("a customer is made", || async {
        suite.callers[0].profile().create_customer(request.clone()).await?;
        Ok(())
    })
    .await?;
    let mut connection = sqlx::PgConnection::connect(suite.database("profile")?).await?;
    for statement in sql::seed_customers(count) {
        // The text is made of our own constants and a number.
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

async fn read(suite: &Suite, stored: u64, in_flight: u64, span: Duration) -> anyhow::Result<Outcome> {
    let clients: Vec<_> = suite.callers.iter().map(client::Karibu::profile).collect();
    drive(in_flight, span, move |caller, turn| {
        let mut profile = clients[caller as usize % clients.len()].clone();
        let customer_id = customer(1 + scatter(turn ^ (caller << 32)) % stored);
        async move {
            let answer = profile.get_customer(GetCustomerRequest { customer_id }).await?.into_inner();
            answer.customer.context("no customer")?;
            Ok(())
        }
    })
    .await
}

pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let postgres = durable().await;
    let large = Suite::start(&postgres, &[PROFILE]).await?;
    let small = Suite::start(&postgres, &[PROFILE]).await?;
    seed(&large, STORED.0).await?;
    seed(&small, STORED.1).await?;
    let hop = Hop::start().await?;
    let mut lines = [
        line(
            "P4",
            "customer read through the gateway, 64 in flight, 1 M customers",
            "one-hop tonic echo",
            "/s",
            Good::High,
            (0.85, 1.5),
        ),
        line(
            "P10",
            "customer read, one caller, p50, 1 M stored",
            "the same with 1 000 stored",
            "ms",
            Good::Low,
            (1.2, 1.05),
        ),
    ];
    let short = (plan.span() / 2).max(Duration::from_secs(1));
    for _ in 0..plan.rounds {
        let (round, foreign) = quietly(plan, || async {
            let echo = hop.call(IN_FLIGHT, plan.span()).await?;
            let before = large.seconds();
            let ours = read(&large, STORED.0, IN_FLIGHT, plan.span()).await?;
            let after = large.seconds();
            let many = read(&large, STORED.0, 1, short).await?;
            let few = read(&small, STORED.1, 1, short).await?;
            let reads = ours.rate * plan.span().as_secs_f64();
            let cpu: Vec<String> = before
                .iter()
                .zip(&after)
                .map(|((name, before), (_, after))| format!("{name} {:.0}", (after - before) * 1e6 / reads))
                .collect();
            Ok((echo, ours, many, few, cpu.join(", ")))
        })
        .await?;
        let (echo, ours, many, few, cpu) = round;
        lines[0].rounds.push((ours.rate, echo.rate));
        lines[0].notes.push(format!(
            "p50 {:.2} ms, p99 {:.2} ms (echo {:.2}, {:.2}); processor us a read: {cpu}",
            ours.p50_ms, ours.p99_ms, echo.p50_ms, echo.p99_ms
        ));
        lines[1].rounds.push((many.p50_ms, few.p50_ms));
        lines.iter_mut().for_each(|line| line.foreign.push(foreign));
    }
    Ok(lines.into())
}
