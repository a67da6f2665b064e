//! What one receipt earned in one programme, and what of it came back. A return may be heard of before its sale: both
//! orders end in the same points.

use kernel::{Money, Points};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use super::{AccountId, EarnRule, EntryId, ProgramId, PurchaseId, Refusal, Remainders, Rounding};

/// A sale that earned, with the rules that held then: what it gave is taken back by the same rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// The purchase.
    pub purchase: PurchaseId,
    /// Whose points they are.
    pub account: AccountId,
    /// Sum of the lines that earn, minor units of the rule's currency.
    pub earning_minor: i64,
    /// How the amount became points.
    pub rule: EarnRule,
    /// What happened to parts of a point.
    pub rounding: Rounding,
    /// Version of the rules that held.
    pub rule_version: i64,
    /// The ledger entry of the points; `None` if there were none.
    pub entry: Option<EntryId>,
}

/// Goods of the receipt that came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    /// The return.
    pub purchase: PurchaseId,
    /// Sum of the lines that had earned.
    pub earning: Money,
}

/// What one receipt earned in one programme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    /// Follows from programme and receipt, see [`earning_id`].
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// The programme.
    pub program: ProgramId,
    /// The sale; `None` while only returns were heard of.
    pub sale: Option<Sale>,
    /// The returns so far.
    pub returns: Vec<Returned>,
}

/// The id of what a receipt earned: a UUID of version 8 made from a hash, so that the receipt itself is the key.
pub fn earning_id(program: ProgramId, source_system: &str, source_ref: &str) -> Uuid {
    let hash = commit::key(&[b"earning", program.uuid().as_bytes(), source_system.as_bytes(), source_ref.as_bytes()]);
    Builder::from_custom_bytes(hash.into_bytes()).into_uuid()
}

impl Earning {
    /// Nothing was heard of the receipt yet.
    pub const fn new(id: Uuid, program: ProgramId) -> Self {
        Self { id, version: 0, program, sale: None, returns: Vec::new() }
    }

    /// Whether this return was counted already.
    pub fn has_return(&self, purchase: PurchaseId) -> bool {
        self.returns.iter().any(|returned| returned.purchase == purchase)
    }

    /// Sum of what the receipt earned for and what is not returned, minor units; never negative. Returns in another
    /// currency do not count.
    pub fn kept_minor(&self) -> i64 {
        let Some(sale) = &self.sale else { return 0 };
        let back = self.returns.iter().filter(|returned| returned.earning.currency == sale.rule.currency);
        back.fold(sale.earning_minor, |kept, returned| kept.saturating_sub(returned.earning.minor)).max(0)
    }
}

impl Sale {
    /// Points for a change of the kept amount from `before` to `after` minor units: negative when goods come back. Each
    /// receipt is reckoned as a whole, or, where remainders are carried, all receipts of the account together; so the
    /// parts of a full return sum up to exactly what was given.
    pub fn points(&self, before: i64, after: i64, remainders: &mut Remainders) -> Result<Points, Refusal> {
        match self.rounding {
            Rounding::Floor => {
                let (before, after) = (self.rule.award(before)?, self.rule.award(after)?);
                after.minus(before).map_err(|_| Refusal::TooManyPoints)
            }
            Rounding::CarryRemainder => {
                let currency = self.rule.currency;
                let change = after.checked_sub(before).ok_or(Refusal::TooManyPoints)?;
                let (points, rest) = self.rule.carry(remainders.of(currency), change)?;
                remainders.set(currency, rest);
                Ok(points)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sale(earning_minor: i64, rounding: Rounding) -> Sale {
        Sale {
            purchase: PurchaseId(Uuid::from_u128(1)),
            account: AccountId(Uuid::from_u128(2)),
            earning_minor,
            rule: EarnRule { currency: "RWF".parse().unwrap(), points: 1, per_minor_units: 100 },
            rounding,
            rule_version: 1,
            entry: None,
        }
    }

    /// Takes parts of a sale back one after another; gives the points of each.
    fn take_back(sale: Sale, parts: &[i64], remainders: &mut Remainders) -> Vec<i64> {
        let currency = sale.rule.currency;
        let mut earning = Earning { sale: Some(sale.clone()), ..Earning::new(Uuid::nil(), ProgramId(Uuid::nil())) };
        let mut points = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let before = earning.kept_minor();
            let purchase = PurchaseId(Uuid::from_u128(100 + number as u128));
            earning.returns.push(Returned { purchase, earning: Money::new(currency, *part) });
            points.push(sale.points(before, earning.kept_minor(), remainders).unwrap().0);
        }
        points
    }

    #[test]
    fn partial_refunds_take_back_exactly_what_was_given() {
        let mut none = Remainders::default();
        assert_eq!(sale(1_999, Rounding::Floor).points(0, 1_999, &mut none), Ok(Points(19)));
        assert_eq!(take_back(sale(1_999, Rounding::Floor), &[700, 700, 599], &mut none), [-7, -7, -5]);
        assert_eq!(take_back(sale(1_999, Rounding::Floor), &[1_500, 1_500, 1], &mut none), [-15, -4, 0]);
    }

    #[test]
    fn small_purchases_add_up_where_the_remainder_is_carried() {
        let (carry, currency) = (sale(99, Rounding::CarryRemainder), "RWF".parse().unwrap());
        let mut left = Remainders::default();
        let given: i64 = (0..10).map(|_| carry.points(0, 99, &mut left).unwrap().0).sum();
        assert_eq!((given, left.of(currency)), (9, 90));
        assert_eq!(take_back(carry, &[99], &mut left), [-1]);
        assert_eq!(left.of(currency), 91, "floor(891/100) = 8, and 91 over");
        assert_eq!(sale(99, Rounding::Floor).points(0, 99, &mut left), Ok(Points(0)));
    }

    #[test]
    fn an_id_belongs_to_programme_and_receipt() {
        let id = |program, system: &str, number: &str| earning_id(ProgramId(Uuid::from_u128(program)), system, number);
        assert_eq!(id(1, "till", "7"), id(1, "till", "7"));
        for other in [id(2, "till", "7"), id(1, "web", "7"), id(1, "till", "8"), id(1, "till7", "")] {
            assert_ne!(id(1, "till", "7"), other);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_split_of_a_full_refund_sums_up(parts in prop::collection::vec(0..5_000_i64, 1..12), per in 1..2_000_i64, carry: bool) {
            let rounding = if carry { Rounding::CarryRemainder } else { Rounding::Floor };
            let mut whole = sale(parts.iter().sum(), rounding);
            whole.rule.per_minor_units = per;
            let mut left = Remainders::default();
            let given = whole.points(0, whole.earning_minor, &mut left).unwrap();
            let back: i64 = take_back(whole, &parts, &mut left).iter().sum();
            prop_assert_eq!(given.0 + back, 0);
            prop_assert!(left.is_empty());
        }
    }
}
