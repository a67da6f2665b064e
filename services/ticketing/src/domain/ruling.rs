//! Rulings: whether somebody may promise something alone, or how many others must agree. What was split into
//! several small ones counts as one.

use commit::{Missing, Slot, Stop};
use kernel::{DAY_US, Money, Points};

use super::branch::path_of;
use super::compensation::{Authority, Terms};
use super::desk::all_of;
use super::mandate::{Limit, Mandate, Rule, Unit, limit};
use super::staff::{Staff, staff_named};
use super::tally::{Tally, Whose};
use super::{BranchId, Case, CustomerId, Desk, Policy, Refusal};

/// Compensations of a case and of those linked to it count together for so long.
const SPLIT_DAYS: i64 = 30;

/// What is known about a case when somebody would promise something.
#[derive(Debug)]
pub struct Bench {
    /// What the branches trust their people with, from the branch of the case upwards.
    pub mandates: Vec<Mandate>,
    path: Vec<BranchId>,
    customer: Option<CustomerId>,
    given: Vec<(Unit, i64)>,
}

/// Whether somebody may promise something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// They have the authority for it.
    pub may: bool,
    /// How many others must agree.
    pub missing: u8,
    /// It would have passed, had there not been others before it.
    pub split: bool,
}

impl Bench {
    /// Looks up what is known about the case.
    pub fn load(case: &Case, desk: &mut Desk, now_us: i64) -> Result<Self, Stop<Refusal>> {
        let complaint = case.see(&mut desk.complaints)?.clone();
        let links: Vec<_> = complaint.story.links.iter().map(|link| link.other).collect();
        let linked = all_of(&mut desk.complaints, &links)?;
        let since_us = now_us.saturating_sub(SPLIT_DAYS * DAY_US);
        let given = linked.iter().chain([&complaint]).flat_map(|case| &case.story.compensations);
        let given = given.filter(|one| one.counts(since_us)).map(|one| one.terms.amount()).collect();
        let path = path_of(&mut desk.branches, complaint.branch)?;
        let mandates = all_of(&mut desk.mandates, &path)?;
        // In the order of the path: the nearest first.
        let mandates =
            path.iter().filter_map(|id| mandates.iter().find(|mandate| mandate.branch == *id)).cloned().collect();
        Ok(Self { mandates, path, customer: complaint.customer, given })
    }

    /// Whether the caller `by` may promise `terms`.
    pub fn rule(
        &self,
        terms: &Terms,
        by: (&str, Authority),
        policy: &Policy,
        (staff, tallies): (&mut Slot<Staff>, &mut Slot<Tally>),
        now_us: i64,
    ) -> Result<Ruling, Missing> {
        let (unit, amount) = terms.amount();
        let earlier = self.given.iter().filter(|(known, _)| *known == unit);
        let total = earlier.fold(amount, |sum, (_, given)| sum.saturating_add(*given));
        let roles = match staff_named(by.0) {
            Some(id) => staff.get(id)?.map(|staff| staff.roles_at(&self.path)).unwrap_or_default(),
            None => Vec::new(),
        };
        let limit = limit(&self.mandates, &roles, terms, now_us);
        let alone = |sum: i64| match limit {
            Limit::House => Authority::Limited.covers(&terms.with_amount(sum), policy),
            Limit::Rule(rule) => sum <= rule.most,
            Limit::Nothing => false,
        };
        let rolling = match limit {
            Limit::Rule(rule) => self.within(rule, (unit, amount), by.0, tallies, now_us)?,
            _ => true,
        };
        let may = by.1 == Authority::Approver || (alone(total) && rolling);
        let two = matches!(limit, Limit::Rule(rule) if rule.four_eyes_above.is_some_and(|above| total > above));
        Ok(Ruling { may, missing: 1 + u8::from(two) - u8::from(may), split: alone(amount) && !alone(total) })
    }

    fn within(
        &self,
        rule: &Rule,
        (unit, amount): (Unit, i64),
        by: &str,
        tallies: &mut Slot<Tally>,
        now_us: i64,
    ) -> Result<bool, Missing> {
        let customer = rule.per_customer.zip(self.customer).map(|(most, id)| (most, Whose::Customer(id)));
        let agent = rule.per_agent.map(|most| (most, Whose::Agent(by)));
        for (rolling, whose) in customer.into_iter().chain(agent) {
            let earlier = Tally::since(tallies, whose, unit, rolling.since_us(now_us))?;
            if earlier.saturating_add(amount) > rolling.most {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Terms {
    /// The same, of another amount.
    pub const fn with_amount(&self, amount: i64) -> Self {
        match self {
            Self::Points(_) => Self::Points(Points(amount)),
            Self::Worth { good, amount: old } => {
                Self::Worth { good: *good, amount: Money { currency: old.currency, minor: amount } }
            }
        }
    }
}
