//! Escalate, accept escalation: a case goes to a higher place, always one level above the last. Its owner keeps it
//! until somebody there accepts; where nobody does in time, it rises again.

use commit::{Verb, ensure, refuse};
use kernel::SECOND_US;
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::branch::path_of;
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::desk::all_of;
use crate::domain::lifecycle::Command;
use crate::domain::routing::{Escalation, Trigger};
use crate::domain::staff::staff_named;
use crate::domain::{Case, CaseFile, ComplaintId, Cx, Desk, Event, Outcome, Refusal};

use super::route::give;

/// Somebody at the higher place accepts within.
const ACCEPT_US: i64 = 15 * 60 * SECOND_US;

/// Somebody with more authority shall look at it.
#[derive(Clone, Debug)]
pub struct Escalate {
    /// The complaint.
    pub case: Case,
    /// Why.
    pub trigger: Trigger,
}

impl Verb<Ticketing> for Escalate {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        self.case.take(&mut desk.complaints, Command::Escalate)?;
        let risen = rise(self.case.complaint, self.trigger, desk, cx)?;
        ensure!(risen, Refusal::NothingAbove);
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// Takes a case one level up; `false` when it is at the top already.
pub(super) fn rise(id: ComplaintId, trigger: Trigger, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<bool> {
    let Some(complaint) = desk.complaints.get(id)?.cloned() else { return Ok(false) };
    let path = path_of(&mut desk.branches, complaint.branch)?;
    let level = complaint.story.routing.level().saturating_add(1);
    // Somebody else of the same branch is the first level; above it every branch is one.
    let Some(branch) = path.get(usize::from(level)).copied() else { return Ok(false) };
    let members = desk.rosters.get(branch)?.map(|roster| roster.members.clone()).unwrap_or_default();
    let people = all_of(&mut desk.staff, &members)?;
    let free = |id| !complaint.story.recused.contains(&id) && complaint.owner != Some(id);
    let mut fitting = people.iter().filter(|person| {
        !person.left && person.profile.present && !person.roles_at(&path).is_empty() && free(person.id)
    });
    let staff = fitting.next().map(|person| person.id);

    let Some(draft) = desk.complaints.edit(id)? else { return Ok(false) };
    let escalation = cx.new_id();
    let at_us = cx.now_us;
    draft.story.routing.escalations.push(Escalation {
        id: escalation,
        level,
        branch,
        staff,
        trigger,
        at_us,
        accepted: None,
    });
    let event = Event::Escalated { complaint: id, level: i32::from(level), branch, staff, trigger };
    draft.tell(event, &mut desk.history, cx);
    let until_us = at_us.saturating_add(ACCEPT_US);
    Deadline::plan(&mut desk.deadlines, DeadlineKind::EscalationEnds, id, escalation, until_us, cx);
    Ok(true)
}

/// I take it from here.
#[derive(Clone, Debug)]
pub struct AcceptEscalation {
    /// The complaint.
    pub case: Case,
}

impl Verb<Ticketing> for AcceptEscalation {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::AcceptEscalation)?;
        let id = complaint.id;
        let Some(staff) = staff_named(cx.by) else { refuse!(Refusal::NotAsked) };
        ensure!(!complaint.story.recused.contains(&staff), Refusal::Recused);
        let standing = complaint.story.routing.escalations.last_mut().filter(|last| last.accepted.is_none());
        let Some(standing) = standing else { refuse!(Refusal::NotAsked) };
        ensure!(standing.staff.is_none_or(|asked| asked == staff), Refusal::NotAsked);

        standing.accepted = Some((cx.by.to_owned(), cx.now_us));
        let event = Event::EscalationAccepted { complaint: id, level: i32::from(standing.level), staff };
        complaint.tell(event, &mut desk.history, cx);
        if complaint.owner != Some(staff) {
            give(id, staff, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// Nobody accepted in time: it rises again, as long as there is something above.
pub(super) fn time_out(id: ComplaintId, escalation: Uuid, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Some(now) = desk.complaints.get(id)? else { return Ok(()) };
    let last = now.story.routing.escalations.last();
    let stands = last.is_some_and(|last| last.id == escalation && last.accepted.is_none());
    if stands && now.state.is_open() {
        rise(id, Trigger::NotAccepted, desk, cx)?;
    }
    Ok(())
}
