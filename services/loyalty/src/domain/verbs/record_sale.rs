//! A purchase earns points, in every programme that has a rule for its currency.

use commit::Verb;
use kernel::{Money, Points};

use super::shared::{Newcomer, edit_account, enrol, for_each_program, member};
use crate::Loyalty;
use crate::domain::posting::Pen;
use crate::domain::{
    AccountId, AccountKind, Books, BranchId, Cause, CustomerId, Cx, EarnRule, Earning, EntryKind, Event, Program,
    PurchaseId, Sale, Stop, earning_id,
};

/// Takes note of a purchase by a known customer. Who bought unknown earns nothing.
#[derive(Clone, Debug)]
pub struct RecordSale {
    /// The purchase.
    pub purchase: PurchaseId,
    /// The system that it comes from.
    pub source_system: String,
    /// Number of the receipt there.
    pub source_ref: String,
    /// Who bought.
    pub customer: CustomerId,
    /// Where.
    pub branch: BranchId,
    /// Sum of the lines that earn.
    pub earning: Money,
    /// When, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
}

impl Verb<Loyalty> for RecordSale {
    type Reply = ();

    fn decide(&self, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let programs = cx.settings;
        for_each_program(programs.active(), |program| self.earn(program, w, cx))
    }
}

impl RecordSale {
    fn earn(&self, program: &Program, w: &mut Books, cx: &mut Cx<'_>) -> Result<(), Stop> {
        let Some(rule) = program.find_rule(self.earning.currency) else { return Ok(()) };
        let key = earning_id(program.id, &self.source_system, &self.source_ref);
        // Both are asked for before either is missed, so that one round of loading brings both.
        let known = w.earnings.get(key).map(Option::<&Earning>::cloned);
        let account = member(w, program.id, self.customer);
        let earning = known?.unwrap_or_else(|| Earning::new(key, program.id));
        if earning.sale.is_some() {
            return Ok(());
        }
        let account = match account? {
            Some(account) => account,
            None if program.terms.auto_enrol => {
                let kind = AccountKind::Person;
                enrol(w, cx, program, Newcomer { customer: self.customer, kind, home_branch: Some(self.branch) })?
            }
            None => return Ok(()),
        };
        self.give(program, Earned { account, rule }, earning, w, cx)
    }

    fn give(
        &self,
        program: &Program,
        earned: Earned,
        mut earning: Earning,
        w: &mut Books,
        cx: &mut Cx<'_>,
    ) -> Result<(), Stop> {
        let Some(before) = w.accounts.get(earned.account)?.filter(|account| account.is_open()) else { return Ok(()) };
        let mut remainders = before.spent_remainders.clone();
        let sale = earning.sale.insert(Sale {
            purchase: self.purchase,
            account: earned.account,
            earning_minor: self.earning.minor.max(0),
            rule: earned.rule,
            rounding: program.terms.rounding,
            rule_version: program.rule_version,
            entry: None,
        });
        let mut sale = sale.clone();
        let points = sale.points(0, earning.kept_minor(), &mut remainders)?;
        if points > Points::ZERO || remainders != before.spent_remainders {
            let account = edit_account(&mut w.accounts, earned.account)?;
            account.spent_remainders = remainders;
            if points > Points::ZERO {
                let cause = Cause {
                    purchase: Some(self.purchase),
                    branch: Some(self.branch),
                    rule_version: sale.rule_version,
                    occurred_at_us: self.occurred_at_us,
                    ..Cause::default()
                };
                let entry = Pen { entries: &mut w.entries, presences: &mut w.presences, cx, cause }.give(
                    account,
                    EntryKind::Accrue,
                    points,
                )?;
                sale.entry = Some(entry.id);
                let event =
                    Event::PointsAccrued { moved: account.moved(points), purchase: self.purchase, branch: self.branch };
                cx.emit_at(account, event, self.occurred_at_us);
            }
        }
        earning.sale = Some(sale);
        w.earnings.insert(earning);
        Ok(())
    }
}

/// Whose points they become, and how.
struct Earned {
    account: AccountId,
    rule: EarnRule,
}

#[cfg(test)]
mod tests {
    use kernel::Points;

    use crate::domain::verbs::testing::{ANN, Till, terms};
    use crate::domain::{Event, LedgerAccount as L, ProgramState, Rounding};

    #[test]
    fn the_first_purchase_enrols_and_earns() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_999).unwrap();
        let account = till.account(ANN);
        assert_eq!((account.balances.of(L::Available), account.earned, account.last_seq), (Points(19), Points(19), 1));
        let told = till.told();
        assert!(
            matches!(&told[..], [Event::AccountEnrolled { .. }, Event::PointsAccrued { moved, .. }]
            if moved.points == Points(19) && moved.seq == 1 && moved.balances == account.balances),
            "{told:?}"
        );
    }

    #[test]
    fn a_receipt_earns_once() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 500).unwrap();
        till.sell("1", ANN, "RWF", 500).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(5));
    }

    #[test]
    fn a_currency_without_a_rule_earns_nothing_and_enrols_nobody() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "JPY", 100_000).unwrap();
        assert!(till.find_account(ANN).is_none());
        assert_eq!(till.told(), []);
    }

    #[test]
    fn too_little_for_a_point_leaves_the_account_alone() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 99).unwrap();
        let before = till.account(ANN);
        till.sell("2", ANN, "RWF", 99).unwrap();
        till.sell("3", ANN, "RWF", -500).unwrap();
        assert_eq!(till.account(ANN), before);
    }

    #[test]
    fn nobody_is_enrolled_where_customers_choose_it() {
        let mut till = Till::open(crate::domain::Terms { auto_enrol: false, ..terms() });
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        assert!(till.find_account(ANN).is_none());
        till.enrol(ANN).unwrap();
        till.sell("2", ANN, "RWF", 1_000).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(10));
    }

    #[test]
    fn a_closed_programme_gives_nothing() {
        let mut till = Till::open(terms());
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        till.program_state(ProgramState::Closed);
        till.sell("2", ANN, "RWF", 1_000).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(10));
    }

    #[test]
    fn remainders_are_carried_where_the_programme_says_so() {
        let mut till = Till::open(crate::domain::Terms { rounding: Rounding::CarryRemainder, ..terms() });
        for receipt in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"] {
            till.sell(receipt, ANN, "RWF", 99).unwrap();
        }
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(9));
        till.take_back("r1", "10", Some(ANN), "RWF", 99).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(8));
    }

    #[test]
    fn several_programmes_earn_side_by_side() {
        let mut till = Till::open(terms());
        let second = till.add_program("SECOND", terms());
        till.sell("1", ANN, "RWF", 1_000).unwrap();
        assert_eq!(till.account(ANN).balances.of(L::Available), Points(10));
        assert_eq!(till.account_in(second, ANN).unwrap().balances.of(L::Available), Points(10));
    }
}
