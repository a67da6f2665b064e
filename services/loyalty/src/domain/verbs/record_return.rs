//! Goods come back, and with them the points that they earned.

use commit::{Verb, ensure};
use kernel::{Money, Points};

use super::shared::{edit_account, for_each_program, member};
use crate::Loyalty;
use crate::domain::posting::Pen;
use crate::domain::{
    Account, AccountId, Books, BranchId, Cause, CustomerId, Cx, EarnRule, Earning, EntryId, Event, Program, PurchaseId,
    Refusal, Returned, Rounding, Stop, earning_id,
};

/// Takes note of a return.
#[derive(Clone, Debug)]
pub struct RecordReturn {
    /// The return.
    pub purchase: PurchaseId,
    /// The system that it comes from.
    pub source_system: String,
    /// Number of the receipt of the sale there; empty if unknown.
    pub original_source_ref: String,
    /// Who brought the goods back, if known.
    pub customer: Option<CustomerId>,
    /// Where.
    pub branch: BranchId,
    /// Sum of the lines that had earned, not negated.
    pub earning: Money,
    /// When, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}

impl Verb<Loyalty> for RecordReturn {
    type Reply = ();

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        // A programme that is over gives nothing, but still takes back what it gave.
        let programs = cx.settings;
        for_each_program(programs.iter(), |program| {
            if self.original_source_ref.is_empty() {
                self.take_without_receipt(program, w, cx)
            } else {
                self.take_with_receipt(program, w, cx)
            }
        })
    }
}

impl RecordReturn {
    /// The sale is known by its receipt: its points are reckoned anew for what was kept of it. A return that is heard
    /// of before its sale waits with the receipt.
    fn take_with_receipt(&self, program: &Program, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let key = earning_id(program.id, &self.source_system, &self.original_source_ref);
        let known = w.earnings.get(key)?.cloned();
        let may_earn_later = program.is_active() && program.find_rule(self.earning.currency).is_some();
        if known.is_none() && !may_earn_later {
            return Ok(());
        }
        let mut earning = known.unwrap_or_else(|| Earning::new(key, program.id));
        if earning.has_return(self.purchase) {
            return Ok(());
        }
        let before = earning.kept_minor();
        let earning_back = Money::new(self.earning.currency, self.earning.minor.max(0));
        earning.returns.push(Returned { purchase: self.purchase, earning: earning_back });
        if let Some(sale) = &earning.sale {
            ensure!(sale.rule.currency == self.earning.currency, Refusal::CurrencyMismatch);
            let account = w.accounts.get(sale.account)?;
            let mut remainders = account.map(|account| account.spent_remainders.clone()).unwrap_or_default();
            let points = sale.points(before, earning.kept_minor(), &mut remainders)?;
            let is_changed = account.is_some_and(|account| account.spent_remainders != remainders);
            if points < Points::ZERO || is_changed {
                let account = edit_account(&mut w.accounts, sale.account)?;
                account.spent_remainders = remainders;
                let back = Points(points.0.saturating_neg());
                let pen = Pen {
                    entries: &mut w.entries,
                    presences: &mut w.presences,
                    cx,
                    cause: self.cause(sale.rule_version, sale.entry),
                };
                self.claw_back(program, account, back, pen)?;
            }
        }
        w.earnings.insert(earning);
        Ok(())
    }

    /// The sale is not known. By the rules of today, but never more than the customer ever earned: the goods may be
    /// older than the account.
    fn take_without_receipt(&self, program: &Program, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let (Some(customer), Some(rule)) = (self.customer, program.find_rule(self.earning.currency)) else {
            return Ok(());
        };
        if !program.is_active() || self.earning.minor <= 0 {
            return Ok(());
        }
        let Some(account) = member(w, program.id, customer)? else { return Ok(()) };
        let is_open = w.accounts.get(account)?.is_some_and(Account::is_open);
        if is_open { self.take_by_rule(program, rule, account, w, cx) } else { Ok(()) }
    }

    fn take_by_rule(
        &self,
        program: &Program,
        rule: EarnRule,
        account: AccountId,
        w: &mut Books,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let account = edit_account(&mut w.accounts, account)?;
        let points = match program.terms.rounding {
            Rounding::CarryRemainder => {
                let (points, rest) = rule.carry(account.spent_remainders.of(rule.currency), -self.earning.minor)?;
                account.spent_remainders.set(rule.currency, rest);
                Points(points.0.saturating_neg())
            }
            // Rounded down together, not one by one: else many small returns would take nothing back.
            Rounding::Floor => {
                let (points, rest) = rule.carry(account.returned_remainders.of(rule.currency), self.earning.minor)?;
                account.returned_remainders.set(rule.currency, rest);
                points
            }
        };
        let points = points.min(account.earned).max(Points::ZERO);
        let pen = Pen {
            entries: &mut w.entries,
            presences: &mut w.presences,
            cx,
            cause: self.cause(program.rule_version, None),
        };
        self.claw_back(program, account, points, pen)
    }

    fn claw_back(
        &self,
        program: &Program,
        account: &mut Account,
        points: Points,
        mut pen: Pen<'_, '_>,
    ) -> Result<(), Stop> {
        if points > Points::ZERO && account.is_open() {
            let clawed = pen.claw_back(account, program.terms.return_policy, points)?;
            if clawed.total() > Points::ZERO {
                let moved = account.moved(clawed.total());
                let event = Event::PointsClawedBack { moved, short: clawed.short, purchase: self.purchase };
                pen.cx.emit_at(account, event, self.occurred_at_us);
            }
        }
        Ok(())
    }

    fn cause(&self, rule_version: i64, reverses: Option<EntryId>) -> Cause {
        Cause {
            purchase: Some(self.purchase),
            branch: Some(self.branch),
            rule_version,
            reverses,
            occurred_at_us: self.occurred_at_us,
            ..Cause::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Points;

    use crate::domain::verbs::testing::{ANN, BOB, Till, terms};
    use crate::domain::{EntryKind as K, Event, LedgerAccount as L, Refusal, ReturnPolicy, Terms};

    fn stand(till: &mut Till) -> (i64, i64) {
        let balances = till.account(ANN).balances;
        (balances.of(L::Available).0, balances.of(L::Debt).0)
    }

    #[test]
    fn partial_returns_take_back_exactly_what_was_given() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_999).unwrap();
        let left = [("r1", 700, 12), ("r2", 700, 5), ("r3", 599, 0)].map(|(receipt, minor, left)| {
            till.take_back(receipt, "1", Some(ANN), "RWF", minor).unwrap();
            (stand(&mut till).0, left)
        });
        assert!(left.iter().all(|(stands, expected)| stands == expected), "{left:?}");
    }

    #[test]
    fn spent_points_become_a_debt_that_the_next_ones_settle() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 20_000).unwrap();
        till.adjust(ANN, -200).unwrap();
        till.told();
        till.take_back("r1", "1", Some(ANN), "RWF", 20_000).unwrap();
        assert_eq!(stand(&mut till), (0, 200));
        assert!(matches!(&till.told()[..], [Event::PointsClawedBack { moved, short, .. }]
            if moved.points == Points(200) && *short == Points(200)));
        till.sell("2", ANN, "RWF", 15_000).unwrap();
        assert_eq!(stand(&mut till), (0, 50));
        till.sell("3", ANN, "RWF", 10_000).unwrap();
        assert_eq!(stand(&mut till), (50, 0));
        let kinds: Vec<K> = till.entries(ANN).iter().map(|entry| entry.kind).collect();
        assert_eq!(
            kinds,
            [K::Accrue, K::AdjustDown, K::ClawbackShort, K::Accrue, K::SettleDebt, K::Accrue, K::SettleDebt]
        );
    }

    #[test]
    fn a_clawback_names_the_entry_that_it_undoes() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 500).unwrap();
        till.take_back("r1", "1", None, "RWF", 500).unwrap();
        let entries = till.entries(ANN);
        assert_eq!(entries[1].cause.reverses, Some(entries[0].id));
        assert_eq!(stand(&mut till), (0, 0), "the receipt tells whose points they were");
    }

    #[test]
    fn other_policies_let_go_what_is_missing() {
        for (policy, left) in [(ReturnPolicy::WithinBalance, (0, 0)), (ReturnPolicy::OnlyPending, (5, 0))] {
            let mut till = Till::open(Terms { return_policy: policy, ..terms() });
            till.sell("1", ANN, "RWF", 2_000).unwrap();
            till.adjust(ANN, -15).unwrap();
            till.take_back("r1", "1", Some(ANN), "RWF", 2_000).unwrap();
            assert_eq!(stand(&mut till), left, "{policy:?}");
        }
    }

    #[test]
    fn a_return_that_comes_before_its_sale_counts_when_the_sale_comes() {
        let mut till = Till::open(terms());
        till.take_back("r1", "1", Some(ANN), "RWF", 700).unwrap();
        assert!(till.find_account(ANN).is_none(), "a return enrols nobody");
        till.sell("1", ANN, "RWF", 1_999).unwrap();
        assert_eq!(stand(&mut till), (12, 0));
    }

    #[test]
    fn a_return_counts_once_and_never_for_more_than_the_sale() {
        let mut till = Till::open(terms());
        till.sell("0", ANN, "RWF", 1_000).unwrap();
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        till.take_back("r1", "1", Some(ANN), "RWF", 300).unwrap();
        till.take_back("r1", "1", Some(ANN), "RWF", 300).unwrap();
        assert_eq!(stand(&mut till), (17, 0));
        till.take_back("r2", "1", Some(ANN), "RWF", 5_000).unwrap();
        assert_eq!(stand(&mut till), (10, 0));
    }

    #[test]
    fn without_a_receipt_no_more_is_taken_than_was_ever_earned() {
        let mut till = Till::open(terms());
        till.enrol(ANN).unwrap();
        till.take_back("r0", "", Some(ANN), "RWF", 90_000).unwrap();
        assert_eq!(stand(&mut till), (0, 0), "goods from before the account");
        till.sell("1", ANN, "RWF", 1_999).unwrap();
        for (receipt, left) in [("r1", 12), ("r2", 5), ("r3", 0), ("r4", 0)] {
            till.take_back(receipt, "", Some(ANN), "RWF", 700).unwrap();
            assert_eq!(stand(&mut till), (left, 0), "{receipt}");
        }
    }

    #[test]
    fn many_small_returns_without_receipt_leak_nothing() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        for number in 0..20 {
            till.take_back(&format!("r{number}"), "", Some(ANN), "RWF", 50).unwrap();
        }
        assert_eq!(stand(&mut till), (0, 0));
    }

    #[test]
    fn returns_of_strangers_and_of_other_currencies_take_nothing() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        till.take_back("r1", "", None, "RWF", 1_000).unwrap();
        till.take_back("r2", "", Some(BOB), "RWF", 1_000).unwrap();
        till.take_back("r3", "", Some(ANN), "JPY", 1_000).unwrap();
        till.take_back("r4", "unknown", Some(ANN), "RWF", 1_000).unwrap();
        assert_eq!(stand(&mut till), (10, 0));
        assert_eq!(till.take_back("r5", "1", Some(ANN), "GBP", 1_000), Err(Refusal::CurrencyMismatch));
    }
}
