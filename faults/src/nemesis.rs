//! What goes wrong and when: a schedule made from the seed alone, and its execution.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::place::{Place, Process, SERVICES, blocking};
use crate::proxy::{Proxy, Weather};
use crate::streams;

/// First fault, after the callers began.
const FIRST_AT_MS: u64 = 2_000;
/// Between two faults. Their effects overlap.
const GAP_MS: (u64, u64) = (1_200, 4_500);
/// How long a fault lasts.
const LASTING_MS: (u64, u64) = (300, 4_000);
/// How long an order to a stream may take; NATS may be down.
const STREAM_ORDER: Duration = Duration::from_secs(5);

/// Which connection of a process.
#[derive(Clone, Copy, Debug)]
pub enum Edge {
    /// To PostgreSQL.
    Postgres,
    /// To NATS.
    Nats,
}

/// One thing that goes wrong.
#[expect(missing_docs, reason = "the fields say whom, how long and how much; the line of each fault reads them out")]
#[derive(Clone, Debug)]
pub enum Fault {
    /// SIGKILL; started again after a while.
    Kill { process: String, for_ms: u64 },
    /// SIGTERM; started again by the supervisor.
    Terminate { process: String },
    /// SIGSTOP, later SIGCONT.
    Pause { process: String, for_ms: u64 },
    /// SIGKILL of the postmaster.
    KillPostgres { for_ms: u64 },
    /// SIGSTOP of the postmaster: nobody new gets in.
    PausePostgres { for_ms: u64 },
    /// SIGKILL of nats-server.
    KillNats { for_ms: u64 },
    /// SIGSTOP of nats-server.
    PauseNats { for_ms: u64 },
    /// nats-server comes back without anything that it kept.
    EmptyNats,
    /// RST on every connection of an edge.
    Reset { process: String, edge: Edge },
    /// Latency on an edge.
    Slow { process: String, edge: Edge, by_ms: u64, for_ms: u64 },
    /// Nothing comes through, then RST.
    Silence { process: String, edge: Edge, for_ms: u64 },
    /// The stream of a log is deleted.
    DeleteStream { log: String },
    /// All messages of it are purged.
    PurgeStream { log: String },
    /// Its older half is purged.
    PurgeHead { log: String },
    /// Its last messages are lost: it is rolled back.
    RollBack { log: String, by: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill { process, for_ms } => write!(f, "kill -9 {process}, down {for_ms} ms"),
            Self::Terminate { process } => write!(f, "terminate {process}"),
            Self::Pause { process, for_ms } => write!(f, "stop {process}, continue after {for_ms} ms"),
            Self::KillPostgres { for_ms } => write!(f, "kill -9 PostgreSQL, down {for_ms} ms"),
            Self::PausePostgres { for_ms } => write!(f, "stop the postmaster, continue after {for_ms} ms"),
            Self::KillNats { for_ms } => write!(f, "kill -9 nats-server, down {for_ms} ms"),
            Self::PauseNats { for_ms } => write!(f, "stop nats-server, continue after {for_ms} ms"),
            Self::EmptyNats => write!(f, "empty the store of nats-server"),
            Self::Reset { process, edge } => write!(f, "reset {process} -> {edge:?}"),
            Self::Slow { process, edge, by_ms, for_ms } => {
                write!(f, "slow {process} -> {edge:?} by {by_ms} ms for {for_ms} ms")
            }
            Self::Silence { process, edge, for_ms } => write!(f, "silence {process} -> {edge:?} for {for_ms} ms"),
            Self::DeleteStream { log } => write!(f, "delete the stream of {log}"),
            Self::PurgeStream { log } => write!(f, "purge the stream of {log}"),
            Self::PurgeHead { log } => write!(f, "purge the older half of the stream of {log}"),
            Self::RollBack { log, by } => write!(f, "roll the stream of {log} back by {by} messages"),
        }
    }
}

impl Fault {
    /// What it is without whom it befalls, to count by.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::Kill { .. } => "kill -9 a replica",
            Self::Terminate { .. } => "terminate a replica",
            Self::Pause { .. } => "stop and continue a replica",
            Self::KillPostgres { .. } => "kill -9 PostgreSQL",
            Self::PausePostgres { .. } => "stop and continue the postmaster",
            Self::KillNats { .. } => "kill -9 nats-server",
            Self::PauseNats { .. } => "stop and continue nats-server",
            Self::EmptyNats => "empty the store of nats-server",
            Self::Reset { .. } => "reset connections",
            Self::Slow { .. } => "slow connections",
            Self::Silence { .. } => "silence connections",
            Self::DeleteStream { .. } => "delete a stream",
            Self::PurgeStream { .. } => "purge a stream",
            Self::PurgeHead { .. } => "purge the head of a stream",
            Self::RollBack { .. } => "roll a stream back",
        }
    }
}

/// When each fault happens, milliseconds after the callers began. Every kind comes up before one comes up again.
pub fn schedule(seed: u64, span: Duration, replicas: usize, without: &[String]) -> Vec<(u64, Fault)> {
    let mut dice = Dice::fork(seed, 0);
    let end_ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let (mut at_ms, mut bag, mut found) = (FIRST_AT_MS, Vec::new(), Vec::new());
    while at_ms < end_ms {
        if bag.is_empty() {
            // What is likeliest in life comes up more often.
            bag = vec![0, 0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 10, 11, 12, 13, 14, 14];
            dice.shuffle(&mut bag);
        }
        let fault = draw(bag.pop().unwrap_or(0), &mut dice, replicas);
        if !without.iter().any(|word| fault.to_string().starts_with(word.as_str())) {
            found.push((at_ms, fault));
        }
        at_ms += dice.range(GAP_MS.0, GAP_MS.1);
    }
    found
}

fn draw(kind: u8, dice: &mut Dice, replicas: usize) -> Fault {
    let replica = dice.range(0, replicas as u64);
    let with_database = dice.range(0, SERVICES.len() as u64 * 8) as usize;
    let service = SERVICES[with_database % SERVICES.len()].0;
    let any = if dice.chance(15) { "gateway" } else { service };
    let (process, anyone) = (format!("{service}-{replica}"), format!("{any}-{replica}"));
    let edge = if dice.chance(50) { Edge::Postgres } else { Edge::Nats };
    let for_ms = dice.range(LASTING_MS.0, LASTING_MS.1);
    let log = (*dice.pick(&["profile", "ticketing", "loyalty"])).to_owned();
    match kind {
        0 => Fault::Kill { process: anyone, for_ms },
        1 => Fault::Terminate { process: anyone },
        2 => Fault::Pause { process: anyone, for_ms },
        3 => Fault::KillPostgres { for_ms: for_ms / 2 },
        4 => Fault::PausePostgres { for_ms },
        5 => Fault::KillNats { for_ms },
        6 => Fault::PauseNats { for_ms },
        7 => Fault::EmptyNats,
        8 => Fault::Reset { process, edge },
        9 => Fault::Slow { process, edge, by_ms: dice.range(5, 200), for_ms },
        10 => Fault::Silence { process, edge, for_ms },
        11 => Fault::DeleteStream { log },
        12 => Fault::PurgeStream { log },
        13 => Fault::PurgeHead { log },
        _ => Fault::RollBack { log, by: dice.range(1, 60) },
    }
}

/// Carries the schedule out and then heals everything. Returns what could not be done, such as an order to a stream while
/// NATS was down.
pub async fn rage(place: &Arc<Place>, schedule: &[(u64, Fault)]) -> Vec<String> {
    let began = Instant::now();
    let mut running = JoinSet::new();
    for (at_ms, fault) in schedule {
        tokio::time::sleep_until(began + Duration::from_millis(*at_ms)).await;
        let (place, fault) = (place.clone(), fault.clone());
        running.spawn(async move {
            let outcome = strike(&place, &fault).await;
            outcome.err().map(|error| format!("{fault}: {error:#}"))
        });
    }
    let undone = running.join_all().await.into_iter().flatten().collect();
    heal(place).await;
    undone
}

async fn strike(place: &Arc<Place>, fault: &Fault) -> anyhow::Result<()> {
    let wait = |ms: &u64| tokio::time::sleep(Duration::from_millis(*ms));
    match fault {
        Fault::Kill { process, for_ms } => {
            on(place, process, Process::kill).await;
            wait(for_ms).await;
            on(place, process, Process::start).await;
        }
        Fault::Terminate { process } => on(place, process, Process::terminate).await,
        Fault::Pause { process, for_ms } => {
            on(place, process, Process::pause).await;
            wait(for_ms).await;
            on(place, process, Process::resume).await;
        }
        Fault::KillPostgres { for_ms } => {
            let place = place.clone();
            let server = place.postgres.clone();
            blocking(move || server.kill()).await;
            wait(for_ms).await;
            place.postgres.restart().await;
        }
        Fault::PausePostgres { for_ms } => {
            place.postgres.pause();
            wait(for_ms).await;
            place.postgres.resume();
        }
        Fault::KillNats { for_ms } => {
            place.nats.kill();
            wait(for_ms).await;
            place.nats.restart_same_store().await;
        }
        Fault::PauseNats { for_ms } => {
            place.nats.pause();
            wait(for_ms).await;
            place.nats.resume();
        }
        Fault::EmptyNats => place.nats.restart_empty_store().await,
        Fault::Reset { process, edge } => at_edge(place, process, *edge, Proxy::reset),
        Fault::Slow { process, edge, by_ms, for_ms } => {
            let by = Duration::from_millis(*by_ms);
            at_edge(place, process, *edge, |proxy| proxy.set(Weather::Slow(by)));
            wait(for_ms).await;
            at_edge(place, process, *edge, |proxy| proxy.set(Weather::Clear));
        }
        Fault::Silence { process, edge, for_ms } => {
            at_edge(place, process, *edge, |proxy| proxy.set(Weather::Silent));
            wait(for_ms).await;
            at_edge(place, process, *edge, Proxy::reset);
            at_edge(place, process, *edge, |proxy| proxy.set(Weather::Clear));
        }
        Fault::DeleteStream { log } => order(streams::delete(&place.nats, log)).await?,
        Fault::PurgeStream { log } => order(streams::purge(&place.nats, log)).await?,
        Fault::PurgeHead { log } => order(streams::purge_head(&place.nats, log)).await?,
        Fault::RollBack { log, by } => order(streams::roll_back(&place.nats, log, *by)).await?,
    }
    Ok(())
}

async fn order(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::time::timeout(STREAM_ORDER, work).await?
}

async fn on(place: &Place, label: &str, work: fn(&Process)) {
    if let Some(process) = place.process(label).cloned() {
        blocking(move || work(&process)).await;
    }
}

fn at_edge(place: &Place, label: &str, edge: Edge, work: impl FnOnce(&Proxy)) {
    let Some(process) = place.process(label) else { return };
    match edge {
        Edge::Postgres => process.postgres.as_ref().map(work).unwrap_or_default(),
        Edge::Nats => work(&process.nats),
    }
}

/// All is well again, whatever the schedule left behind.
async fn heal(place: &Arc<Place>) {
    place.nats.resume();
    place.postgres.resume();
    let processes = place.processes.clone();
    blocking(move || {
        for process in &processes {
            process.nats.set(Weather::Clear);
            if let Some(proxy) = &process.postgres {
                proxy.set(Weather::Clear);
            }
            process.resume();
            process.start();
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_is_that_of_its_seed() {
        let texts = |seed| {
            let schedule = schedule(seed, Duration::from_secs(600), 2, &[]);
            schedule.iter().map(|(at_ms, fault)| format!("{at_ms} {fault}")).collect::<Vec<_>>()
        };
        assert_eq!(texts(7), texts(7));
        assert_ne!(texts(7), texts(8));
    }

    #[test]
    fn a_minute_knows_every_kind_of_fault_soon() {
        let schedule = schedule(3, Duration::from_secs(120), 2, &[]);
        let classes: std::collections::BTreeSet<_> = schedule.iter().map(|(_, fault)| fault.class()).collect();
        assert_eq!(classes.len(), 15);
    }
}
