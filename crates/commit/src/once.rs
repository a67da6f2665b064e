//! Deciding one command, with what keeps it from taking effect twice: the cursor of a consumer, parked events, dead
//! letters, chores. The batch around it, with loading and saving, stands in `batch.rs`.

use uuid::Uuid;

use crate::audit::{AuditNote, Noted};
use crate::base::{Advance, Base, Cursor, DeadLetter, ParkedKey};
use crate::dead;
use crate::door::{Applied, Job, Once, Refused};
use crate::log::LogEvent;
use crate::slot::Missing;
use crate::verb::{Cx, Service, Stop};

/// Why one command did not come to an end.
pub(crate) enum Halt<R> {
    Refused(Refused<R>),
    Missing,
}

impl<R> From<Missing> for Halt<R> {
    fn from(_: Missing) -> Self {
        Self::Missing
    }
}

impl<R> From<Refused<R>> for Halt<R> {
    fn from(refused: Refused<R>) -> Self {
        Self::Refused(refused)
    }
}

/// Decides one command in a dry pass. The cursor of a consumer stands where the batch found it then, so every
/// advance but the first would be out of order and ask for nothing: what its event needs is asked for all the
/// same, or each event would be loaded for alone.
pub(crate) fn look_ahead<S: Service>(
    job: &Job<S>,
    world: &mut S::World,
    base: &mut Base,
    cx: &mut Cx<'_, S>,
) -> Result<Vec<u8>, Halt<S::Refusal>> {
    let Once::Advance { advance, event } = &job.once else { return decide(job, world, base, cx) };
    let stands = base.cursors.get(advance.cursor_id()).map(drop);
    if let Some(event) = event {
        let waits = is_parked(base, advance, event);
        if let Err(Halt::Missing) = decide_verb(job, world, cx) {
            return Err(Halt::Missing);
        }
        waits?;
    }
    stands?;
    Ok(Vec::new())
}

/// Decides one command, with what the write path itself adds to it.
pub(crate) fn decide<S: Service>(
    job: &Job<S>,
    world: &mut S::World,
    base: &mut Base,
    cx: &mut Cx<'_, S>,
) -> Result<Vec<u8>, Halt<S::Refusal>> {
    match &job.once {
        Once::Key { .. } | Once::Verb => decide_verb(job, world, cx),
        Once::Advance { advance, event } => {
            if is_applied(base, advance)? {
                return Ok(Applied::BEFORE.to_vec());
            }
            match event {
                Some(event) if is_parked(base, advance, event)? => {
                    let reason = "waits behind an earlier event of its aggregate".to_owned();
                    park(base, cx, advance, event, reason)?;
                }
                Some(_) => drop(decide_verb(job, world, cx)?),
                None => {}
            }
            move_cursor(base, advance, cx.now_us)?;
            Ok(Vec::new())
        }
        Once::Park { advance, event, reason } => {
            if !is_applied(base, advance)? {
                park(base, cx, advance, event, reason.clone())?;
                move_cursor(base, advance, cx.now_us)?;
            }
            Ok(Vec::new())
        }
        Once::Dead { id, verdict, note } => {
            let letter = take_up(base, *id, verdict)?;
            if let Some(note) = note {
                base.notes.push(Noted { id: cx.new_id(), recorded_at_us: cx.now_us, note: AuditNote::clone(note) });
            }
            if job.command.is_some() {
                decide_verb(job, world, cx)?;
            }
            unpark(base, &letter)?;
            Ok(Vec::new())
        }
        Once::Chore(chore) => Ok(chore.decide(base, cx)?.to_be_bytes().to_vec()),
    }
}

fn decide_verb<S: Service>(
    job: &Job<S>,
    world: &mut S::World,
    cx: &mut Cx<'_, S>,
) -> Result<Vec<u8>, Halt<S::Refusal>> {
    let Some(command) = &job.command else { return Ok(Vec::new()) };
    command.decide(world, cx).map_err(|stop| match stop {
        Stop::Refused(refusal) => Halt::Refused(Refused::Refusal(refusal)),
        Stop::Missing => Halt::Missing,
    })
}

/// Whether the cursor is already past this advance; refuses when it stands anywhere but right before it.
fn is_applied<R>(base: &mut Base, advance: &Advance) -> Result<bool, Halt<R>> {
    let (epoch, cursor) =
        base.cursors.get(advance.cursor_id())?.map_or((advance.epoch, 0), |cursor| (cursor.epoch, cursor.cursor));
    if epoch != advance.epoch {
        return Err(Refused::EpochChanged.into());
    }
    if advance.to_seq <= cursor {
        return Ok(true);
    }
    if advance.from_seq != cursor + 1 {
        return Err(Refused::OutOfOrder { cursor }.into());
    }
    Ok(false)
}

fn move_cursor<R>(base: &mut Base, advance: &Advance, now_us: i64) -> Result<(), Halt<R>> {
    let id = advance.cursor_id();
    if let Some(cursor) = base.cursors.edit(id)? {
        (cursor.cursor, cursor.updated_at_us) = (advance.to_seq, now_us);
    } else {
        base.cursors.insert(Cursor {
            id,
            consumer: advance.consumer.to_owned(),
            source_log: advance.source_log.clone(),
            epoch: advance.epoch,
            cursor: advance.to_seq,
            updated_at_us: now_us,
            version: 0,
        });
    }
    Ok(())
}

fn is_parked(base: &mut Base, advance: &Advance, event: &LogEvent) -> Result<bool, Missing> {
    Ok(base.parked.get(advance.parked_id(event.aggregate_id))?.is_some_and(|key| key.parked > 0))
}

fn park<S: Service>(
    base: &mut Base,
    cx: &mut Cx<'_, S>,
    advance: &Advance,
    event: &LogEvent,
    reason: String,
) -> Result<(), Missing> {
    let id = advance.parked_id(event.aggregate_id);
    if let Some(key) = base.parked.edit(id)? {
        if key.parked == 0 {
            key.first_seq = event.seq;
        }
        key.parked += 1;
    } else {
        base.parked.insert(ParkedKey {
            id,
            consumer: advance.consumer.to_owned(),
            source_log: advance.source_log.clone(),
            aggregate_id: event.aggregate_id,
            first_seq: event.seq,
            parked: 1,
            version: 0,
        });
    }
    base.dead.insert(DeadLetter {
        id: cx.new_id(),
        consumer: advance.consumer.to_owned(),
        source_log: advance.source_log.clone(),
        seq: event.seq,
        aggregate_id: event.aggregate_id,
        kind: event.kind.clone(),
        event: event.to_bytes(),
        reason,
        status: dead::PARKED.to_owned(),
        parked_at_us: cx.now_us,
        version: 0,
    });
    Ok(())
}

fn take_up<R>(base: &mut Base, id: Uuid, verdict: &str) -> Result<DeadLetter, Halt<R>> {
    match base.dead.edit(id)? {
        Some(letter) if letter.status == dead::PARKED => {
            verdict.clone_into(&mut letter.status);
            Ok(letter.clone())
        }
        _ => Err(Refused::NotParked.into()),
    }
}

fn unpark(base: &mut Base, letter: &DeadLetter) -> Result<(), Missing> {
    let id = crate::key(&[letter.consumer.as_bytes(), letter.source_log.as_bytes(), letter.aggregate_id.as_bytes()]);
    if let Some(key) = base.parked.edit(id)? {
        key.parked -= 1;
    }
    Ok(())
}
