//! Writing to the ledger: the only way in which balances change. Every entry moves the balances of its account, takes
//! the next number and is sealed behind the one before.

use commit::Log;
use kernel::Points;

use super::{Account, Cause, Cx, Entry, EntryId, EntryKind, LedgerAccount, Presence, Refusal, ReturnPolicy, Unfit};

/// Writes entries that have one cause.
pub(super) struct Pen<'a, 'c> {
    pub(super) entries: &'a mut Log<Entry>,
    pub(super) presences: &'a mut Log<Presence>,
    pub(super) cx: &'a mut Cx<'c>,
    pub(super) cause: Cause,
}

/// Points that were taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Clawed {
    /// From the balance.
    pub(super) taken: Points,
    /// Missing: now a debt.
    pub(super) short: Points,
}

impl Clawed {
    pub(super) fn total(self) -> Points {
        // Both are parts of one number of points.
        Points(self.taken.0 + self.short.0)
    }
}

impl Pen<'_, '_> {
    /// Gives new points to an account; a debt is settled by them at once. Gives the entry of the gift.
    pub(super) fn give(&mut self, account: &mut Account, kind: EntryKind, points: Points) -> Result<Entry, Refusal> {
        let entry = self.write(account, kind, LedgerAccount::Issued, LedgerAccount::Available, points)?;
        let settled = account.balances.of(LedgerAccount::Debt).min(account.balances.of(LedgerAccount::Available));
        if settled > Points::ZERO {
            self.write(account, EntryKind::SettleDebt, LedgerAccount::Available, LedgerAccount::Debt, settled)?;
        }
        Ok(entry)
    }

    /// Takes points that are there from an account, by hand.
    pub(super) fn take(&mut self, account: &mut Account, points: Points) -> Result<Entry, Refusal> {
        self.write(account, EntryKind::AdjustDown, LedgerAccount::Available, LedgerAccount::Reversed, points)
    }

    /// Takes points of a return back: pending ones first, then available ones; what is missing then becomes a debt, or
    /// is let go, as the policy says.
    pub(super) fn claw_back(
        &mut self,
        account: &mut Account,
        policy: ReturnPolicy,
        points: Points,
    ) -> Result<Clawed, Refusal> {
        let sources: &[LedgerAccount] = match policy {
            ReturnPolicy::OnlyPending => &[LedgerAccount::Pending],
            ReturnPolicy::WithinBalance | ReturnPolicy::Debt => &[LedgerAccount::Pending, LedgerAccount::Available],
        };
        let mut clawed = Clawed::default();
        for source in sources {
            let part = Points(points.0 - clawed.taken.0).min(account.balances.of(*source));
            if part > Points::ZERO {
                self.write(account, EntryKind::Clawback, *source, LedgerAccount::Reversed, part)?;
                clawed.taken.0 += part.0;
            }
        }
        let missing = Points(points.0 - clawed.taken.0);
        if policy == ReturnPolicy::Debt && missing > Points::ZERO {
            self.write(account, EntryKind::ClawbackShort, LedgerAccount::Debt, LedgerAccount::Reversed, missing)?;
            clawed.short = missing;
        }
        Ok(clawed)
    }

    fn write(
        &mut self,
        account: &mut Account,
        kind: EntryKind,
        debit: LedgerAccount,
        credit: LedgerAccount,
        points: Points,
    ) -> Result<Entry, Refusal> {
        account.balances.transfer(debit, credit, points).map_err(|unfit| match unfit {
            Unfit::TooLarge => Refusal::TooManyPoints,
            Unfit::Short(short) => Refusal::InsufficientPoints { available: account.balances.of(short).0 },
        })?;
        let earned = points.0.checked_mul(kind.earns()).ok_or(Refusal::TooManyPoints)?;
        account.earned = account.earned.plus(Points(earned)).map_err(|_| Refusal::TooManyPoints)?;
        if let Some(presence) = self.cause.branch.and_then(|branch| account.arrive(branch)) {
            self.presences.push(presence);
        }
        account.last_seq += 1;
        account.updated_at_us = self.cx.now_us;
        let mut entry = Entry {
            id: EntryId(self.cx.new_id()),
            account: account.id,
            seq: account.last_seq,
            kind,
            debit,
            credit,
            points,
            cause: self.cause.clone(),
            actor: self.cx.by.to_owned(),
            recorded_at_us: self.cx.now_us,
            seal: account.seal,
        };
        entry.seal = entry.sealed_behind(account.seal);
        account.seal = entry.seal;
        self.entries.push(entry.clone());
        Ok(entry)
    }
}
