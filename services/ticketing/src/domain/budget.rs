//! Budgets: what of an allowance is reserved and spent in one period, and the ledger of how it came to that. An
//! amount moves from one account to another, so that no entry is ever changed.

use commit::{Log, Missing, Slot};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::code::codes;
use super::compensation::Terms;
use super::mandate::{Allowance, Mandate, Unit, allowance};
use super::{BranchId, ComplaintId, Cx};

codes! {
    /// Where an amount of a budget stands.
    pub enum Account {
        /// It can still be promised.
        Available = "AVAILABLE",
        /// It is on offer, or agreed and not given yet.
        Reserved = "RESERVED",
        /// It was given.
        Spent = "SPENT",
    }
}

/// What of an allowance was used in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Made from branch, unit and period.
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// The branch whose allowance it is.
    pub branch: BranchId,
    /// What the amounts count.
    pub unit: Unit,
    /// Name of the period, such as `2026-11`.
    pub period: String,
    /// The allowance when it was last reserved from.
    pub most: i64,
    /// On offer, or agreed and not given yet.
    pub reserved: i64,
    /// Given.
    pub spent: i64,
}

impl Budget {
    /// What can still be promised; below zero when the allowance was cut since.
    pub const fn available(&self) -> i64 {
        self.most.saturating_sub(self.reserved).saturating_sub(self.spent)
    }

    const fn account(&mut self, account: Account) -> Option<&mut i64> {
        match account {
            Account::Available => None,
            Account::Reserved => Some(&mut self.reserved),
            Account::Spent => Some(&mut self.spent),
        }
    }
}

/// An amount of a budget that belongs to an offer or a compensation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The budget.
    pub budget: Uuid,
    /// What the amount counts.
    pub unit: Unit,
    /// How much.
    pub amount: i64,
}

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetEntry {
    /// Its id.
    pub id: Uuid,
    /// The budget.
    pub budget: Uuid,
    /// Where the amount came from.
    pub from: Account,
    /// Where it went.
    pub to: Account,
    /// How much; above zero.
    pub amount: i64,
    /// For which complaint.
    pub complaint: ComplaintId,
    /// Who did it.
    pub by: String,
    /// When.
    pub at_us: i64,
}

/// The books of all budgets.
#[derive(Debug)]
pub struct Books<'w> {
    /// The budgets.
    pub budgets: &'w mut Slot<Budget>,
    /// Their ledger.
    pub entries: &'w mut Log<BudgetEntry>,
}

/// There is not enough left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Books<'_> {
    /// Reserves `amount` of `unit` from the nearest allowance of `mandates`, if any branch has one. `periods` names
    /// the period of an allowance.
    pub fn reserve(
        &mut self,
        mandates: &[Mandate],
        (unit, amount): (Unit, i64),
        period: impl Fn(Allowance) -> String,
        complaint: ComplaintId,
        cx: &mut Cx<'_>,
    ) -> Result<Result<Option<Hold>, Exhausted>, Missing> {
        let Some((branch, allowance)) = allowance(mandates, unit) else { return Ok(Ok(None)) };
        let period = period(allowance);
        let id = commit::key(&[b"budget", branch.uuid().as_bytes(), unit.code().as_bytes(), period.as_bytes()]);
        let mut budget = self.budgets.get(id)?.cloned().unwrap_or(Budget {
            id,
            version: 0,
            branch,
            unit,
            period,
            most: allowance.most,
            reserved: 0,
            spent: 0,
        });
        budget.most = allowance.most;
        if budget.available() < amount {
            return Ok(Err(Exhausted));
        }
        self.budgets.insert(budget);
        let hold = Hold { budget: id, unit, amount };
        self.shift(&hold, Account::Available, Account::Reserved, complaint, cx)?;
        Ok(Ok(Some(hold)))
    }

    /// Moves a held amount and writes it down.
    pub fn shift(
        &mut self,
        hold: &Hold,
        from: Account,
        to: Account,
        complaint: ComplaintId,
        cx: &mut Cx<'_>,
    ) -> Result<(), Missing> {
        let Some(budget) = self.budgets.edit(hold.budget)? else { return Ok(()) };
        if hold.amount <= 0 {
            return Ok(());
        }
        if let Some(account) = budget.account(from) {
            *account = account.saturating_sub(hold.amount);
        }
        if let Some(account) = budget.account(to) {
            *account = account.saturating_add(hold.amount);
        }
        let (id, budget, by) = (cx.new_id(), hold.budget, cx.by.to_owned());
        self.entries.push(BudgetEntry { id, budget, from, to, amount: hold.amount, complaint, by, at_us: cx.now_us });
        Ok(())
    }
}

/// The largest amount of each unit among `terms`: one of them will be chosen.
pub fn largest<'t>(terms: impl Iterator<Item = &'t Terms>) -> Vec<(Unit, i64)> {
    let mut found: Vec<(Unit, i64)> = Vec::new();
    for (unit, amount) in terms.map(Terms::amount) {
        match found.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, most)) => *most = amount.max(*most),
            None => found.push((unit, amount)),
        }
    }
    found
}
