//! A purchase or return is recorded once per receipt, whoever reports it and however often. The busiest verb: it asks
//! for the receipt, the branch, the handle, the customer and its totals, and writes the purchase, the totals and one
//! line of the timeline.

use commit::{Missing, Verb, ensure, refuse};
use kernel::BranchScope;

use super::shared::{Newcomer, arrive, create, edit_tally, own_entry, reach_branch, reach_customer};
use crate::Profile;
use crate::domain::{
    Buyer, CustomerId, CustomerKind, Cx, Desk, Details, Event, NewPurchase, Purchase, PurchaseId, PurchaseKind,
    Refusal, Stop, identifier,
};

/// Records a purchase or a return.
#[derive(Clone, Debug)]
pub struct RecordPurchase {
    scope: BranchScope,
    new: NewPurchase,
    id: PurchaseId,
    fingerprint: i64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The purchase.
    pub purchase: PurchaseId,
    /// Its customer, if it has one.
    pub customer: Option<CustomerId>,
    /// It stood already, with the same content; nothing changed.
    pub already_recorded: bool,
    /// The customer was created for it.
    pub customer_created: bool,
}

impl RecordPurchase {
    /// The command for a purchase that a caller of this scope reports.
    pub fn new(scope: BranchScope, new: NewPurchase) -> Self {
        // A batch is decided twice; the hashes are made once.
        let (id, fingerprint) = (new.id(), new.fingerprint());
        Self { scope, new, id, fingerprint }
    }

    /// The same content under the same number.
    pub const fn fingerprint(&self) -> i64 {
        self.fingerprint
    }
}

/// Who bought, as far as it is known before anything is created.
enum Found {
    Nobody,
    Someone(CustomerId),
    /// No one has the handle.
    NoOne,
}

fn find_buyer(w: &mut Desk, buyer: &Buyer) -> Result<Found, Missing> {
    Ok(match buyer {
        Buyer::Unknown => Found::Nobody,
        Buyer::Customer(id) => Found::Someone(*id),
        Buyer::Handle { identifier, .. } => match w.claims.owner(identifier::CLAIM, identifier.claim())? {
            Some(owner) => Found::Someone(CustomerId(owner)),
            None => Found::NoOne,
        },
    })
}

impl Verb<Profile> for RecordPurchase {
    type Reply = Recorded;

    fn decide(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<Recorded, Stop> {
        let new = &self.new;
        let (total, earning_total) = new.check(cx.now_us).map_err(Stop::Refused)?;
        // Everything is asked for before anything is missed, so that the batch loads in as few rounds as it can.
        let standing = w.purchases.get(self.id).map(|found| found.map(|p| (p.fingerprint, p.customer)));
        let found = find_buyer(w, &new.buyer);
        // A handle is recognised everywhere, an id only where the customer was seen: a card shown at the till proves
        // more than a number that was passed around.
        let reached = match (&found, &new.buyer) {
            (Ok(Found::Someone(id)), Buyer::Handle { .. }) => reach_customer(w, &BranchScope::All, *id),
            (Ok(Found::Someone(id)), _) => reach_customer(w, &self.scope, *id),
            _ => Ok(()),
        };
        reach_branch(w, &self.scope, new.branch)?;

        if let Some((fingerprint, customer)) = standing? {
            ensure!(fingerprint == self.fingerprint, Refusal::PurchaseMismatch);
            let customer_created = false;
            return Ok(Recorded { purchase: self.id, customer, already_recorded: true, customer_created });
        }
        let (customer, customer_created) = match (found?, &new.buyer) {
            (Found::Nobody, _) => (None, false),
            (Found::Someone(id), _) => {
                reached?;
                (Some(id), false)
            }
            (Found::NoOne, Buyer::Handle { create: true, .. }) => (Some(self.welcome(w, cx)?), true),
            (Found::NoOne, _) => refuse!(Refusal::CustomerNotFound),
        };
        if let Some(id) = customer {
            arrive(w, id, new.branch)?;
            edit_tally(w, id)?.add_purchase(new.kind, total, new.occurred_at_us).map_err(Stop::Refused)?;
        }
        let purchase = w.purchases.insert(Purchase {
            id: self.id,
            version: 0,
            source_system: new.source_system.clone(),
            source_ref: new.source_ref.clone(),
            branch: new.branch,
            customer,
            kind: new.kind,
            occurred_at_us: new.occurred_at_us,
            recorded_at_us: cx.now_us,
            total,
            earning_total,
            fingerprint: self.fingerprint,
            original_source_ref: new.original_source_ref.clone(),
            lines: new.lines.clone(),
        });
        let event = match new.kind {
            PurchaseKind::Sale => Event::PurchaseRecorded(purchase.facts()),
            PurchaseKind::Return => Event::PurchaseReturned(purchase.facts()),
        };
        if let Some(id) = customer {
            let subject = self.id.uuid();
            let mut entry = own_entry(cx, &event, id, "purchase", subject, Some(new.branch), new.occurred_at_us);
            entry.facts.insert("currency_code".to_owned(), total.currency.to_string());
            entry.facts.insert("total_minor".to_owned(), total.minor.to_string());
            w.timeline.push(entry);
        }
        cx.emit_at(purchase, event, new.occurred_at_us);
        Ok(Recorded { purchase: self.id, customer, already_recorded: false, customer_created })
    }
}

impl RecordPurchase {
    /// Creates the customer of a handle that nobody has.
    fn welcome(&self, w: &mut Desk, cx: &mut Cx<'_>) -> Result<CustomerId, Stop> {
        let Buyer::Handle { identifier, .. } = &self.new.buyer else { refuse!(Refusal::CustomerNotFound) };
        let id = CustomerId(cx.new_id());
        super::shared::claim(w, id, std::slice::from_ref(identifier))?;
        let newcomer = Newcomer {
            kind: CustomerKind::Person,
            home_branch: self.new.branch,
            details: Details { identifiers: vec![identifier.clone()], ..Details::default() },
            first_seen_at_us: self.new.occurred_at_us,
        };
        create(w, cx, id, newcomer);
        Ok(id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{ANN, Desks, HERE, THERE, email};
    use super::*;
    use crate::domain::purchase::tests::receipt;

    fn sale(number: &str, buyer: Buyer) -> NewPurchase {
        NewPurchase { buyer, branch: HERE, ..receipt(number) }
    }

    fn everywhere(new: NewPurchase) -> RecordPurchase {
        RecordPurchase::new(BranchScope::All, new)
    }

    fn by_mail(address: &str, create: bool) -> Buyer {
        Buyer::Handle { identifier: email(address), create }
    }

    #[test]
    fn a_receipt_counts_once_and_never_with_another_content() {
        let mut desks = Desks::new();
        let verb = everywhere(sale("1", Buyer::Customer(ANN)));
        assert!(!desks.decide(&verb).unwrap().already_recorded);
        let again = desks.decide(&verb).unwrap();
        assert!(again.already_recorded);
        assert_eq!(again.customer, Some(ANN));
        let mut other = sale("1", Buyer::Customer(ANN));
        other.lines[0].quantity = 3;
        let refused = desks.decide(&everywhere(other)).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::PurchaseMismatch));
        let totals = &desks.tally(ANN).totals;
        assert_eq!((totals.sales, totals.net_minor.values().sum::<i64>()), (1, 1_500));
        assert_eq!(desks.told(), ["purchase.recorded"]);
    }

    #[test]
    fn a_return_counts_back() {
        let mut desks = Desks::new();
        desks.decide(&everywhere(sale("1", Buyer::Customer(ANN)))).unwrap();
        let mut back = sale("2", Buyer::Customer(ANN));
        (back.kind, back.original_source_ref) = (PurchaseKind::Return, "1".to_owned());
        desks.decide(&everywhere(back)).unwrap();
        let totals = &desks.tally(ANN).totals;
        assert_eq!((totals.sales, totals.returns, totals.net_minor.values().sum::<i64>()), (1, 1, 0));
        assert_eq!(desks.told(), ["purchase.recorded", "purchase.returned"]);
    }

    #[test]
    fn an_unknown_handle_makes_a_customer_only_when_asked_to() {
        let mut desks = Desks::new();
        let refused = desks.decide(&everywhere(sale("1", by_mail("new@example.rw", false)))).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::CustomerNotFound));
        let first = desks.decide(&everywhere(sale("1", by_mail("new@example.rw", true)))).unwrap();
        let second = desks.decide(&everywhere(sale("2", by_mail("NEW@example.rw", true)))).unwrap();
        assert!(first.customer_created && !second.customer_created);
        assert_eq!(first.customer, second.customer);
        let tally = desks.tally(first.customer.unwrap());
        assert_eq!((tally.first_seen_at_us, tally.totals.sales), (1_000, 2));
    }

    #[test]
    fn someone_unknown_may_buy() {
        let mut desks = Desks::new();
        let recorded = desks.decide(&everywhere(sale("1", Buyer::Unknown))).unwrap();
        assert_eq!(recorded.customer, None);
        assert_eq!(desks.world.timeline.pushed().count(), 0);
    }

    #[test]
    fn a_handle_is_recognised_at_every_branch_but_an_id_is_not() {
        let scope = BranchScope::only([THERE.uuid()]);
        let there = |buyer| RecordPurchase::new(scope.clone(), NewPurchase { branch: THERE, ..sale("1", buyer) });
        let mut desks = Desks::new();
        let refused = desks.decide(&there(Buyer::Customer(ANN))).unwrap_err();
        assert_eq!(refused, commit::Stop::Refused(Refusal::CustomerNotFound));
        assert_eq!(desks.decide(&there(by_mail("ann@example.rw", false))).unwrap().customer, Some(ANN));
        assert_eq!(desks.tally(ANN).totals.branches, [HERE, THERE]);
        let here = RecordPurchase::new(scope, sale("2", Buyer::Unknown));
        assert_eq!(desks.decide(&here).unwrap_err(), commit::Stop::Refused(Refusal::BranchNotFound));
    }
}
