//! The account of a customer in a programme: who it belongs to, and its balances, which are nothing but the sum of its
//! ledger entries.

use std::collections::BTreeMap;

use kernel::{BranchScope, Currency, Points};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{AccountId, Balances, BranchId, CustomerId, Moved, ProgramId};

/// A branch at which an account is seen: where it is at home, and where points of it came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The account.
    pub account: AccountId,
    /// The branch.
    pub branch: BranchId,
}

/// Who shares an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// One person.
    Person,
    /// A household.
    Household,
    /// A company or another organization.
    Organization,
}

/// What may be done with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Everything.
    Active,
    /// Nothing may be spent.
    Frozen,
    /// It was merged into another account.
    Merged,
    /// It is closed.
    Closed,
    /// Its person was erased.
    Erased,
}

impl AccountState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Active, Self::Frozen, Self::Merged, Self::Closed, Self::Erased];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Frozen => "frozen",
            Self::Merged => "merged",
            Self::Closed => "closed",
            Self::Erased => "erased",
        }
    }

    /// The state with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Amounts of money, in minor units by currency, that no point was moved for yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remainders(BTreeMap<Currency, i64>);

impl Remainders {
    /// The remainder in a currency.
    pub fn of(&self, currency: Currency) -> i64 {
        self.0.get(&currency).copied().unwrap_or_default()
    }

    /// Keeps a remainder; nothing is kept for 0.
    pub fn set(&mut self, currency: Currency, minor: i64) {
        if minor == 0 {
            self.0.remove(&currency);
        } else {
            self.0.insert(currency, minor);
        }
    }

    /// Whether there is none in any currency.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The account of a customer in a programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its version.
    pub version: i64,
    /// The programme.
    pub program: ProgramId,
    /// The customer.
    pub customer: CustomerId,
    /// The branch where it is at home.
    pub home_branch: Option<BranchId>,
    /// Where it is seen, sorted; each stands in a [`Presence`] as well.
    pub branches: Vec<BranchId>,
    /// Who shares it.
    pub kind: AccountKind,
    /// What may be done with it.
    pub state: AccountState,
    /// Number of its card.
    pub card_number: String,
    /// Points on every ledger account.
    pub balances: Balances,
    /// Points earned by purchases, less those taken back.
    pub earned: Points,
    /// Number of the last ledger entry; 0 before the first.
    pub last_seq: i64,
    /// Seal of the last ledger entry; nil before the first.
    pub seal: Uuid,
    /// What purchases left over, where the programme carries it.
    pub spent_remainders: Remainders,
    /// What returns without a known sale left over, where the programme rounds each purchase down.
    pub returned_remainders: Remainders,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl Account {
    /// Whether points still come and go.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, AccountState::Active | AccountState::Frozen)
    }

    /// Whether who has this scope may see it.
    pub fn is_within(&self, scope: &BranchScope) -> bool {
        scope.is_all() || self.branches.iter().any(|branch| scope.allows(branch.uuid()))
    }

    /// From now on the account is seen at `branch`; `None` if it was already.
    pub fn arrive(&mut self, branch: BranchId) -> Option<Presence> {
        let place = self.branches.binary_search(&branch).err()?;
        self.branches.insert(place, branch);
        Some(Presence { account: self.id, branch })
    }

    /// What is told of `points` that came or left just now.
    pub const fn moved(&self, points: Points) -> Moved {
        Moved { account: self.id, customer: self.customer, points, balances: self.balances, seq: self.last_seq }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_lead_back() {
        for state in AccountState::ALL {
            assert_eq!(AccountState::find(state.as_str()), Some(state));
        }
        assert_eq!(AccountState::find("lost"), None);
    }

    #[test]
    fn remainders_keep_nothing_for_nothing() {
        let (rwf, gbp): (Currency, Currency) = ("RWF".parse().unwrap(), "GBP".parse().unwrap());
        let mut left = Remainders::default();
        left.set(rwf, 90);
        assert_eq!((left.of(rwf), left.of(gbp)), (90, 0));
        left.set(rwf, 0);
        assert!(left.is_empty());
    }
}
