//! Merge, undo merge, link: two cases about one matter go on as one, for thirty days not for ever; and cases that
//! belong together know of each other.

use commit::{Stop, Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::class::{Link, LinkKind};
use crate::domain::complaint::WaitingOn;
use crate::domain::lifecycle::Command;
use crate::domain::merge::{Merge, check};
use crate::domain::{Case, CaseFile, ComplaintId, Cx, Desk, Event, Outcome, Refusal};

use super::offering::release;

/// This one goes on in that one.
#[derive(Clone, Debug)]
pub struct MergeComplaint {
    /// The one that ends.
    pub case: Case,
    /// The one that goes on.
    pub into: ComplaintId,
    /// Why, in words.
    pub reason: String,
}

impl Verb<Ticketing> for MergeComplaint {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let loser = self.case.see(&mut desk.complaints)?.clone();
        let target = Case { complaint: self.into, expected_version: None, ..self.case.clone() };
        let winner = target.see(&mut desk.complaints)?.clone();
        let (draft, next) = self.case.take(&mut desk.complaints, Command::Merge)?;
        check(&loser, &winner).map_err(Stop::Refused)?;

        let absorbed = std::mem::take(&mut draft.story.absorbed);
        let (by, at_us) = (cx.by.to_owned(), cx.now_us);
        draft.story.merge = Some(Merge {
            first_into: winner.id,
            into: winner.id,
            stood: loser.state,
            reason: self.reason.clone(),
            by,
            at_us,
        });
        draft.story.waiting_on = WaitingOn::Nobody;
        let holds = draft.story.proposal_sets.last_mut().map(|last| last.give_way(cx.now_us));
        let (customer, branch) = (loser.customer, loser.branch);
        let event = Event::Merged { complaint: loser.id, into: winner.id, customer, branch };
        draft.step(next, event, &mut desk.history, cx);
        release(holds.unwrap_or_default(), loser.id, desk, cx)?;
        // What was merged into it before points straight at the one that goes on.
        for other in &absorbed {
            if let Some(other) = desk.complaints.edit(*other)?
                && let Some(merge) = &mut other.story.merge
            {
                merge.into = winner.id;
            }
        }
        let Some(draft) = desk.complaints.edit(winner.id)? else { refuse!(Refusal::ComplaintNotFound) };
        draft.story.absorbed.push(loser.id);
        draft.story.absorbed.extend(absorbed);
        draft.story.severity = draft.story.severity.graver(loser.story.severity);
        draft.customer = draft.customer.or(loser.customer);
        let earliest_us = draft.story.received_at_us.unwrap_or(draft.opened_at_us);
        let other_us = loser.story.received_at_us.unwrap_or(loser.opened_at_us);
        draft.story.received_at_us = Some(earliest_us.min(other_us));
        draft.tell(Event::Absorbed { complaint: winner.id, other: loser.id }, &mut desk.history, cx);
        Ok(CaseFile::of(draft, &mut desk.follow_ups)?)
    }
}

/// They are two cases after all.
#[derive(Clone, Debug)]
pub struct UndoMerge {
    /// The one that was merged.
    pub case: Case,
}

impl Verb<Ticketing> for UndoMerge {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (loser, _) = self.case.take(&mut desk.complaints, Command::UndoMerge)?;
        let id = loser.id;
        let Some(merge) = loser.story.merge.take() else { refuse!(Refusal::MergeOverwritten) };
        ensure!(cx.now_us < merge.undo_until_us(), Refusal::UndoOver);
        // The one that it went into was merged itself since: that must be undone first.
        ensure!(merge.into == merge.first_into, Refusal::MergeOverwritten);

        loser.step(merge.stood, Event::MergeUndone { complaint: id, from: merge.into }, &mut desk.history, cx);
        let mut back = Vec::new();
        let Some(winner) = desk.complaints.get(merge.into)?.cloned() else { refuse!(Refusal::ComplaintNotFound) };
        for other in &winner.story.absorbed {
            let theirs = desk.complaints.get(*other)?.and_then(|other| other.story.merge.as_ref());
            if *other != id && theirs.is_some_and(|merge| merge.first_into == id) {
                back.push(*other);
            }
        }
        for other in &back {
            if let Some(other) = desk.complaints.edit(*other)?
                && let Some(merge) = &mut other.story.merge
            {
                merge.into = id;
            }
        }
        if let Some(winner) = desk.complaints.edit(merge.into)? {
            winner.story.absorbed.retain(|other| *other != id && !back.contains(other));
            winner.tell(Event::Released { complaint: winner.id, other: id }, &mut desk.history, cx);
        }
        let Some(loser) = desk.complaints.edit(id)? else { refuse!(Refusal::ComplaintNotFound) };
        loser.story.absorbed = back;
        Ok(CaseFile::of(loser, &mut desk.follow_ups)?)
    }
}

/// These two belong together.
#[derive(Clone, Debug)]
pub struct LinkComplaints {
    /// The complaint.
    pub case: Case,
    /// The other one.
    pub other: ComplaintId,
    /// How it belongs to it.
    pub kind: LinkKind,
}

impl Verb<Ticketing> for LinkComplaints {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let target = Case { complaint: self.other, expected_version: None, ..self.case.clone() };
        let other = target.see(&mut desk.complaints)?;
        let (other, over) = (other.id, other.state.is_over());
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::Link)?;
        let id = complaint.id;
        ensure!(id != other, Refusal::MergeWithItself);
        ensure!(complaint.story.links.iter().all(|link| link.other != other), Refusal::AlreadySo);

        complaint.story.links.push(Link { other, kind: self.kind });
        let event = Event::Linked { complaint: id, other, kind: self.kind };
        complaint.step(next, event, &mut desk.history, cx);
        if !over && let Some(draft) = desk.complaints.edit(other)? {
            draft.story.links.push(Link { other: id, kind: self.kind });
            draft.tell(Event::Linked { complaint: other, other: id, kind: self.kind }, &mut desk.history, cx);
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::{BranchScope, DAY_US};

    use super::*;
    use crate::domain::CustomerId;
    use crate::domain::lifecycle::State;
    use crate::domain::merge::{CANDIDATE_SCORE, likeness};
    use crate::domain::stage::{LONDON, Stage, merging, words};

    #[test]
    fn a39_crossing_merges_leave_one_that_goes_on() {
        let (mut stage, a) = Stage::at(State::Understood);
        let b = stage.open();
        let winner = stage.play(&merging(&a, &b)).unwrap().complaint;
        assert_eq!((winner.id, winner.state), (b.complaint, State::Received));
        assert!(matches!(stage.told()[..], [Event::Merged { .. }, Event::Absorbed { .. }]));
        assert_eq!(stage.play(&merging(&b, &a)).unwrap_err(), Refusal::MergeTargetOver);
        assert_eq!(stage.complaint(&a).story.merge.unwrap().into, b.complaint);
        assert_eq!(stage.complaint(&b).state, State::Received);
    }

    #[test]
    fn a41_with_itself_with_what_is_over_hidden_or_of_another_customer_is_refused() {
        let (mut stage, a) = Stage::at(State::Received);
        assert_eq!(stage.play(&merging(&a, &a)).unwrap_err(), Refusal::MergeWithItself);
        let b = stage.open();
        for state in State::ALL.iter().filter(|state| !state.is_open()) {
            stage.edit(&b, |complaint| complaint.state = *state);
            assert_eq!(stage.play(&merging(&a, &b)).unwrap_err(), Refusal::MergeTargetOver, "{state:?}");
        }
        stage.edit(&b, |complaint| complaint.state = State::Received);
        stage.edit(&b, |complaint| complaint.customer = Some(CustomerId(uuid::Uuid::from_u128(99))));
        assert_eq!(stage.play(&merging(&a, &b)).unwrap_err(), Refusal::CustomersDiffer);
        stage.edit(&b, |complaint| complaint.branch = LONDON);
        let near = Case { scope: BranchScope::only([crate::domain::stage::KIGALI.uuid()]), ..a.clone() };
        assert_eq!(stage.play(&merging(&near, &b)).unwrap_err(), Refusal::ComplaintNotFound);
        let absent = Case { complaint: uuid::Uuid::from_u128(1).into(), ..a.clone() };
        assert_eq!(stage.play(&merging(&a, &absent)).unwrap_err(), Refusal::ComplaintNotFound);
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn whatever_was_merged_before_points_straight_at_the_last() {
        let (mut stage, a) = Stage::at(State::Received);
        let (b, c) = (stage.open(), stage.open());
        stage.play(&merging(&a, &b)).unwrap();
        stage.play(&merging(&b, &c)).unwrap();
        for case in [&a, &b] {
            assert_eq!(stage.complaint(case).story.merge.unwrap().into, c.complaint);
        }
        assert_eq!(stage.complaint(&c).story.absorbed, [b.complaint, a.complaint]);
        assert_eq!(stage.play(&UndoMerge { case: a.clone() }).unwrap_err(), Refusal::MergeOverwritten);
        stage.play(&UndoMerge { case: b.clone() }).unwrap();
        assert_eq!(stage.complaint(&a).story.merge.unwrap().into, b.complaint);
        assert_eq!(stage.complaint(&b).story.absorbed, [a.complaint]);
        assert_eq!(stage.play(&UndoMerge { case: a }).unwrap().complaint.state, State::Received);
    }

    #[test]
    fn a42_a_merge_is_undone_for_thirty_days_also_after_new_words() {
        for (after_us, refusal) in [(30 * DAY_US - 1, None), (30 * DAY_US, Some(Refusal::UndoOver))] {
            let (mut stage, a) = Stage::at(State::Understood);
            let b = stage.open();
            stage.play(&merging(&a, &b)).unwrap();
            stage.play(&words(b.clone())).unwrap();
            stage.pass(after_us);
            let undone = stage.play(&UndoMerge { case: a });
            assert_eq!(undone.as_ref().err(), refusal.as_ref());
            if let Ok(file) = undone {
                assert_eq!((file.complaint.state, file.complaint.story.merge), (State::Understood, None));
                let winner = stage.complaint(&b);
                assert_eq!((winner.story.interaction_count, winner.story.absorbed.len()), (1, 0));
            }
        }
    }

    #[test]
    fn a17_the_earliest_receipt_is_kept() {
        let (mut stage, a) = Stage::at(State::Received);
        let first_us = stage.now_us();
        stage.pass(DAY_US);
        let b = stage.open();
        assert_eq!(stage.play(&merging(&a, &b)).unwrap().complaint.story.received_at_us, Some(first_us));
    }

    #[test]
    fn a46_strangers_who_share_a_place_are_no_candidates() {
        let (mut stage, a) = Stage::at(State::Received);
        let b = stage.open();
        let a = stage.complaint(&a);
        let twin = stage.complaint(&b);
        assert!(likeness(&a, &twin) >= CANDIDATE_SCORE);
        let mut stranger = twin.clone();
        stranger.customer = Some(CustomerId(uuid::Uuid::from_u128(500)));
        assert_eq!(likeness(&a, &stranger), 0);
        let mut nobody = twin.clone();
        nobody.customer = None;
        "Parking".clone_into(&mut nobody.story.subject);
        "No place was free.".clone_into(&mut nobody.story.narrative);
        assert!(likeness(&a, &nobody) < CANDIDATE_SCORE);
        let mut old = twin;
        old.opened_at_us -= 31 * DAY_US;
        assert_eq!(likeness(&a, &old), 0);
    }

    #[test]
    fn linked_cases_know_of_each_other() {
        let (mut stage, a) = Stage::at(State::Received);
        let b = stage.open();
        let verb = LinkComplaints { case: a.clone(), other: b.complaint, kind: LinkKind::Related };
        stage.play(&verb).unwrap();
        assert_eq!(stage.complaint(&b).story.links[0].other, a.complaint);
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::AlreadySo);
    }
}
