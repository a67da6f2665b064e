//! A customer was there. A visitor of whom nothing is known becomes an anonymous customer.

use commit::{Verb, ensure};
use kernel::BranchScope;

use super::shared::{
    CustomerReply, Newcomer, arrive, create, edit_tally, own_entry, reach_customer, reach_open_branch,
};
use crate::Profile;
use crate::domain::{
    BranchId, CustomerId, CustomerKind, Cx, Desk, Details, Event, MAX_AHEAD_US, Refusal, Stop, Visit, VisitId,
};

/// Records a visit.
#[derive(Clone, Debug)]
pub struct RecordVisit {
    /// Where the caller works.
    pub scope: BranchScope,
    /// Who came; none makes an anonymous customer.
    pub customer: Option<CustomerId>,
    /// Where.
    pub branch: BranchId,
    /// Code of the channel.
    pub channel: String,
    /// Code of the place in the customer's journey; may be empty.
    pub touchpoint_code: String,
    /// When, microseconds since the Unix epoch; none means now.
    pub occurred_at_us: Option<i64>,
}

/// The visit and its customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitReply {
    /// The visit.
    pub visit: Visit,
    /// The customer.
    pub customer: CustomerReply,
}

impl Verb<Profile> for RecordVisit {
    type Reply = VisitReply;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<VisitReply, Stop> {
        let occurred_at_us = self.occurred_at_us.unwrap_or(cx.now_us);
        ensure!(occurred_at_us <= cx.now_us.saturating_add(MAX_AHEAD_US), Refusal::OccursInFuture);
        let branch = reach_open_branch(w, &self.scope, self.branch).map(|_| ());
        let customer = if let Some(id) = self.customer {
            let reached = reach_customer(w, &self.scope, id);
            branch?;
            reached?;
            id
        } else {
            branch?;
            let id = CustomerId(cx.new_id());
            let newcomer = Newcomer {
                kind: CustomerKind::Anonymous,
                home_branch: self.branch,
                details: Details::default(),
                first_seen_at_us: occurred_at_us,
            };
            create(w, cx, id, newcomer);
            id
        };
        arrive(w, customer, self.branch)?;
        edit_tally(w, customer)?.add_visit(occurred_at_us);

        let visit = w.visits.insert(Visit {
            id: VisitId(cx.new_id()),
            version: 0,
            customer,
            branch: self.branch,
            channel: self.channel.clone(),
            touchpoint_code: self.touchpoint_code.clone(),
            occurred_at_us,
            recorded_at_us: cx.now_us,
        });
        let event = Event::VisitRecorded {
            visit: visit.id,
            customer,
            branch: self.branch,
            channel: self.channel.clone(),
            touchpoint_code: self.touchpoint_code.clone(),
            occurred_at_us,
        };
        let mut entry = own_entry(cx, &event, customer, "visit", visit.id.uuid(), Some(self.branch), occurred_at_us);
        entry.facts.insert("channel".to_owned(), self.channel.clone());
        w.timeline.push(entry);
        cx.emit_at(visit, event, occurred_at_us);
        let visit = visit.clone();
        let Some(customer) = w.customers.get(customer)? else { commit::refuse!(Refusal::CustomerNotFound) };
        Ok(VisitReply { visit, customer: CustomerReply(customer.clone()) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, HERE, NOW_US, THERE};
    use super::*;

    fn visit(customer: Option<CustomerId>, branch: BranchId) -> RecordVisit {
        RecordVisit {
            scope: BranchScope::All,
            customer,
            branch,
            channel: "in_person".to_owned(),
            touchpoint_code: "entrance".to_owned(),
            occurred_at_us: None,
        }
    }

    #[test]
    fn a_visit_of_nobody_makes_an_anonymous_customer() {
        let mut desks = Desks::new();
        let reply = desks.decide(&visit(None, HERE)).unwrap();
        let customer = &reply.customer.0;
        assert_eq!((customer.kind, customer.home_branch, customer.version), (CustomerKind::Anonymous, HERE, 1));
        assert_eq!(desks.told(), ["customer.created", "visit.recorded"]);
        assert_eq!(desks.tally(customer.id).totals.visits, 1);
        assert_eq!(desks.world.timeline.pushed().count(), 2);
        assert_eq!(desks.world.presences.pushed().count(), 1);
    }

    #[test]
    fn a_visit_leaves_the_version_of_the_customer() {
        let mut desks = Desks::new();
        let reply = desks.decide(&visit(Some(ANN), THERE)).unwrap();
        assert_eq!(reply.customer.0.version, 3);
        assert_eq!(desks.tally(ANN).totals.branches, [HERE, THERE]);
    }

    #[test]
    fn places_people_and_times_out_of_reach_are_refused() {
        type Change = fn(&mut RecordVisit);
        let cases: [(Change, Refusal); 5] = [
            (|v| v.branch = BranchId(uuid::Uuid::nil()), Refusal::BranchUnknown),
            (|v| v.customer = Some(CustomerId(uuid::Uuid::nil())), Refusal::CustomerNotFound),
            (|v| v.scope = BranchScope::only([HERE.uuid()]), Refusal::BranchNotFound),
            (|v| (v.scope, v.customer) = (BranchScope::only([THERE.uuid()]), Some(ANN)), Refusal::CustomerNotFound),
            (|v| v.occurred_at_us = Some(NOW_US + MAX_AHEAD_US + 1), Refusal::OccursInFuture),
        ];
        for (change, refusal) in cases {
            let mut verb = visit(None, THERE);
            change(&mut verb);
            assert_eq!(Desks::new().decide(&verb).unwrap_err(), commit::Stop::Refused(refusal));
        }
        let mut desks = Desks::new();
        desks.close(HERE);
        assert_eq!(desks.decide(&visit(None, HERE)).unwrap_err(), commit::Stop::Refused(Refusal::BranchClosed));
    }
}
