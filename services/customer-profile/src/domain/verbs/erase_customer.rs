//! A customer asks to be forgotten.

use commit::{Verb, ensure, refuse};
use kernel::BranchScope;

use crate::Profile;
use crate::domain::erasure::{self, Forgetting};
use crate::domain::{CustomerId, CustomerState, Cx, Desk, Refusal, Stop};

/// Erases a customer, or as much as an open complaint allows; the rest follows when it is closed.
#[derive(Clone, Debug)]
pub struct EraseCustomer {
    /// Where the caller works.
    pub scope: BranchScope,
    /// Who.
    pub customer: CustomerId,
    /// The version that the caller knows; none does not check.
    pub expected_version: Option<i64>,
    /// Code of the reason.
    pub reason_code: String,
}

/// How far the erasure of a customer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The erasure.
    pub forgetting: Forgetting,
    /// Complaints that hold it.
    pub holding: Vec<uuid::Uuid>,
}

impl Verb<Profile> for EraseCustomer {
    type Reply = Erased;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<Erased, Stop> {
        let id = self.customer;
        // All are asked for before one is missed.
        let asked = w.forgettings.get(id).map(|asked| asked.is_some());
        let tally = w.tallies.get(id).map(Option::<&_>::cloned);
        let customer = w.customers.get(id)?;
        let (Some(customer), Some(tally)) = (customer, tally?) else { refuse!(Refusal::CustomerNotFound) };
        let is_seen =
            self.scope.is_all() || tally.totals.branches.iter().any(|branch| self.scope.allows(branch.uuid()));
        ensure!(is_seen, Refusal::CustomerNotFound);
        if !asked? {
            ensure!(customer.state != CustomerState::Merged, Refusal::CustomerErased);
            customer.ensure_version(self.expected_version).map_err(Stop::Refused)?;
            let erasure = cx.new_id();
            w.forgettings.insert(Forgetting {
                customer: id,
                version: 0,
                erasure,
                reason_code: self.reason_code.clone(),
                requested_at_us: cx.now_us,
                completed_at_us: None,
            });
            erasure::go_on(w, cx, id)?;
        }
        let Some(forgetting) = w.forgettings.get(id)?.cloned() else { refuse!(Refusal::CustomerNotFound) };
        Ok(Erased { forgetting, holding: tally.totals.unclosed })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::super::testing::{ANN, HERE, NOW_US, email};
    use super::*;
    use crate::domain::{
        Branch, Change, CreateCustomer, CustomerKind, Event, NewCustomer, NoteFact, TimelineEntry, identifier,
    };

    fn erase(customer: CustomerId) -> EraseCustomer {
        EraseCustomer { scope: BranchScope::All, customer, expected_version: None, reason_code: "asked".to_owned() }
    }

    fn stage() -> (Rehearsal<Profile>, CustomerId) {
        let mut stage = Rehearsal::<Profile>::new((), NOW_US);
        stage.world.branches.given(Branch { id: HERE, version: 1, locale: "rw".to_owned(), closed: false });
        let told = NewCustomer {
            preferred_name: "Beza CANARY".to_owned(),
            identifiers: vec![email("canary@example.rw")],
            tags: vec!["canary".to_owned()],
            ..NewCustomer::default()
        };
        let (scope, kind, home_branch) = (BranchScope::All, CustomerKind::Person, HERE);
        let id = stage.play(&CreateCustomer { scope, kind, home_branch, told }).unwrap().0.id;
        stage.told();
        (stage, id)
    }

    fn fact(customer: CustomerId, change: Change) -> NoteFact {
        let entry = TimelineEntry {
            customer,
            occurred_at_us: 5,
            id: Uuid::from_u128(99),
            service: "ticketing".to_owned(),
            kind: "complaint.any".to_owned(),
            subject_type: "complaint".to_owned(),
            subject_id: Uuid::from_u128(50),
            branch: None,
            facts: Default::default(),
        };
        NoteFact { entry, shown: false, change }
    }

    #[test]
    fn an_erased_customer_keeps_its_id_and_nothing_else() {
        let (mut stage, id) = stage();
        let first = stage.play(&erase(id)).unwrap();
        assert_eq!(first.forgetting.completed_at_us, Some(NOW_US));
        let told = stage.told();
        assert!(matches!(&told[..], [Event::CustomerErased { customer, .. }] if *customer == id), "{told:?}");
        let customer = stage.world.customers.get(id).unwrap().unwrap();
        assert_eq!((customer.state, &customer.details), (CustomerState::Erased, &Default::default()));
        let handle = email("canary@example.rw");
        assert_eq!(stage.world.claims.owner(identifier::CLAIM, handle.claim()).unwrap(), None);
        let again = stage.play(&erase(id)).unwrap();
        assert_eq!(again.forgetting.erasure, first.forgetting.erasure, "one erasure");
        assert_eq!(again.forgetting.completed_at_us, first.forgetting.completed_at_us);
        assert!(stage.told().is_empty());
    }

    #[test]
    fn an_open_complaint_holds_the_erasure_until_it_is_closed() {
        let (mut stage, id) = stage();
        let complaint = Uuid::from_u128(50);
        stage.play(&fact(id, Change::ComplaintOpened(complaint))).unwrap();
        let held = stage.play(&erase(id)).unwrap();
        assert_eq!((held.forgetting.completed_at_us, held.holding), (None, vec![complaint]));
        assert!(matches!(&stage.told()[..], [Event::CustomerRestricted { .. }]));
        let customer = stage.world.customers.get(id).unwrap().unwrap();
        assert_eq!((customer.state, customer.details.tags.len()), (CustomerState::Restricted, 0));
        assert_eq!(customer.details.identifiers.len(), 1, "the case needs them");

        stage.play(&fact(id, Change::ComplaintEnded(complaint))).unwrap();
        stage.play(&fact(id, Change::ComplaintReopened(complaint))).unwrap();
        assert!(stage.told().is_empty(), "a resolved complaint may be taken up again");
        stage.play(&fact(id, Change::ComplaintClosed(complaint))).unwrap();
        assert!(matches!(&stage.told()[..], [Event::CustomerErased { .. }]), "without a new request");
        let done = stage.play(&erase(id)).unwrap();
        assert!(done.forgetting.completed_at_us.is_some() && done.holding.is_empty());
    }

    #[test]
    fn who_is_not_seen_is_not_erased() {
        let (mut stage, id) = stage();
        let foreign = EraseCustomer { scope: BranchScope::only([Uuid::max()]), ..erase(id) };
        assert_eq!(stage.play(&foreign).unwrap_err(), Refusal::CustomerNotFound);
        assert_eq!(stage.play(&erase(ANN)).unwrap_err(), Refusal::CustomerNotFound);
        let stale = EraseCustomer { expected_version: Some(9), ..erase(id) };
        assert_eq!(stage.play(&stale).unwrap_err(), Refusal::VersionMismatch { current: 1 });
    }
}
