//! The ledger harness: several callers write through the gateways of a distributed suite and keep a ledger of what was
//! acknowledged, while a seeded nemesis kills, stops, cuts and empties what it stands on. Then everything is healed, and the
//! ledger is held against the databases, the streams and what the gateways answer.
#![allow(clippy::missing_errors_doc)]

pub mod asks;
pub mod callers;
mod checks;
pub mod dice;
pub mod facts;
pub mod ledger;
pub mod nemesis;
pub mod place;
pub mod proxy;
pub mod report;
mod sql;
pub mod streams;
pub mod world;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use callers::{Caller, Seen, locked};
use checks::Evidence;
use dice::Dice;
use facts::{Facts, READERS, progress};
use ledger::{Ledger, Outcome};
use place::{Place, SERVICES};
use report::{Check, Report};
use world::World;

/// Within this, all events must have gone everywhere once everything is healed.
const QUIET_WITHIN: Duration = Duration::from_secs(180);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(500);

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of the schedule and of the callers.
    pub seed: u64,
    /// How long faults happen.
    pub span: Duration,
    /// Replicas of every service.
    pub replicas: usize,
    /// Callers.
    pub callers: usize,
    /// Faults to leave out, by how their line in the schedule begins.
    pub without: Vec<String>,
    /// The callers go on after the last fault until so many commands were acknowledged.
    pub at_least: u64,
    /// Further settings of PostgreSQL, `name=value`.
    pub postgres: Vec<String>,
}

/// One whole run. An error is a run that could not be done; a broken promise is in the report.
pub async fn run(plan: &Plan) -> anyhow::Result<Report> {
    let schedule = nemesis::schedule(plan.seed, plan.span, plan.replicas, &plan.without);
    for (at_ms, fault) in &schedule {
        tell(&format!("{:>8.1} s  {fault}", *at_ms as f64 / 1_000.0));
    }
    let mut report = Report {
        heading: format!(
            "cargo xtask faults --seed {} --minutes {:.2} --replicas {} --callers {}",
            plan.seed,
            plan.span.as_secs_f64() / 60.0,
            plan.replicas,
            plan.callers
        ),
        ..Report::default()
    };
    for (_, fault) in &schedule {
        *report.faults.entry(fault.class()).or_default() += 1;
    }
    let started = Instant::now();
    let place = Arc::new(Place::start(plan.replicas, &plan.postgres).await?);
    let world = Arc::new(World::make(&place.client(0).await?).await?);
    tell(&format!("{:>8.1} s  the suite stands; callers and nemesis begin", started.elapsed().as_secs_f64()));

    let ledger = Ledger::create(&place.folder.path().join("ledger.jsonl"))?;
    let (seen, stop) = (Arc::new(Seen::default()), CancellationToken::new());
    let mut callers = JoinSet::new();
    for number in 0..plan.callers as u64 {
        let (place, world) = (place.clone(), world.clone());
        let (ledger, seen, stop) = (ledger.clone(), seen.clone(), stop.clone());
        let dice = Dice::fork(plan.seed, number + 1);
        callers.spawn(Caller { number, place, world, ledger, seen, stop, dice }.work());
    }
    let nemesis = {
        let (place, schedule) = (place.clone(), schedule.clone());
        tokio::spawn(async move { nemesis::rage(&place, &schedule).await })
    };
    let (undone, ()) = tokio::join!(nemesis, tokio::time::sleep(plan.span));
    report.undone = undone?;
    // On a machine that is busy otherwise the callers may have come to little so far.
    let late = Instant::now() + callers::ANSWER_AFTER_HEALING;
    while seen.acknowledged.load(Ordering::Relaxed) < plan.at_least && Instant::now() < late {
        tokio::time::sleep(LOOK).await;
    }
    let healed = Instant::now();
    stop.cancel();
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    tell(&format!("{:>8.1} s  healed, every caller has its answers", started.elapsed().as_secs_f64()));
    let quiet = quiet(&place).await;
    report.notes.push(format!("quiet after     {:.1} s from the end of the faults", healed.elapsed().as_secs_f64()));
    report.checks.push(quiet);

    let written = ledger.read()?;
    for (asked, outcome) in &written {
        let counts = report.commands.entry(format!("{:?}", asked.kind)).or_default();
        counts[0] += 1;
        match outcome {
            Outcome::Acknowledged { .. } => counts[1] += 1,
            Outcome::Refused(_) => counts[2] += 1,
            Outcome::GivenUp => counts[3] += 1,
        }
    }
    report.retried.clone_from(&locked(&seen.retried));
    let facts = Facts::read(&place).await?;
    let events: usize = facts.logs.values().map(Vec::len).sum();
    report.notes.push(format!("events          {events} in {} logs", facts.logs.len()));
    report.checks.push(processes(&place, &mut report.notes));
    report.checks.extend(checks::run(&Evidence::new(&place, &world, &seen, &written, &facts)).await?);
    Ok(report)
}

/// Waits until every stream is at the head of its log and every consumer has read it.
async fn quiet(place: &Place) -> Check {
    let mut check = Check::of("every consumer reads every log to its end, and every stream holds it (R6, R7)");
    let started = Instant::now();
    loop {
        let behind = match behind(place).await {
            Ok(behind) => behind,
            Err(error) => vec![format!("{error:#}")],
        };
        if behind.is_empty() {
            check.looked_at = READERS.iter().map(|(_, sources)| sources.len() as u64).sum();
            return check;
        }
        if started.elapsed() > QUIET_WITHIN {
            check.findings = behind;
            return check;
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn behind(place: &Place) -> anyhow::Result<Vec<String>> {
    let mut behind = Vec::new();
    let mut found = std::collections::BTreeMap::new();
    for (service, _) in SERVICES {
        found.insert(service, progress(place, service).await?);
    }
    for (reader, sources) in READERS {
        for source in sources {
            let head = found[source].0;
            let cursor = found[reader].1.iter().find(|cursor| cursor.source_log == *source);
            let cursor = cursor.map_or(0, |cursor| cursor.cursor);
            if cursor != head {
                behind.push(format!("{reader} has read {source} to {cursor} of {head}"));
            }
        }
    }
    let jetstream = streams::connect(&place.nats).await?;
    for (service, _) in SERVICES {
        let head = found[service].0;
        let last = match streams::find(&jetstream, &place.nats, service).await {
            Ok(stream) => stream.cached_info().state.last_sequence,
            Err(_) if head == 0 => 0,
            Err(error) => anyhow::bail!("the stream of {service}: {error:#}"),
        };
        if last != u64::try_from(head)? {
            behind.push(format!("the stream of {service} is at {last} of {head}"));
        }
    }
    Ok(behind)
}

/// No process may have panicked. One that ended by itself was started again; that is told.
fn processes(place: &Place, notes: &mut Vec<String>) -> Check {
    let mut check = Check::of("no process panicked");
    for process in &place.processes {
        let log = process.log();
        let panic = log.lines().find(|line| line.contains("panicked at"));
        check.that(panic.is_none(), || format!("{}: {}", process.name, panic.unwrap_or_default()));
        let ended = process.ended.load(Ordering::Relaxed);
        if ended > 0 {
            notes.push(format!("started again   {} {ended} x by the supervisor", process.name));
        }
    }
    check
}

/// Tells the operator what goes on.
fn tell(line: &str) {
    writeln!(std::io::stderr().lock(), "{line}").ok();
}
