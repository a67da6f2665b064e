//! What must hold when all is healed: waiting for quiet, then holding log, stream, tally, timers and callers' answers
//! against each other.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use commit::LogEvent;
use store::{Db, Sql, Uuid};
use tokio::time::Instant;

use super::fork;
use super::parts::{CONSUMER, LOG, consume};
use super::plan::{Ask, Plan, Scene};
use super::play::Play;
use super::port::{Port, locked, pass};
use super::shops::{FIRED_KIND, RUNG_KIND, Tally, rung};
use super::stage::write_path;
use crate::envelope::Envelope;
use crate::source::Source;

/// All must be even within this virtual time after healing.
const QUIET_WITHIN: Duration = Duration::from_secs(120);
/// Looked at so often meanwhile.
const LOOK: Duration = Duration::from_millis(400);
/// One seed in so many has a consumer that begins late.
const LATE_EVERY: u64 = 3;
/// Events of the longest log that a plan can make, and more.
const MANY: usize = 1_000;

/// Holds unless the words say what does not.
pub(crate) fn same<T: PartialEq + Debug>(what: &str, is: T, must: T) -> Result<(), String> {
    if is == must { Ok(()) } else { Err(format!("{what}: is {is:?}, must be {must:?}")) }
}

/// All checks, and what the scene adds.
pub(crate) async fn all(play: &mut Play<'_>, plan: &Plan) -> Result<(), String> {
    quiet(play, plan).await?;
    let log = log(play).await?;
    answers(play, plan, &log)?;
    timers(play, plan, &log).await?;
    stream(play, &log)?;
    tally("the tally", &play.stage.tally, &log).await?;
    if plan.seed.is_multiple_of(LATE_EVERY) {
        late(play, &log).await?;
    }
    match plan.scene {
        Scene::Usual => Ok(()),
        Scene::Restored { running: true, .. } => fork::restored_under(play, plan.scene, log.len() as i64).await,
        Scene::Restored { .. } => fork::restored(play, plan.scene, log.len() as i64).await,
        Scene::Foreign { alike } => fork::foreign(play, &log, alike).await,
    }
}

async fn one(db: &Db, sql: Sql) -> i64 {
    db.fetch_one::<(i64,)>(sql, &[]).await.unwrap().0
}

/// Waits until everybody has an answer, every timer has fired, and stream and tally stand where the log stands.
async fn quiet(play: &Play<'_>, plan: &Plan) -> Result<(), String> {
    const HEAD: Sql =
        Sql::same("select last_seq, (select count(*) from reminder where fired = 0) from log_head where id = 1");
    const CURSOR: Sql = Sql::same("select coalesce(max(cursor), 0) from consumer");
    let until = Instant::now() + QUIET_WITHIN;
    loop {
        let answered = play.outcomes.look(<[_]>::len);
        let (head, unfired): (i64, i64) = play.stage.till.fetch_one(HEAD, &[]).await.unwrap();
        let cursor = one(&play.stage.tally, CURSOR).await;
        let streamed = locked(&play.harbours.sea).model.last_seq();
        if answered == plan.commands.len() && unfired == 0 && [streamed, cursor] == [head, head] {
            return Ok(());
        }
        if Instant::now() >= until {
            let relays: Vec<_> = play.till.iter().flatten().map(|process| process.state.borrow().clone()).collect();
            let consumers = play.tally.iter().flat_map(|tally| &tally.consumers);
            let consumers: Vec<_> = consumers.map(|consumer| consumer.progress.borrow().clone()).collect();
            let asked = plan.commands.len();
            return Err(format!(
                "no quiet: {answered} of {asked} answers, {unfired} timers have not fired, the log is at {head}, \
                 the stream at {streamed}, the tally at {cursor}\n  {relays:?}\n  {consumers:?}"
            ));
        }
        pass(LOOK).await;
    }
}

/// The log: from 1 on, without gaps, up to its head; versions of each aggregate rise by one.
async fn log(play: &Play<'_>) -> Result<Vec<Arc<LogEvent>>, String> {
    let process = play.till.iter().flatten().next().ok_or("nobody has the log")?;
    let log = process.door.log();
    let mut events: Vec<Arc<LogEvent>> = Vec::new();
    // Part of it may come from memory and part from the table: both must fit.
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let more = log.read(after, MANY).await.map_err(|error| error.to_string())?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    let last_seq = log.bounds().await.map_err(|error| error.to_string())?.last_seq;
    same("sequences of the log", events.iter().map(|event| event.seq).collect(), (1..=last_seq).collect::<Vec<_>>())?;
    let mut versions: BTreeMap<Uuid, i64> = BTreeMap::new();
    for event in &events {
        let version = versions.entry(event.aggregate_id).or_default();
        *version += 1;
        same(&format!("version in event {}", event.seq), event.aggregate_version, *version)?;
    }
    Ok(events)
}

/// Every command that was answered is in the log once, every refused one is not; repeats got the same answer; amounts
/// are neither made nor lost.
fn answers(play: &Play<'_>, plan: &Plan, log: &[Arc<LogEvent>]) -> Result<(), String> {
    let mut told: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
    for event in log.iter().filter(|event| event.kind == RUNG_KIND) {
        let (amount, command) = rung(event).ok_or("an event does not decode")?;
        told.entry(command).or_default().push(amount);
    }
    let accepted: Result<BTreeMap<u64, i64>, String> = play.outcomes.look(|outcomes| {
        let mut accepted = BTreeMap::new();
        for outcome in outcomes {
            let number = outcome.number;
            let Ok(answer) = outcome.answer else { return Err(format!("command {number}: {:?}", outcome.answer)) };
            if let Some(again) = &outcome.again {
                same(&format!("repeated answer to command {number}"), again, &Ok(answer))?;
            }
            accepted.extend(answer.map(|answer| (number, answer)));
        }
        Ok(accepted)
    });
    let accepted = accepted?;
    let rings = plan.commands.iter().filter_map(|command| match command.ask {
        Ask::Ring { amount, .. } => accepted.contains_key(&command.number).then(|| (command.number, vec![amount])),
        Ask::Remind { .. } => None,
    });
    same("amounts in the log by command", told, rings.collect())
}

/// Each reminder has fired exactly once, and not before its time.
async fn timers(play: &Play<'_>, plan: &Plan, log: &[Arc<LogEvent>]) -> Result<(), String> {
    const FIRED: Sql = Sql::same("select id, fired, due_at_us from reminder order by id");
    let rows: Vec<(Uuid, i64, i64)> = play.stage.till.fetch_all(FIRED, &[]).await.unwrap();
    let set = plan.commands.iter().filter(|command| matches!(command.ask, Ask::Remind { .. })).count();
    same("reminders", rows.len(), set)?;
    for (id, fired, due_at_us) in rows {
        let events: Vec<_> = log.iter().filter(|event| event.kind == FIRED_KIND && event.aggregate_id == id).collect();
        same(&format!("reminder {id}: fired"), (fired, events.len()), (1, 1))?;
        same(&format!("reminder {id}: in time"), events[0].occurred_at_us >= due_at_us, true)?;
    }
    Ok(())
}

/// Whatever the stream holds stands where it stands in the log.
pub(crate) fn stream(play: &Play<'_>, log: &[Arc<LogEvent>]) -> Result<(), String> {
    let sea = locked(&play.harbours.sea);
    let stream = sea.model.stream.as_ref().ok_or("there is no stream")?;
    for (seq, message) in &stream.messages {
        let read = Envelope::from_message(&message.headers, message.payload.clone());
        let is = read.map_err(|error| format!("message {seq}: {error}"))?;
        let event = usize::try_from(seq - 1).ok().and_then(|place| log.get(place)).ok_or("a message beyond the log")?;
        let must = Envelope { log: LOG.to_owned(), epoch: 1, event: (**event).clone() };
        same(&format!("message {seq} of the stream"), is, must)?;
    }
    Ok(())
}

/// Bookings: sequence and amount in the order in which they were made.
const ENTRIES: Sql = Sql::same("select seq, amount from entry order by id");
/// Totals: basket, amount, the version of the last event seen, and how often it was changed.
const TOTALS: Sql = Sql::same("select id, amount, seen, version from total order by id");

/// Every event took effect once and in its order, and nothing was parked.
pub(crate) async fn tally(who: &str, db: &Db, log: &[Arc<LogEvent>]) -> Result<(), String> {
    const PARKED: Sql = Sql::same("select count(*) from dead_letter");
    let rung: Vec<(&Arc<LogEvent>, i64)> =
        log.iter().filter(|event| event.kind == RUNG_KIND).filter_map(|event| Some((event, rung(event)?.0))).collect();
    same(&format!("{who}: dead letters"), one(db, PARKED).await, 0)?;
    let entries: Vec<(i64, i64)> = db.fetch_all(ENTRIES, &[]).await.unwrap();
    same(&format!("{who}: bookings"), entries, rung.iter().map(|(event, amount)| (event.seq, *amount)).collect())?;
    let mut must: BTreeMap<Uuid, (i64, i64, i64)> = BTreeMap::new();
    for (event, amount) in rung {
        let total = must.entry(event.aggregate_id).or_default();
        *total = (total.0 + amount, event.aggregate_version, total.2 + 1);
    }
    let totals: Vec<(Uuid, i64, i64, i64)> = db.fetch_all(TOTALS, &[]).await.unwrap();
    let must = must.into_iter().map(|(basket, (amount, seen, changes))| (basket, amount, seen, changes)).collect();
    same(&format!("{who}: totals"), totals, must)
}

/// A tally that begins now, with the first event, becomes what the live one is. It reads the log itself, as consumers
/// in one process do.
async fn late(play: &mut Play<'_>, log: &[Arc<LogEvent>]) -> Result<(), String> {
    let process = play.till.iter().flatten().next().ok_or("nobody has the log")?;
    let source = Source::of(process.door.log());
    let seed = play.dice.roll();
    let (door, committer) = write_path::<Tally>(&play.stage.late, &play.harbours.clock, seed, MANY).await;
    let committer = super::gate::Gate::spawn(committer, &play.harbours.elsewhere);
    let port = Port::open_on(&play.harbours.sea, "late consumer");
    let (gate, progress) = consume(&door, &play.harbours, source, &port);
    let head = log.len() as i64;
    let until = Instant::now() + QUIET_WITHIN;
    while door.log().cursor(CONSUMER, LOG).await.unwrap().map_or(0, |(_, cursor)| cursor) < head {
        if Instant::now() >= until {
            return Err(format!("a late consumer does not reach {head}: {:?}", *progress.borrow()));
        }
        pass(LOOK).await;
    }
    gate.kill();
    committer.kill();
    drop(door);
    super::play::buried().await;
    play.stage.bury(&play.stage.late).await;
    tally("the late tally", &play.stage.late, log).await
}
