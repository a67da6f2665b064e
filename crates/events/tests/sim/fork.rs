//! When the stream and the log tell different histories. A database that is older than its stream: both relays must halt
//! and nothing may be published. A message of somebody else: who meets it must halt, and nobody may book it.

use std::sync::Arc;
use std::time::Duration;

use commit::LogEvent;
use tokio::time::Instant;

use super::callers::ask;
use super::check::same;
use super::parts::TillProcess;
use super::plan::{Ask, Command, Scene};
use super::play::{Play, buried};
use super::port::{locked, pass};
use crate::envelope::{self, Envelope};
use crate::relay::RelayPhase;

/// A relay must have noticed within this virtual time …
const NOTICED_WITHIN: Duration = Duration::from_secs(30);
/// … and stays halted for at least this one.
const HALTED: Duration = Duration::from_secs(15);
/// Numbers of commands that no plan has.
const FIRST_NUMBER: u64 = 10_000;

/// The database of the till is restored to an older state than `head`; both replicas start on it.
pub(crate) async fn restored(play: &mut Play<'_>, scene: Scene, head: i64) -> Result<(), String> {
    let Some((to, wrote)) = older(scene, head) else { return Ok(()) };
    play.kill_till(0).await;
    play.kill_till(1).await;
    restore(play, to);
    let before = locked(&play.harbours.sea).model.taken;
    if let Some(wrote) = wrote {
        let process = TillProcess::start(play.stage, &play.harbours, &mut play.dice).await;
        play.harbours.writer.send_replace(Some(process.door.clone()));
        write(play, wrote).await?;
        process.kill();
        drop(process);
        play.harbours.writer.send_replace(None);
        buried().await;
        play.stage.bury(&play.stage.till).await;
    }
    play.start_till(0).await;
    play.start_till(1).await;
    halted(play, 2, Some(before)).await?;
    write(play, 3).await?;
    pass(HALTED).await;
    halted(play, 2, Some(before)).await
}

/// The same under processes that run on: they remember what the database has lost.
pub(crate) async fn restored_under(play: &mut Play<'_>, scene: Scene, head: i64) -> Result<(), String> {
    let Some((to, wrote)) = older(scene, head) else { return Ok(()) };
    let before = locked(&play.harbours.sea).model.taken;
    restore(play, to);
    write(play, wrote.unwrap_or_default()).await?;
    halted(play, 2, Some(before)).await?;
    write(play, 3).await?;
    pass(HALTED).await;
    halted(play, 2, Some(before)).await
}

/// The last event that is left, and how many new ones come; `None` when there is nothing to lose.
fn older(scene: Scene, head: i64) -> Option<(i64, Option<u64>)> {
    let Scene::Restored { lost, wrote, .. } = scene else { return None };
    let to = (head - lost).max(0);
    // More than was lost: the sequences alone do not show it.
    (to < head).then_some((to, wrote.then_some(lost.unsigned_abs() + 2)))
}

/// A message of somebody else stands in the stream where the next event belongs.
pub(crate) async fn foreign(play: &mut Play<'_>, log: &[Arc<LogEvent>], alike: bool) -> Result<(), String> {
    let (headers, payload) = if alike {
        // An older event again, at a place that is not its own.
        let Some(event) = log.first() else { return Ok(()) };
        (envelope::headers(super::parts::LOG, 1, event), event.payload.clone())
    } else {
        (async_nats::HeaderMap::new(), bytes::Bytes::from_static(b"hello"))
    };
    // Were the very refusal lost, or many acks before it, chance might compare all but this place: then it stays unseen.
    {
        let mut sea = locked(&play.harbours.sea);
        (sea.weather.lost_acks, sea.weather.false_acks) = (0, 0);
    }
    pass(HALTED).await;
    let place = {
        let mut sea = locked(&play.harbours.sea);
        let place = sea.model.publish(None, super::model::Stored { headers, payload })?;
        sea.deliver();
        place
    };
    write(play, 4).await?;
    // The relay that meets it halts. What was on its way behind the refused event still lands, each event at its own
    // place; and the relay of the other replica may go on there, unless one of its spot checks meets it too.
    halted(play, 1, None).await?;
    write(play, 4).await?;
    pass(HALTED).await;
    halted(play, 1, None).await?;
    // What the stream took from somebody else was never booked.
    let process = play.till.iter().flatten().next().ok_or("nobody has the log")?;
    let log = process.door.log().read(0, 1_000).await.map_err(|error| error.to_string())?;
    locked(&play.harbours.sea).model.lose_inside(std::iter::once(place));
    super::check::stream(play, &log)?;
    let booked = play.tally.as_ref().ok_or("no tally")?.door.log();
    let cursor = booked
        .cursor(super::parts::CONSUMER, super::parts::LOG)
        .await
        .map_err(|error| error.to_string())?
        .map_or(0, |(_, cursor)| cursor);
    let read: Vec<_> = log.into_iter().filter(|event| event.seq <= cursor).collect();
    super::check::tally("the tally beside a foreign message", &play.stage.tally, &read).await
}

/// Rings a few amounts up.
async fn write(play: &mut Play<'_>, count: u64) -> Result<(), String> {
    for _ in 0..count {
        let number = FIRST_NUMBER + play.dice.below(1 << 40);
        let ask_for = Ask::Ring { basket: number % 3, amount: 1, takes_ms: 0 };
        let command = Command { number, caller: 0, at_ms: 0, ask: ask_for, again_ms: None };
        let answer = ask(&play.harbours, &command, 0).await;
        same("a write beside a fork is accepted", matches!(answer, Ok(Some(_))), true)?;
    }
    Ok(())
}

/// Events behind `to` were never there.
fn restore(play: &Play<'_>, to: i64) {
    play.trace.step(|| format!("* the database is restored to {to}"));
    play.stage.restore_till(to);
    locked(&play.harbours.sea).log_ends = to;
}

/// So many relays say that there is a fork, and the stream has taken nothing but this.
async fn halted(play: &Play<'_>, relays: usize, taken: Option<u64>) -> Result<(), String> {
    let until = Instant::now() + NOTICED_WITHIN;
    loop {
        let phases: Vec<RelayPhase> =
            play.till.iter().flatten().map(|process| process.state.borrow().phase.clone()).collect();
        let now = locked(&play.harbours.sea).model.taken;
        same("messages taken beside a fork", now, taken.unwrap_or(now))?;
        if phases.iter().filter(|phase| matches!(phase, RelayPhase::Forked { .. })).count() >= relays {
            return Ok(());
        }
        if Instant::now() >= until {
            let last = last_of(play);
            return Err(format!("a fork was not noticed: {phases:?}, the last message is {last:?}"));
        }
        pass(Duration::from_millis(250)).await;
    }
}

fn last_of(play: &Play<'_>) -> Option<Envelope> {
    let sea = locked(&play.harbours.sea);
    let (_, message) = sea.model.stream.as_ref()?.messages.last_key_value()?;
    Envelope::from_message(&message.headers, message.payload.clone()).ok()
}
