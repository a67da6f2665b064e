//! Approve, decline: somebody else agrees to what the offering person may not promise alone, or does not. Never
//! one's own, never twice the same person, and never somebody whom the complaint is about.

use std::sync::Arc;

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::compensation::Authority;
use crate::domain::complaint::{Complaint, WaitingOn};
use crate::domain::lifecycle::Command;
use crate::domain::proposal::{ProposalSet, SetState};
use crate::domain::ruling::Bench;
use crate::domain::staff::staff_named;
use crate::domain::{Case, CaseFile, Cx, Desk, Event, Outcome, Policy, Refusal};

use super::offering::put_on_offer;

/// The set that waits for approval, and how many must still agree.
fn pending(complaint: &mut Complaint) -> Outcome<(&mut ProposalSet, u8)> {
    match complaint.story.proposal_sets.last_mut() {
        Some(set) => match set.state {
            SetState::Pending { missing } => Ok((set, missing)),
            _ => refuse!(Refusal::ApprovalNotPending),
        },
        None => refuse!(Refusal::ApprovalNotPending),
    }
}

/// It may be offered.
#[derive(Clone, Debug)]
pub struct ApproveProposals {
    /// The complaint.
    pub case: Case,
    /// How much whoever agrees may promise where no branch has rules.
    pub authority: Authority,
    /// The limits of the house.
    pub policy: Arc<Policy>,
}

impl Verb<Ticketing> for ApproveProposals {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let bench = Bench::load(&self.case, desk, cx.now_us)?;
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::ApproveProposals)?;
        let id = complaint.id;
        let concerned = staff_named(cx.by).is_some_and(|staff| complaint.story.recused.contains(&staff));
        let (set, missing) = pending(complaint)?;
        ensure!(!set.is_expired(cx.now_us), Refusal::ProposalsExpired);
        let again = set.offered_by == cx.by || set.approved_by.iter().any(|by| by == cx.by);
        ensure!(!again && !concerned, Refusal::OwnApproval);
        for (place, proposal) in set.proposals.iter().enumerate() {
            let Some(terms) = &proposal.compensation else { continue };
            let (staff, tallies) = (&mut desk.staff, &mut desk.tallies);
            let ruling = bench.rule(terms, (cx.by, self.authority), &self.policy, (staff, tallies), cx.now_us)?;
            ensure!(ruling.may, Refusal::AboveAuthority { proposal: place });
        }

        let missing = missing.saturating_sub(1);
        set.approved_by.push(cx.by.to_owned());
        set.state = SetState::Pending { missing };
        let event = Event::ProposalsApproved { complaint: id, set: set.id, missing: i32::from(missing) };
        complaint.tell(event, &mut desk.history, cx);
        if missing == 0 {
            put_on_offer(id, next, desk, cx)?;
        }
        Ok(CaseFile::of(self.case.see(&mut desk.complaints)?, &mut desk.follow_ups)?)
    }
}

/// It may not be offered.
#[derive(Clone, Debug)]
pub struct DeclineProposals {
    /// The complaint.
    pub case: Case,
}

impl Verb<Ticketing> for DeclineProposals {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::DeclineProposals)?;
        let id = complaint.id;
        let (set, _) = pending(complaint)?;

        set.state = SetState::Declined { by: cx.by.to_owned() };
        let event = Event::ProposalsDeclined { complaint: id, set: set.id };
        complaint.story.waiting_on = WaitingOn::Nobody;
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}
