//! Compensation: what is given beside a solution, who may offer how much of it, and how far it is. Points
//! are given by the service that keeps them, once per compensation; all else is handed over by people.

use kernel::{Money, Points};
use serde::{Deserialize, Serialize};

use super::budget::Hold;
use super::code::codes;
use super::{CompensationId, Policy, ProposalId};

codes! {
    /// What is given that is worth money.
    pub enum Good {
        /// Money back.
        Refund = "REFUND",
        /// A voucher.
        Voucher = "VOUCHER",
        /// A discount on a later purchase.
        Discount = "DISCOUNT",
        /// A gift.
        Gift = "GIFT",
    }
}

/// What is given and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Terms {
    /// Loyalty points.
    Points(Points),
    /// Something worth money.
    Worth {
        /// What it is.
        good: Good,
        /// How much it is worth.
        amount: Money,
    },
}

impl Terms {
    /// Whether people hand it over, so that keeping the promise of its proposal gives it.
    pub const fn is_handed_over(&self) -> bool {
        matches!(self, Self::Worth { .. })
    }
}

/// How much compensation whoever offers it may promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Up to the limits of the policy.
    Limited,
    /// Any amount: who holds the permission to approve what others may not.
    Approver,
}

impl Authority {
    /// Whether these terms may be promised. What the policy gives no limit for needs an approver.
    pub fn covers(self, terms: &Terms, policy: &Policy) -> bool {
        match (self, terms) {
            (Self::Approver, _) => true,
            (Self::Limited, Terms::Points(points)) => *points <= policy.points_limit,
            (Self::Limited, Terms::Worth { amount, .. }) => {
                policy.money_limits.iter().any(|limit| limit.currency == amount.currency && amount.minor <= limit.minor)
            }
        }
    }
}

/// How far a compensation is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CompensationState {
    /// Agreed and on its way.
    Approved,
    /// The customer has it.
    Issued {
        /// Since when.
        at_us: i64,
    },
    /// It could not be given.
    Failed {
        /// Why: the reason of whoever refused it.
        reason: String,
    },
}

/// A compensation that belongs to a chosen proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compensation {
    /// Its id: the key under which it is given at most once.
    pub id: CompensationId,
    /// The proposal.
    pub proposal: ProposalId,
    /// What is given and how much.
    pub terms: Terms,
    /// When it was agreed.
    pub approved_at_us: i64,
    /// How far it is.
    pub state: CompensationState,
    /// Who promised it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub promised_by: String,
    /// What is reserved for it, or was spent on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The compensation that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<CompensationId>,
}

impl Compensation {
    /// Whether it counts as given or to be given at an instant on or after `since_us`.
    pub fn counts(&self, since_us: i64) -> bool {
        let failed = matches!(self.state, CompensationState::Failed { .. });
        !failed && self.reverses.is_none() && self.approved_at_us >= since_us
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn worth(currency: &str, minor: i64) -> Terms {
        Terms::Worth { good: Good::Refund, amount: Money::new(currency.parse().unwrap(), minor) }
    }

    #[test]
    fn limits_are_inclusive_and_by_currency() {
        let policy = Policy {
            points_limit: Points(500),
            money_limits: vec![Money::new("RWF".parse().unwrap(), 20_000)],
            ..Policy::default()
        };
        for (terms, covered) in [
            (Terms::Points(Points(500)), true),
            (Terms::Points(Points(501)), false),
            (worth("RWF", 20_000), true),
            (worth("RWF", 20_001), false),
            (worth("GBP", 1), false),
        ] {
            assert_eq!(Authority::Limited.covers(&terms, &policy), covered, "{terms:?}");
            assert!(Authority::Approver.covers(&terms, &policy));
        }
    }
}
