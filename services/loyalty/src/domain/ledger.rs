//! The double-entry ledger of points: its accounts, what a transfer may do, and entries that are sealed in a chain. An
//! entry is never changed; a mistake is undone by a new one.

use kernel::Points;
use uuid::Uuid;

use super::{AccountId, BranchId, CompensationId, EntryId, PurchaseId};

/// An account of the ledger. Each loyalty account has all of them; those of a programme are their sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerAccount {
    /// All points ever made (debit-normal).
    Issued,
    /// What the member owes (debit-normal).
    Debt,
    /// Earned, not yet to be spent.
    Pending,
    /// To be spent.
    Available,
    /// Set aside for an open redemption.
    Held,
    /// Spent.
    Redeemed,
    /// Ended unspent.
    Expired,
    /// Taken back.
    Reversed,
}

impl LedgerAccount {
    /// Every account, in the order of the contract and of the columns.
    pub const ALL: [Self; 8] = [
        Self::Issued,
        Self::Debt,
        Self::Pending,
        Self::Available,
        Self::Held,
        Self::Redeemed,
        Self::Expired,
        Self::Reversed,
    ];

    /// Whether a debit makes it grow. The others grow by credits.
    pub const fn is_debit_normal(self) -> bool {
        matches!(self, Self::Issued | Self::Debt)
    }

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Debt => "debt",
            Self::Pending => "pending",
            Self::Available => "available",
            Self::Held => "held",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
            Self::Reversed => "reversed",
        }
    }

    /// The account with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.as_str() == word)
    }
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Points earned by a purchase.
    Accrue,
    /// Debt paid by new points.
    SettleDebt,
    /// Points of a returned purchase taken back.
    Clawback,
    /// Points of a returned purchase that were missing.
    ClawbackShort,
    /// Points given by hand.
    AdjustUp,
    /// Points taken by hand.
    AdjustDown,
    /// Points given to make good.
    Goodwill,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Accrue,
        Self::SettleDebt,
        Self::Clawback,
        Self::ClawbackShort,
        Self::AdjustUp,
        Self::AdjustDown,
        Self::Goodwill,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accrue => "accrue",
            Self::SettleDebt => "settle_debt",
            Self::Clawback => "clawback",
            Self::ClawbackShort => "clawback_short",
            Self::AdjustUp => "adjust_up",
            Self::AdjustDown => "adjust_down",
            Self::Goodwill => "goodwill",
        }
    }

    /// The kind with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The transfers (debit, credit) that an entry of this kind may be.
    pub const fn transfers(self) -> &'static [(LedgerAccount, LedgerAccount)] {
        use LedgerAccount as L;
        match self {
            Self::Accrue | Self::AdjustUp | Self::Goodwill => &[(L::Issued, L::Available)],
            Self::SettleDebt => &[(L::Available, L::Debt)],
            Self::Clawback => &[(L::Pending, L::Reversed), (L::Available, L::Reversed)],
            Self::ClawbackShort => &[(L::Debt, L::Reversed)],
            Self::AdjustDown => &[(L::Available, L::Reversed)],
        }
    }

    /// What an entry of this kind adds to the points ever earned by purchases, as a factor of its points.
    pub const fn earns(self) -> i64 {
        match self {
            Self::Accrue => 1,
            Self::Clawback | Self::ClawbackShort => -1,
            Self::SettleDebt | Self::AdjustUp | Self::AdjustDown | Self::Goodwill => 0,
        }
    }
}

/// Why a transfer cannot be: a balance would pass 64 bits or fall below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Beyond 64 bits.
    TooLarge,
    /// This account does not have so many points.
    Short(LedgerAccount),
}

/// The balance of every account, each on its normal side, in the order of [`LedgerAccount::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balances([i64; LedgerAccount::ALL.len()]);

impl Balances {
    /// Balances as they were stored, in the order of [`LedgerAccount::ALL`].
    pub const fn stored(balances: [i64; LedgerAccount::ALL.len()]) -> Self {
        Self(balances)
    }

    /// The balance of one account.
    pub const fn of(&self, account: LedgerAccount) -> Points {
        Points(self.0[account as usize])
    }

    /// Moves points from one account to another. Nothing is changed when it does not fit.
    pub fn transfer(&mut self, debit: LedgerAccount, credit: LedgerAccount, points: Points) -> Result<(), Unfit> {
        let mut after = *self;
        after.shift(debit, points, debit.is_debit_normal())?;
        after.shift(credit, points, !credit.is_debit_normal())?;
        *self = after;
        Ok(())
    }

    fn shift(&mut self, account: LedgerAccount, points: Points, grows: bool) -> Result<(), Unfit> {
        let before = self.of(account);
        let after = if grows { before.plus(points) } else { before.minus(points) };
        let after = after.map_err(|_| Unfit::TooLarge)?;
        if after < Points::ZERO {
            return Err(Unfit::Short(account));
        }
        self.0[account as usize] = after.0;
        Ok(())
    }

    /// The law of the ledger: issued + debt = pending + available + held + redeemed + expired + reversed.
    pub fn is_balanced(&self) -> bool {
        let side = |debit_normal: bool| -> i128 {
            let accounts = LedgerAccount::ALL.into_iter().filter(|account| account.is_debit_normal() == debit_normal);
            accounts.map(|account| i128::from(self.of(account).0)).sum()
        };
        side(true) == side(false)
    }

    /// The first account below zero.
    pub fn find_negative(&self) -> Option<LedgerAccount> {
        LedgerAccount::ALL.into_iter().find(|account| self.of(*account) < Points::ZERO)
    }

    /// The sum of both; what passes 64 bits stays at the end of the range.
    #[must_use]
    pub fn sum(&self, other: &Self) -> Self {
        let mut sum = *self;
        for account in LedgerAccount::ALL {
            let place = &mut sum.0[account as usize];
            *place = place.saturating_add(other.of(account).0);
        }
        sum
    }
}

/// One transfer of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// Whose it is.
    pub account: AccountId,
    /// Number within the account, from 1, without gaps.
    pub seq: i64,
    /// What it is for.
    pub kind: EntryKind,
    /// The account that is debited.
    pub debit: LedgerAccount,
    /// The account that is credited.
    pub credit: LedgerAccount,
    /// Points, greater than 0.
    pub points: Points,
    /// What brought it about.
    pub cause: Cause,
    /// Who caused it.
    pub actor: String,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
    /// Hash over this entry and the seal of the one before: a change of a stored entry shows, and where.
    pub seal: Uuid,
}

/// What brought an entry about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// The purchase or return behind it.
    pub purchase: Option<PurchaseId>,
    /// The compensation behind it.
    pub compensation: Option<CompensationId>,
    /// Code of the reason; empty if the kind says it all.
    pub reason_code: String,
    /// Where it happened.
    pub branch: Option<BranchId>,
    /// Version of the rules that made it.
    pub rule_version: i64,
    /// The entry that it undoes.
    pub reverses: Option<EntryId>,
    /// When it happened in the business, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}

impl Entry {
    /// The seal that this entry must have behind one with the seal `before` (nil for the first).
    pub fn sealed_behind(&self, before: Uuid) -> Uuid {
        let some = |id: Option<Uuid>| id.unwrap_or_default().into_bytes();
        let cause = &self.cause;
        commit::key(&[
            before.as_bytes(),
            self.id.uuid().as_bytes(),
            self.account.uuid().as_bytes(),
            &self.seq.to_be_bytes(),
            self.kind.as_str().as_bytes(),
            self.debit.as_str().as_bytes(),
            self.credit.as_str().as_bytes(),
            &self.points.0.to_be_bytes(),
            &some(cause.purchase.map(PurchaseId::uuid)),
            &some(cause.compensation.map(CompensationId::uuid)),
            cause.reason_code.as_bytes(),
            &some(cause.branch.map(BranchId::uuid)),
            &cause.rule_version.to_be_bytes(),
            &some(cause.reverses.map(EntryId::uuid)),
            &cause.occurred_at_us.to_be_bytes(),
            self.actor.as_bytes(),
            &self.recorded_at_us.to_be_bytes(),
        ])
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use LedgerAccount as L;

    #[test]
    fn every_transfer_of_every_kind_keeps_the_law() {
        let full = Balances([100; 8]).0.map(|each| each * 3);
        for kind in EntryKind::ALL {
            for (debit, credit) in kind.transfers() {
                let mut balances = Balances(full);
                // Six credit-normal accounts against two debit-normal ones: give the difference to one side.
                balances.0[L::Issued as usize] += 4 * 300;
                assert!(balances.is_balanced());
                balances.transfer(*debit, *credit, Points(7)).unwrap();
                assert!(balances.is_balanced(), "{kind:?}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut balances = Balances::default();
        balances.transfer(L::Issued, L::Available, Points(5)).unwrap();
        let before = balances;
        assert_eq!(balances.transfer(L::Available, L::Reversed, Points(6)), Err(Unfit::Short(L::Available)));
        assert_eq!(balances.transfer(L::Available, L::Debt, Points(5)), Err(Unfit::Short(L::Debt)));
        assert_eq!(balances.transfer(L::Issued, L::Available, Points(i64::MAX)), Err(Unfit::TooLarge));
        assert_eq!(balances, before);
    }

    #[test]
    fn stored_words_lead_back() {
        for account in LedgerAccount::ALL {
            assert_eq!(LedgerAccount::find(account.as_str()), Some(account));
        }
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::find(kind.as_str()), Some(kind));
        }
        assert_eq!((LedgerAccount::find("bank"), EntryKind::find("steal")), (None, None));
    }
}
