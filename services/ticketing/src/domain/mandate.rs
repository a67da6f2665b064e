//! Mandates: how much compensation whom a branch trusts with, and what it may spend in a period. Looked up from
//! the branch upwards: the most specific branch wins, then the role, then the kind; where rules stand and none
//! fits, nothing may be promised.

use jiff::civil::Date;
use kernel::{Currency, DAY_US};
use serde::{Deserialize, Serialize};

use super::BranchId;
use super::code::codes;
use super::compensation::{Good, Terms};

/// What an amount counts: points, or minor units of a currency. There is no conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Unit {
    /// Loyalty points.
    Points,
    /// Minor units of a currency: 1 is one JPY, one cent of GBP, one fils of KWD.
    Money(Currency),
}

impl Unit {
    /// `POINTS`, or the code of the currency.
    pub fn code(&self) -> &str {
        match self {
            Self::Points => "POINTS",
            Self::Money(currency) => currency.code(),
        }
    }
}

impl Terms {
    /// What is given as a number, and what it counts.
    pub const fn amount(&self) -> (Unit, i64) {
        match self {
            Self::Points(points) => (Unit::Points, points.0),
            Self::Worth { amount, .. } => (Unit::Money(amount.currency), amount.minor),
        }
    }

    /// What is given, unless it is points.
    const fn good(&self) -> Option<Good> {
        match self {
            Self::Points(_) => None,
            Self::Worth { good, .. } => Some(*good),
        }
    }
}

/// At most so much within so many days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// The most, in the unit of the rule.
    pub most: i64,
    /// The days, counted back from now.
    pub days: i32,
}

impl Rolling {
    /// The first instant that counts at `now_us`.
    pub fn since_us(&self, now_us: i64) -> i64 {
        now_us.saturating_sub(i64::from(self.days).saturating_mul(DAY_US))
    }
}

/// How much one kind of person may promise alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Code of the role; `None` = everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What may be given; `None` = anything that is counted in the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Good>,
    /// What the amounts count.
    pub unit: Unit,
    /// The most at once; what was split counts together.
    pub most: i64,
    /// The most for one customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<Rolling>,
    /// The most by one person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_agent: Option<Rolling>,
    /// Above this, two people agree, whatever they may promise alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub four_eyes_above: Option<i64>,
    /// From when on it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from_us: Option<i64>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to_us: Option<i64>,
}

impl Rule {
    fn is_about(&self, terms: &Terms, roles: &[String], now_us: i64) -> bool {
        self.unit == terms.amount().0
            && self.good.is_none_or(|good| terms.good() == Some(good))
            && self.role.as_ref().is_none_or(|role| roles.contains(role))
            && self.valid_from_us.is_none_or(|from_us| from_us <= now_us)
            && self.valid_to_us.is_none_or(|to_us| now_us < to_us)
    }

    /// What makes one rule of a branch go before another: its role, its kind, its amount.
    fn rank(&self) -> (bool, bool, i64) {
        (self.role.is_some(), self.good.is_some(), self.most)
    }
}

codes! {
    /// After how long a budget begins anew.
    pub enum Period {
        /// With every month of the branch's calendar.
        Month = "MONTH",
        /// With every year of the branch's calendar.
        Year = "YEAR",
    }
}

impl Period {
    /// The name of the period that holds `day`, such as `2026-11`.
    pub fn name(self, day: Date) -> String {
        match self {
            Self::Month => format!("{:04}-{:02}", day.year(), day.month()),
            Self::Year => format!("{:04}", day.year()),
        }
    }
}

/// What a branch, with everything below it, may spend in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// What the amount counts.
    pub unit: Unit,
    /// After how long it begins anew.
    pub period: Period,
    /// The most.
    pub most: i64,
}

/// What one branch trusts its people with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mandate {
    /// The branch.
    pub branch: BranchId,
    /// Counts up with every change.
    pub version: i64,
    /// How much whom it trusts with.
    pub rules: Vec<Rule>,
    /// What it may spend.
    pub allowances: Vec<Allowance>,
    /// When it was made.
    pub created_at_us: i64,
    /// When it last changed.
    pub updated_at_us: i64,
}

/// What holds for somebody who would promise something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit<'m> {
    /// No branch has rules: the limits of the house.
    House,
    /// This rule.
    Rule(&'m Rule),
    /// There are rules and none fits.
    Nothing,
}

/// The limit for `terms` of somebody with `roles` at the first of the branches of `mandates`, which go upwards.
pub fn limit<'m>(mandates: &'m [Mandate], roles: &[String], terms: &Terms, now_us: i64) -> Limit<'m> {
    let fitting = |mandate: &'m Mandate| {
        let rules = mandate.rules.iter().filter(|rule| rule.is_about(terms, roles, now_us));
        rules.max_by_key(|rule| rule.rank())
    };
    if mandates.iter().all(|mandate| mandate.rules.is_empty()) {
        return Limit::House;
    }
    mandates.iter().find_map(fitting).map_or(Limit::Nothing, Limit::Rule)
}

/// The nearest branch of `mandates`, which go upwards, with an allowance for `unit`.
pub fn allowance(mandates: &[Mandate], unit: Unit) -> Option<(BranchId, Allowance)> {
    mandates.iter().find_map(|mandate| {
        let found = mandate.allowances.iter().find(|allowance| allowance.unit == unit);
        found.map(|allowance| (mandate.branch, *allowance))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use kernel::{Money, Points};

    use super::*;

    fn rule(role: Option<&str>, good: Option<Good>, unit: Unit, most: i64) -> Rule {
        Rule {
            role: role.map(str::to_owned),
            good,
            unit,
            most,
            per_customer: None,
            per_agent: None,
            four_eyes_above: None,
            valid_from_us: Some(10),
            valid_to_us: Some(20),
        }
    }

    fn mandate(branch: u128, rules: Vec<Rule>) -> Mandate {
        let branch = BranchId(uuid::Uuid::from_u128(branch));
        Mandate { branch, version: 1, rules, allowances: Vec::new(), created_at_us: 0, updated_at_us: 0 }
    }

    fn money(code: &str) -> Unit {
        Unit::Money(code.parse().unwrap())
    }

    fn voucher(code: &str, minor: i64) -> Terms {
        Terms::Worth { good: Good::Voucher, amount: Money::new(code.parse().unwrap(), minor) }
    }

    #[test]
    fn the_nearest_branch_wins_then_the_role_then_the_kind() {
        let till = mandate(1, vec![rule(None, None, money("RWF"), 100)]);
        let region = mandate(
            2,
            vec![
                rule(None, Some(Good::Voucher), money("RWF"), 900),
                rule(Some("lead"), None, money("RWF"), 500),
                rule(Some("lead"), Some(Good::Voucher), money("RWF"), 700),
                rule(None, None, Unit::Points, 50),
            ],
        );
        let path = [till.clone(), region.clone()];
        let lead = ["lead".to_owned()];
        let most = |mandates: &[Mandate], roles: &[String], terms: &Terms| match limit(mandates, roles, terms, 15) {
            Limit::Rule(rule) => Some(rule.most),
            _ => None,
        };
        assert_eq!(most(&path, &lead, &voucher("RWF", 1)), Some(100), "the nearest branch");
        assert_eq!(most(std::slice::from_ref(&region), &lead, &voucher("RWF", 1)), Some(700), "role and kind");
        assert_eq!(most(&[region], &[], &voucher("RWF", 1)), Some(900), "everybody");
        assert_eq!(most(&path, &lead, &Terms::Points(Points(1))), Some(50), "from above");
    }

    #[test]
    fn a55_another_currency_has_no_limit_of_this_one() {
        for code in ["JPY", "KWD", "GBP"] {
            let mandates = [mandate(1, vec![rule(None, None, money(code), 1_500)])];
            assert!(matches!(limit(&mandates, &[], &voucher(code, 1), 15), Limit::Rule(_)));
            assert_eq!(limit(&mandates, &[], &voucher("RWF", 1), 15), Limit::Nothing);
        }
    }

    #[test]
    fn rules_hold_in_their_time_and_none_that_fits_means_nothing() {
        let mandates = [mandate(1, vec![rule(None, None, money("RWF"), 5)])];
        for (now_us, found) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(matches!(limit(&mandates, &[], &voucher("RWF", 1), now_us), Limit::Rule(_)), found);
        }
        assert_eq!(limit(&[mandate(1, vec![])], &[], &voucher("RWF", 1), 15), Limit::House);
    }

    #[test]
    fn periods_are_those_of_the_calendar() {
        let day: Date = "2026-11-30".parse().unwrap();
        assert_eq!((Period::Month.name(day).as_str(), Period::Year.name(day).as_str()), ("2026-11", "2026"));
    }
}
