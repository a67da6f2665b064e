//! Route, accept, decline: somebody who may and fits best is asked to take a case. Who does not answer in time makes
//! room for the next; where nobody may, the case waits in the queue of its place and that is told.

use commit::{Verb, ensure, refuse};
use kernel::{HOUR_US, SECOND_US};
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::branch::path_of;
use crate::domain::class::Confidentiality;
use crate::domain::complaint::Complaint;
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::desk::all_of;
use crate::domain::lifecycle::Command;
use crate::domain::routing::{Affinity, Ask, AskState, Candidate, Needs, Score, best, is_theirs};
use crate::domain::staff::{Staff, staff_named};
use crate::domain::{BranchId, Case, CaseFile, ComplaintId, Cx, Desk, Event, Outcome, Refusal, StaffId};

/// Who is asked answers within.
const ANSWER_US: i64 = 15 * 60 * SECOND_US;
/// A case that waits longer than this is offered to who is one level below what it needs.
const RELAX_US: i64 = HOUR_US / 6;

/// Somebody shall take it.
#[derive(Clone, Debug)]
pub struct Route {
    /// The complaint.
    pub case: Case,
    /// What it asks for.
    pub needs: Needs,
}

impl Verb<Ticketing> for Route {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::Route)?;
        ensure!(complaint.owner.is_none(), Refusal::AlreadyAssigned);
        ensure!(complaint.story.routing.standing_ask().is_none(), Refusal::AskStanding);

        let hr = complaint.story.class.confidentiality == Confidentiality::Hr;
        complaint.story.routing.needs = Needs { clearance: hr || self.needs.clearance, ..self.needs.clone() };
        ask_next(self.case.complaint, desk, cx)?;
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// Whom the place of a case offers, before the filters of the case itself.
fn people_of(
    branch: BranchId,
    path: &[BranchId],
    complaint: &Complaint,
    desk: &mut Desk,
) -> Outcome<Vec<(Staff, i64)>> {
    let Some(roster) = desk.rosters.get(branch)?.cloned() else { return Ok(Vec::new()) };
    let people = all_of(&mut desk.staff, &roster.members)?;
    let customer = complaint.customer.map(|customer| customer.uuid());
    let may = |person: &Staff| {
        let oneself = customer == Some(person.id.uuid());
        !person.roles_at(path).is_empty() && !complaint.story.recused.contains(&person.id) && !oneself
    };
    let people: Vec<Staff> = people.into_iter().filter(may).collect();
    let cases: Vec<ComplaintId> = people.iter().flat_map(|person| person.cases.iter().copied()).collect();
    let cases = all_of(&mut desk.complaints, &cases)?;
    let load = |person: &Staff| cases.iter().filter(|case| is_theirs(person.id, case)).count();
    Ok(people.into_iter().map(|person| (load(&person), person)).map(|(load, person)| (person, wide(load))).collect())
}

fn wide(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Who is asked, and why.
struct Pick {
    staff: StaffId,
    score: Score,
    relaxed: bool,
}

/// Nobody fits now.
struct Nobody {
    /// Nor is there anybody who may work on it at all.
    at_all: bool,
}

/// Who is asked next: at the branch of the case, else at the first above it where somebody may. A level of skill is
/// let go of only after nobody has it; language, clearance and recusal never.
fn pick(complaint: &Complaint, desk: &mut Desk, now_us: i64) -> Outcome<Result<Pick, Nobody>> {
    let path = path_of(&mut desk.branches, complaint.branch)?;
    let affinity: Option<Affinity> = match complaint.customer {
        Some(customer) => desk.affinities.get(customer)?.cloned(),
        None => None,
    };
    let routing = &complaint.story.routing;
    let asked = |id: StaffId| routing.asks.iter().any(|ask| ask.staff == id && ask.state != AskState::Accepted);
    let waited = now_us.saturating_sub(complaint.opened_at_us) >= RELAX_US;
    let mut anybody = false;
    for lower_by in 0..=u8::from(waited && routing.needs.skill.is_some()) {
        for place in &path {
            let people = people_of(*place, &path, complaint, desk)?;
            anybody |= !people.is_empty();
            let fitting = people.iter().map(|(staff, load)| Candidate { staff, load: *load });
            let fitting: Vec<Candidate<'_>> =
                fitting.filter(|one| !asked(one.staff.id) && one.may(&routing.needs, lower_by, now_us)).collect();
            if let Some((one, score)) = best(&fitting, &routing.needs, affinity.as_ref(), now_us) {
                return Ok(Ok(Pick { staff: one.staff.id, score, relaxed: lower_by > 0 }));
            }
        }
    }
    Ok(Err(Nobody { at_all: !anybody }))
}

/// Asks the next who may take the case, or leaves it in the queue of its place.
pub(super) fn ask_next(id: ComplaintId, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Some(complaint) = desk.complaints.get(id)?.cloned() else { refuse!(Refusal::ComplaintNotFound) };
    let found = pick(&complaint, desk, cx.now_us)?;
    let Some(draft) = desk.complaints.edit(id)? else { refuse!(Refusal::ComplaintNotFound) };
    let Pick { staff, score, relaxed } = match found {
        Ok(pick) => pick,
        Err(Nobody { at_all }) => {
            // Nobody at all, up to the top: that is an alarm, not only a queue.
            let event = Event::Queued { complaint: id, branch: complaint.branch, nobody: at_all };
            draft.tell(event, &mut desk.history, cx);
            return Ok(());
        }
    };
    let ask = cx.new_id();
    let state = AskState::Asked;
    draft.story.routing.asks.push(Ask { id: ask, staff, score, relaxed, state, at_us: cx.now_us });
    let until_us = cx.now_us.saturating_add(ANSWER_US);
    let event = Event::Asked { complaint: id, staff, score: score.total, until_us };
    draft.tell(event, &mut desk.history, cx);
    Deadline::plan(&mut desk.deadlines, DeadlineKind::AskEnds, id, ask, until_us, cx);
    Ok(())
}

/// Makes somebody the owner of a case.
pub(super) fn give(id: ComplaintId, to: StaffId, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    if desk.staff.get(to)?.is_some()
        && let Some(person) = desk.staff.edit(to)?
    {
        person.give(id, cx.now_us);
    }
    let Some(complaint) = desk.complaints.edit(id)? else { refuse!(Refusal::ComplaintNotFound) };
    let from = complaint.owner.replace(to);
    complaint.tell(Event::Assigned { complaint: id, from, to }, &mut desk.history, cx);
    Ok(())
}

/// Who is asked says whether they take it.
#[derive(Clone, Debug)]
pub struct AnswerAsk {
    /// The complaint.
    pub case: Case,
    /// They take it.
    pub takes: bool,
}

impl Verb<Ticketing> for AnswerAsk {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, _) = self.case.take(&mut desk.complaints, Command::AnswerAsk)?;
        let Some(ask) = complaint.story.routing.asks.last_mut() else { refuse!(Refusal::NotAsked) };
        let asked = ask.state == AskState::Asked && staff_named(cx.by) == Some(ask.staff);
        ensure!(asked, Refusal::NotAsked);

        ask.state = if self.takes { AskState::Accepted } else { AskState::Declined };
        let (id, staff) = (complaint.id, ask.staff);
        if self.takes {
            give(id, staff, desk, cx)?;
        } else {
            complaint.tell(Event::AskEnded { complaint: id, staff, timed_out: false }, &mut desk.history, cx);
            ask_next(id, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// Who is asked did not answer in time: the next is asked.
pub(super) fn time_out(id: ComplaintId, ask: Uuid, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Some(now) = desk.complaints.get(id)? else { return Ok(()) };
    let stands = now.story.routing.standing_ask().is_some_and(|standing| standing.id == ask);
    if !stands || !now.state.is_open() {
        return Ok(());
    }
    let Some(complaint) = desk.complaints.edit(id)? else { return Ok(()) };
    let Some(ask) = complaint.story.routing.asks.last_mut() else { return Ok(()) };
    ask.state = AskState::TimedOut;
    let staff = ask.staff;
    complaint.tell(Event::AskEnded { complaint: id, staff, timed_out: true }, &mut desk.history, cx);
    ask_next(id, desk, cx)
}
