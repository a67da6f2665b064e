//! What offers and budgets have in common: putting a set on offer with its money reserved, letting go of what was
//! reserved, and spending it. No verb stands here.

use commit::{Stop, refuse};

use crate::domain::branch::path_of;
use crate::domain::budget::{Account, Books, Hold, largest};
use crate::domain::complaint::WaitingOn;
use crate::domain::deadline::{Deadline, DeadlineKind};
use crate::domain::desk::{all_of, branch_of};
use crate::domain::lifecycle::State;
use crate::domain::mandate::Mandate;
use crate::domain::proposal::SetState;
use crate::domain::{ComplaintId, Cx, Desk, Event, Outcome, Refusal};

/// Puts the last set of the complaint on offer: reserves what it may cost, tells, and plans its end.
pub(super) fn put_on_offer(id: ComplaintId, next: State, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    let Desk { complaints, branches, mandates, budgets, budget_entries, deadlines, history, .. } = desk;
    let Some(complaint) = complaints.edit(id)? else { refuse!(Refusal::ComplaintNotFound) };
    let path = path_of(branches, complaint.branch)?;
    let found = all_of(mandates, &path)?;
    let mandates: Vec<Mandate> =
        path.iter().filter_map(|branch| found.iter().find(|mandate| mandate.branch == *branch)).cloned().collect();
    let day = branch_of(branches, complaint.branch)?.day(cx.now_us);
    let Some(set) = complaint.story.proposal_sets.last_mut() else { refuse!(Refusal::ProposalNotFound) };

    let mut books = Books { budgets, entries: budget_entries };
    for asked in largest(set.proposals.iter().filter_map(|proposal| proposal.compensation.as_ref())) {
        let held = books.reserve(&mandates, asked, |allowance| allowance.period.name(day), id, cx)?;
        set.holds.extend(held.map_err(|_| Stop::Refused(Refusal::BudgetExhausted))?);
    }
    set.state = SetState::Offered;
    set.offered_at_us = cx.now_us;
    let (set_id, round, expires_at_us, holds) = (set.id, set.round, set.expires_at_us, set.holds.clone());
    let kinds = set.proposals.iter().map(|proposal| proposal.kind).collect();
    complaint.story.waiting_on = WaitingOn::Customer;
    if let Some(end_us) = expires_at_us {
        Deadline::plan(deadlines, DeadlineKind::OfferEnds, id, set_id, end_us, cx);
    }
    complaint.step(
        next,
        Event::ProposalsOffered { complaint: id, set: set_id, round, kinds, expires_at_us },
        history,
        cx,
    );
    for Hold { unit, amount, .. } in holds {
        let unit = unit.code().to_owned();
        complaint.tell(Event::CompensationReserved { complaint: id, set: set_id, unit, amount }, history, cx);
    }
    Ok(())
}

/// Lets go of what was reserved.
pub(super) fn release(holds: Vec<Hold>, id: ComplaintId, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    for hold in holds.into_iter().filter(|hold| hold.amount > 0) {
        let mut books = Books { budgets: &mut desk.budgets, entries: &mut desk.budget_entries };
        books.shift(&hold, Account::Reserved, Account::Available, id, cx)?;
        let Some(complaint) = desk.complaints.edit(id)? else { continue };
        let (unit, amount) = (hold.unit.code().to_owned(), hold.amount);
        complaint.tell(Event::CompensationReleased { complaint: id, unit, amount }, &mut desk.history, cx);
    }
    Ok(())
}

/// Spends what was reserved.
pub(super) fn spend(hold: Option<Hold>, id: ComplaintId, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
    if let Some(hold) = hold {
        let mut books = Books { budgets: &mut desk.budgets, entries: &mut desk.budget_entries };
        books.shift(&hold, Account::Reserved, Account::Spent, id, cx)?;
    }
    Ok(())
}
