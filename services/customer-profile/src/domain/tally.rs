//! The running totals of a customer: how often it came, what it bought, what is open. Kept apart from the customer so
//! that a purchase does not change the customer's version.

use std::collections::BTreeMap;

use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BranchId, CustomerId, PurchaseKind, Refusal};

/// The points of one account, as last heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    /// The account.
    pub account: Uuid,
    /// Place of the last movement heard of; older ones are ignored.
    pub seq: i64,
    /// Points at hand.
    pub available: i64,
}

/// The numbers of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// How many visits.
    pub visits: i64,
    /// How many sales.
    pub sales: i64,
    /// How many returns.
    pub returns: i64,
    /// Sales less returns, minor units by currency.
    pub net_minor: BTreeMap<Currency, i64>,
    /// First and last sale, microseconds since the Unix epoch.
    pub first_sale_at_us: Option<i64>,
    /// See `first_sale_at_us`.
    pub last_sale_at_us: Option<i64>,
    /// Last visit, microseconds since the Unix epoch.
    pub last_visit_at_us: Option<i64>,
    /// Last visit, sale or return, microseconds since the Unix epoch.
    pub last_seen_at_us: Option<i64>,
    /// Complaints ever opened.
    pub complaints: i64,
    /// Complaints that are open now.
    pub open_complaints: i64,
    /// Complaints that are not closed yet: while there is one, the customer cannot be erased.
    pub unclosed: Vec<Uuid>,
    /// Survey answers given.
    pub responses: i64,
    /// Points by account.
    pub points: Vec<Points>,
    /// Branches at which it was seen, in the order of first sight; the first is where it began.
    pub branches: Vec<BranchId>,
}

/// The running totals of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Whose.
    pub customer: CustomerId,
    /// Counts up with every change.
    pub version: i64,
    /// First time seen, microseconds since the Unix epoch.
    pub first_seen_at_us: i64,
    /// The numbers.
    pub totals: Totals,
}

/// A customer was seen at a branch for the first time: whoever works there may see it from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub customer: CustomerId,
    /// Where.
    pub branch: BranchId,
}

impl Tally {
    /// Nothing yet, for a customer first seen at this instant and at this branch.
    pub fn new(customer: CustomerId, first_seen_at_us: i64, branch: BranchId) -> Self {
        let totals = Totals { branches: vec![branch], ..Totals::default() };
        Self { customer, version: 0, first_seen_at_us, totals }
    }

    /// Counts a visit.
    pub fn add_visit(&mut self, occurred_at_us: i64) {
        self.totals.visits += 1;
        self.totals.last_visit_at_us = self.totals.last_visit_at_us.max(Some(occurred_at_us));
        self.saw(occurred_at_us);
    }

    /// Counts a sale or a return. They may come in any order: first and last go by when they happened.
    pub fn add_purchase(&mut self, kind: PurchaseKind, total: Money, occurred_at_us: i64) -> Result<(), Refusal> {
        let signed = match kind {
            PurchaseKind::Sale => Some(total.minor),
            PurchaseKind::Return => total.minor.checked_neg(),
        };
        let net = self.totals.net_minor.entry(total.currency).or_default();
        *net = signed.and_then(|signed| net.checked_add(signed)).ok_or(Refusal::AmountTooLarge)?;
        match kind {
            PurchaseKind::Sale => {
                let first = self.totals.first_sale_at_us;
                self.totals.sales += 1;
                self.totals.first_sale_at_us = Some(first.map_or(occurred_at_us, |first| first.min(occurred_at_us)));
                self.totals.last_sale_at_us = self.totals.last_sale_at_us.max(Some(occurred_at_us));
            }
            PurchaseKind::Return => self.totals.returns += 1,
        }
        self.saw(occurred_at_us);
        Ok(())
    }

    /// Notes that it was seen at `branch`; gives the presence to record when that is new.
    pub fn arrive(&mut self, branch: BranchId) -> Option<Presence> {
        if self.totals.branches.contains(&branch) {
            return None;
        }
        self.totals.branches.push(branch);
        Some(Presence { customer: self.customer, branch })
    }

    /// Notes what an account holds. Movements of one account may be heard twice or late; only the newest counts.
    pub fn set_points(&mut self, heard: Points) {
        match self.totals.points.iter_mut().find(|known| known.account == heard.account) {
            Some(known) if known.seq < heard.seq => *known = heard,
            Some(_) => {}
            None => self.totals.points.push(heard),
        }
    }

    fn saw(&mut self, occurred_at_us: i64) {
        self.first_seen_at_us = self.first_seen_at_us.min(occurred_at_us);
        self.totals.last_seen_at_us = self.totals.last_seen_at_us.max(Some(occurred_at_us));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally() -> Tally {
        Tally::new(CustomerId(Uuid::from_u128(1)), 100, BranchId(Uuid::from_u128(6)))
    }

    fn rwf(minor: i64) -> Money {
        Money::new("RWF".parse().unwrap(), minor)
    }

    #[test]
    fn an_amount_that_does_not_fit_is_refused() {
        let mut tally = tally();
        tally.add_purchase(PurchaseKind::Sale, rwf(i64::MAX), 1).unwrap();
        assert_eq!(tally.add_purchase(PurchaseKind::Sale, rwf(1), 1), Err(Refusal::AmountTooLarge));
        assert_eq!(tally.add_purchase(PurchaseKind::Return, rwf(i64::MIN), 1), Err(Refusal::AmountTooLarge));
    }

    #[test]
    fn a_branch_counts_once() {
        let mut tally = tally();
        let branch = BranchId(Uuid::from_u128(7));
        assert_eq!(tally.arrive(branch).unwrap().branch, branch);
        assert_eq!(tally.arrive(branch), None);
    }

    #[test]
    fn late_news_of_an_account_changes_nothing() {
        let mut tally = tally();
        let heard = |seq, available| Points { account: Uuid::from_u128(5), seq, available };
        tally.set_points(heard(2, 500));
        tally.set_points(heard(1, 900));
        assert_eq!(tally.totals.points, [heard(2, 500)]);
    }

    proptest! {
        #[test]
        fn the_order_of_purchases_does_not_matter(
            mut purchases in prop::collection::vec((any::<bool>(), 0i64..1_000_000, 0i64..10_000), 1..20)
        ) {
            let run = |purchases: &[(bool, i64, i64)]| {
                let mut tally = tally();
                for (sale, minor, at_us) in purchases {
                    let kind = if *sale { PurchaseKind::Sale } else { PurchaseKind::Return };
                    tally.add_purchase(kind, rwf(*minor), *at_us).unwrap();
                }
                tally
            };
            let forward = run(&purchases);
            let net: i64 = purchases.iter().map(|(sale, minor, _)| if *sale { *minor } else { -minor }).sum();
            prop_assert_eq!(forward.totals.net_minor.values().sum::<i64>(), net);
            prop_assert_eq!(forward.first_seen_at_us, purchases.iter().map(|p| p.2).min().unwrap().min(100));
            prop_assert_eq!(forward.totals.last_seen_at_us, purchases.iter().map(|p| p.2).max());
            purchases.reverse();
            prop_assert_eq!(run(&purchases), forward);
        }
    }
}
