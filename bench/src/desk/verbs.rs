//! Opening a complaint, proposing something that costs money of a budget, closing.

use commit::{Answer, Cx, Stop, Verb, ensure, refuse};
use store::Uuid;

use super::rows::{Complaint, Document, Entry, Status};
use super::wire::{Event, Receipt};
use super::{Desk, Refusal, World};

/// Time to an answer, microseconds.
const DUE_AFTER_US: i64 = 4 * kernel::HOUR_US;

/// What a caller hears.
#[derive(Debug)]
pub(crate) struct Done {
    id: Uuid,
    version: i64,
    due_at_us: i64,
}

impl Answer for Done {
    type Wire = Receipt;
    fn to_wire(&self) -> Receipt {
        Receipt { id: self.id.as_bytes().to_vec(), version: self.version, due_at_us: self.due_at_us }
    }
}

impl Done {
    const fn of(complaint: &Complaint) -> Self {
        Self { id: complaint.id, version: complaint.version, due_at_us: complaint.due_at_us }
    }
}

fn entry(complaint: &Complaint, cx: &Cx<'_, Desk>, kind: &'static str) -> Entry {
    Entry {
        complaint_id: complaint.id,
        version: complaint.version,
        at_us: cx.now_us,
        by: cx.by.to_owned(),
        kind,
        amount: complaint.amount,
    }
}

/// Opens a complaint under an id of the caller's choice (new), or of the service's.
#[derive(Debug)]
pub(crate) struct Open {
    /// The id, if the caller chose it.
    pub(crate) id: Option<Uuid>,
    /// Where it happened.
    pub(crate) branch_id: Uuid,
    /// Whose it is.
    pub(crate) customer_id: Uuid,
    /// What happened.
    pub(crate) story: String,
}

impl Verb<Desk> for Open {
    type Reply = Done;
    fn decide(&self, w: &mut World, cx: &mut Cx<'_, Desk>) -> Result<Done, Stop<Refusal>> {
        let id = self.id.unwrap_or_else(|| cx.new_id());
        let complaint = w.complaints.insert(Complaint {
            id,
            version: 0,
            branch_id: self.branch_id,
            customer_id: self.customer_id,
            status: Status::Open,
            category: "late delivery".to_owned(),
            assignee_id: None,
            amount: 0,
            opened_at_us: cx.now_us,
            due_at_us: cx.now_us + DUE_AFTER_US,
            closed_at_us: None,
            document: Document {
                story: self.story.clone(),
                channel: "counter".to_owned(),
                wish: "a quick answer".to_owned(),
                proposals: Vec::new(),
            },
        });
        cx.emit(complaint, Event::opened(self));
        let entry = entry(complaint, cx, "opened");
        let done = Done::of(complaint);
        w.history.push(entry);
        Ok(done)
    }
}

/// Proposes an amount, which the budget of the complaint's branch must hold.
#[derive(Debug)]
pub(crate) struct Propose {
    /// The complaint.
    pub(crate) complaint: Uuid,
    /// Minor units.
    pub(crate) amount: i64,
}

impl Verb<Desk> for Propose {
    type Reply = Done;
    fn decide(&self, w: &mut World, cx: &mut Cx<'_, Desk>) -> Result<Done, Stop<Refusal>> {
        let Some(complaint) = w.complaints.edit(self.complaint)? else { refuse!(Refusal::NoSuchComplaint) };
        ensure!(complaint.status != Status::Closed, Refusal::Closed);
        let Some(budget) = w.budgets.edit(complaint.branch_id)? else { refuse!(Refusal::NoSuchBudget) };
        budget.reserved += self.amount - complaint.amount;
        ensure!(budget.reserved <= budget.most, Refusal::OverBudget);
        (complaint.status, complaint.amount) = (Status::Proposed, self.amount);
        complaint.document.proposals = vec![self.amount];
        let event = Event::changed(complaint, "proposed", budget.reserved);
        cx.emit(complaint, event);
        let entry = entry(complaint, cx, "proposed");
        let done = Done::of(complaint);
        w.history.push(entry);
        Ok(done)
    }
}

/// Closes a complaint; closing twice is refused.
#[derive(Debug)]
pub(crate) struct Close {
    /// The complaint.
    pub(crate) complaint: Uuid,
}

impl Verb<Desk> for Close {
    type Reply = Done;
    fn decide(&self, w: &mut World, cx: &mut Cx<'_, Desk>) -> Result<Done, Stop<Refusal>> {
        let Some(complaint) = w.complaints.edit(self.complaint)? else { refuse!(Refusal::NoSuchComplaint) };
        ensure!(complaint.status != Status::Closed, Refusal::Closed);
        (complaint.status, complaint.closed_at_us) = (Status::Closed, Some(cx.now_us));
        let event = Event::changed(complaint, "closed", 0);
        cx.emit(complaint, event);
        let entry = entry(complaint, cx, "closed");
        let done = Done::of(complaint);
        w.history.push(entry);
        Ok(done)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;

    use super::super::Budget;
    use super::*;

    #[test]
    fn a_budget_is_never_overdrawn() {
        let mut stage = Rehearsal::<Desk>::new((), 1_000_000);
        let branch_id = Uuid::from_u128(1);
        stage.world.budgets.given(Budget { id: branch_id, version: 1, most: 100, reserved: 0 });
        let open = Open { id: None, branch_id, customer_id: Uuid::from_u128(2), story: "cold soup".to_owned() };
        let complaint = stage.play(&open).unwrap().id;
        stage.play(&Propose { complaint, amount: 100 }).unwrap();
        assert_eq!(stage.play(&Propose { complaint, amount: 101 }).unwrap_err(), Refusal::OverBudget);
        stage.play(&Close { complaint }).unwrap();
        assert_eq!(stage.play(&Close { complaint }).unwrap_err(), Refusal::Closed);
    }
}
