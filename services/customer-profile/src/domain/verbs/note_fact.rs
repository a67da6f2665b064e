//! Something happened with a customer in another service: it goes on the timeline, and some of it is counted.

use commit::Verb;
use uuid::Uuid;

use super::shared::{arrive, edit_tally};
use crate::Profile;
use crate::domain::{Cx, Desk, Points, Refusal, Stop, TimelineEntry, erasure};

/// The name under which an open complaint is held for its customer, so that it is counted once whatever happens to it.
const OPEN_COMPLAINT: &str = "open_complaint";

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the timeline only.
    Nothing,
    /// A complaint came in.
    ComplaintOpened(Uuid),
    /// A complaint is open again.
    ComplaintReopened(Uuid),
    /// A complaint is no longer open; it may be taken up again.
    ComplaintEnded(Uuid),
    /// A complaint is over for good.
    ComplaintClosed(Uuid),
    /// A survey was answered.
    ResponseGiven,
    /// An account holds so many points.
    PointsHeld(Points),
}

/// Notes a fact of another service.
#[derive(Clone, Debug)]
pub struct NoteFact {
    /// What to show; none for what is counted only.
    pub entry: TimelineEntry,
    /// Whether it goes on the timeline.
    pub shown: bool,
    /// What to count.
    pub change: Change,
}

impl Verb<Profile> for NoteFact {
    type Reply = ();

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let id = self.entry.customer;
        // A customer that is not known here has no timeline: nothing to do, and nothing wrong.
        if w.tallies.get(id)?.is_none() {
            return Ok(());
        }
        if self.shown {
            w.timeline.push(self.entry.clone());
            if let Some(branch) = self.entry.branch {
                let is_new = w.tallies.get(id)?.is_some_and(|tally| !tally.totals.branches.contains(&branch));
                if is_new {
                    arrive(w, id, branch)?;
                }
            }
        }
        match self.change {
            Change::Nothing => {}
            Change::ComplaintOpened(complaint) => {
                self.open(w, complaint)?;
                edit_tally(w, id)?.totals.complaints += 1;
            }
            Change::ComplaintReopened(complaint) => self.open(w, complaint)?,
            Change::ComplaintEnded(complaint) => self.end(w, complaint)?,
            Change::ComplaintClosed(complaint) => {
                self.end(w, complaint)?;
                edit_tally(w, id)?.hold(complaint, false);
                erasure::go_on(w, cx, id)?;
            }
            Change::ResponseGiven => edit_tally(w, id)?.totals.responses += 1,
            Change::PointsHeld(points) => edit_tally(w, id)?.set_points(points),
        }
        Ok(())
    }
}

impl NoteFact {
    fn end(&self, w: &mut Desk, complaint: Uuid) -> Result<(), Stop> {
        if w.claims.owner(OPEN_COMPLAINT, complaint.as_bytes())?.is_some() {
            w.claims.release(OPEN_COMPLAINT, complaint.as_bytes())?;
            edit_tally(w, self.entry.customer)?.totals.open_complaints -= 1;
        }
        Ok(())
    }

    fn open(&self, w: &mut Desk, complaint: Uuid) -> Result<(), Stop> {
        let natural = complaint.as_bytes();
        if w.claims.owner(OPEN_COMPLAINT, natural)?.is_none() {
            let taken = w.claims.take(OPEN_COMPLAINT, natural, self.entry.customer)?;
            // Nobody held it a moment ago.
            commit::ensure!(taken.is_ok(), Refusal::CustomerNotFound);
            edit_tally(w, self.entry.customer)?.totals.open_complaints += 1;
        }
        edit_tally(w, self.entry.customer)?.hold(complaint, true);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::testing::{ANN, Desks, THERE};
    use super::*;
    use crate::domain::CustomerId;

    fn fact(customer: CustomerId, kind: &str, change: Change) -> NoteFact {
        let entry = TimelineEntry {
            customer,
            occurred_at_us: 5,
            id: Uuid::from_u128(99),
            service: "other".to_owned(),
            kind: kind.to_owned(),
            subject_type: "complaint".to_owned(),
            subject_id: Uuid::from_u128(50),
            branch: Some(THERE),
            facts: BTreeMap::new(),
        };
        NoteFact { entry, shown: true, change }
    }

    #[test]
    fn a_complaint_is_open_once_until_it_ends_once() {
        let complaint = Uuid::from_u128(50);
        let mut desks = Desks::new();
        let mut open_after = |change| {
            desks.decide(&fact(ANN, "complaint", change)).unwrap();
            desks.tally(ANN).totals.open_complaints
        };
        assert_eq!(open_after(Change::ComplaintOpened(complaint)), 1);
        assert_eq!(open_after(Change::ComplaintEnded(complaint)), 0, "resolved");
        assert_eq!(open_after(Change::ComplaintEnded(complaint)), 0, "closed later");
        assert_eq!(open_after(Change::ComplaintReopened(complaint)), 1);
        assert_eq!(open_after(Change::ComplaintReopened(complaint)), 1);
        assert_eq!(open_after(Change::ComplaintOpened(Uuid::from_u128(51))), 2);
        assert_eq!(desks.tally(ANN).totals.complaints, 2);
        assert_eq!(desks.world.timeline.pushed().count(), 6);
    }

    #[test]
    fn whoever_serves_a_customer_may_see_it() {
        let mut desks = Desks::new();
        desks.decide(&fact(ANN, "complaint.opened", Change::Nothing)).unwrap();
        assert!(desks.tally(ANN).totals.branches.contains(&THERE));
    }

    #[test]
    fn a_customer_that_is_not_known_has_no_timeline() {
        let mut desks = Desks::new();
        desks.decide(&fact(CustomerId(Uuid::nil()), "complaint.opened", Change::ResponseGiven)).unwrap();
        assert_eq!(desks.world.timeline.pushed().count(), 0);
    }
}
