//! A deadline comes: the timer asks, and this verb decides whether anything is still to be done. Late or twice, it
//! is done once.

use commit::Verb;
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::complaint::WaitingOn;
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::lifecycle::State;
use crate::domain::promise::PromiseState;
use crate::domain::proposal::SetState;
use crate::domain::{Cx, Desk, Event, Outcome};

use super::offering::release;
use super::{escalate, route};

/// The time has come.
#[derive(Clone, Debug)]
pub struct DeadlineComes {
    /// The deadline.
    pub deadline: Uuid,
}

impl Verb<Ticketing> for DeadlineComes {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let due = desk.deadlines.get(self.deadline)?.filter(|found| found.is_due(cx.now_us)).cloned();
        let Some(due) = due else { return Ok(()) };
        if let Some(deadline) = desk.deadlines.edit(self.deadline)? {
            deadline.done = true;
        }
        match due.kind {
            DeadlineKind::OfferEnds => end_offer(&due, desk, cx),
            DeadlineKind::PromiseNears | DeadlineKind::PromiseEnds => look_at_promise(&due, desk, cx),
            DeadlineKind::EscalationEnds => escalate::time_out(due.complaint, due.subject, desk, cx),
            DeadlineKind::AskEnds => route::time_out(due.complaint, due.subject, desk, cx),
        }
    }
}

/// The customer may not choose any more; what was reserved is free again.
fn end_offer(due: &Deadline, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Some(now) = desk.complaints.get(due.complaint)? else { return Ok(()) };
    let stands = |set: &crate::domain::proposal::ProposalSet| {
        set.id.uuid() == due.subject && set.state == SetState::Offered && set.is_expired(cx.now_us)
    };
    if now.state != State::Offered || !now.story.proposal_sets.last().is_some_and(stands) {
        return Ok(());
    }
    let Some(complaint) = desk.complaints.edit(due.complaint)? else { return Ok(()) };
    let Some(set) = complaint.story.proposal_sets.last_mut() else { return Ok(()) };
    let holds = set.give_way(cx.now_us);
    let event = Event::ProposalsExpired { complaint: due.complaint, set: set.id, round: set.round };
    complaint.story.waiting_on = WaitingOn::Nobody;
    complaint.step(State::Proposing, event, &mut desk.history, cx);
    release(holds, due.complaint, desk, cx)
}

/// A promise falls due soon, or its time ran out: then it is broken, and the matter is graver by a step.
fn look_at_promise(due: &Deadline, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Some(now) = desk.complaints.get(due.complaint)? else { return Ok(()) };
    let place = now.story.promises.iter().position(|promise| promise.id.uuid() == due.subject);
    let open = place.filter(|place| now.story.promises[*place].state == PromiseState::Open);
    let Some(place) = open.filter(|_| !now.state.is_over()) else { return Ok(()) };
    let Some(complaint) = desk.complaints.edit(due.complaint)? else { return Ok(()) };
    let promise = &mut complaint.story.promises[place];
    let (id, due_at_us) = (promise.id, promise.due_at_us.unwrap_or(due.due_at_us));
    let event = if due.kind == DeadlineKind::PromiseNears {
        Event::PromiseDue { complaint: due.complaint, promise: id, owner: promise.owner, due_at_us }
    } else {
        promise.state = PromiseState::Broken { at_us: due_at_us };
        complaint.story.severity = complaint.story.severity.raised();
        let severity = complaint.story.severity;
        Event::PromiseBroken { complaint: due.complaint, promise: id, due_at_us, severity }
    };
    complaint.tell(event, &mut desk.history, cx);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::HOUR_US;

    use super::*;
    use crate::domain::complaint::Severity;
    use crate::domain::stage::{Stage, choice, keeping, offer, resolution, waiving};
    use crate::domain::verbs::{MakePromise, OfferProposals};
    use crate::domain::{Case, Refusal};

    fn promised(stage: &mut Stage, case: &Case) {
        let due_at_us = Some(stage.now_us() + 10 * HOUR_US);
        let verb = MakePromise { case: case.clone(), text: "We call you.".to_owned(), due_at_us, owner: None };
        stage.play(&verb).unwrap();
        stage.told();
    }

    #[test]
    fn a28_an_offer_ends_to_the_millisecond_and_is_told_once() {
        for (late_us, expired) in [(-1_000, false), (0, true), (1_000, true)] {
            let (mut stage, case) = Stage::at(State::Proposing);
            let end_us = stage.now_us() + HOUR_US;
            stage.play(&OfferProposals { expires_at_us: Some(end_us), ..offer(case.clone()) }).unwrap();
            let chosen = choice(&stage.complaint(&case), case.clone());
            stage.told();
            stage.pass(HOUR_US + late_us);
            stage.fire_deadlines();
            let told = stage.told();
            assert_eq!(told.iter().any(|event| matches!(event, Event::ProposalsExpired { .. })), expired);
            stage.fire_deadlines();
            assert_eq!(stage.told(), []);
            assert_eq!(stage.play(&chosen).is_err(), expired);
        }
    }

    #[test]
    fn a_promise_is_announced_then_broken_and_makes_it_graver() {
        let (mut stage, case) = Stage::ready_to_resolve();
        promised(&mut stage, &case);
        stage.pass(8 * HOUR_US);
        stage.fire_deadlines();
        assert!(matches!(stage.told()[..], [Event::PromiseDue { .. }]));
        stage.pass(30 * HOUR_US);
        stage.fire_deadlines();
        let [Event::PromiseBroken { due_at_us, severity: Severity::High, .. }] = stage.told()[..] else {
            unreachable!("one event")
        };
        assert_eq!(due_at_us, stage.now_us() - 28 * HOUR_US, "late ones keep their time");
        assert_eq!(stage.play(&resolution(case.clone())).unwrap_err(), Refusal::PromiseOpen);
        let verb = waiving(&stage.complaint(&case), case.clone());
        stage.play(&verb).unwrap();
        assert!(stage.play(&resolution(case)).is_ok());
    }

    #[test]
    fn a_promise_that_was_kept_has_nothing_due() {
        let (mut stage, case) = Stage::at(State::Investigating);
        promised(&mut stage, &case);
        let verb = keeping(&stage.complaint(&case), case);
        stage.play(&verb).unwrap();
        stage.told();
        stage.pass(20 * HOUR_US);
        stage.fire_deadlines();
        assert_eq!(stage.told(), []);
    }
}
