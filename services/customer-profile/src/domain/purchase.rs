//! Purchases and returns: named for ever by the system and number of their receipt, summed from their lines, never
//! changed.

use commit::key;
use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

use super::{BranchId, CustomerId, Identifier, MAX_AHEAD_US, PurchaseFacts, PurchaseId, Refusal};

/// Which way goods and money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseKind {
    /// Goods to the customer.
    Sale,
    /// Goods back to the branch.
    Return,
}

impl PurchaseKind {
    /// The code in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Return => "return",
        }
    }

    /// The kind with this code.
    pub fn find(code: &str) -> Option<Self> {
        [Self::Sale, Self::Return].into_iter().find(|kind| kind.code() == code)
    }
}

/// One line of a receipt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Code of the article.
    pub sku: String,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Code of its category; empty if none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category_code: String,
    /// How many pieces; greater than 0.
    pub quantity: i64,
    /// Price of one piece, minor units; negative for a discount.
    pub unit_minor: i64,
    /// The line earns points.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub earns: bool,
}

/// Who bought, as the caller says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buyer {
    /// Someone unknown.
    Unknown,
    /// The customer with this id.
    Customer(CustomerId),
    /// The customer with this handle.
    Handle {
        /// The handle.
        identifier: Identifier,
        /// Create a customer if no one has it.
        create: bool,
    },
}

/// A purchase or return as a till reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPurchase {
    /// The system that it comes from.
    pub source_system: String,
    /// Its number there.
    pub source_ref: String,
    /// Where it happened.
    pub branch: BranchId,
    /// Who bought.
    pub buyer: Buyer,
    /// Which way it went.
    pub kind: PurchaseKind,
    /// When it happened, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
    /// Currency of all amounts.
    pub currency: Currency,
    /// The lines.
    pub lines: Vec<Line>,
    /// The sum as the source has it, if it says so; minor units.
    pub total_minor: Option<i64>,
    /// For a return: number of the sale in the same system; empty if unknown.
    pub original_source_ref: String,
}

impl NewPurchase {
    /// Its id, which follows from its receipt.
    pub fn id(&self) -> PurchaseId {
        purchase_id(&self.source_system, &self.source_ref)
    }

    /// Tells one content from another: 8 bytes of a hash over everything that the till reported. How the total was
    /// checked and whether a customer may be created are not content.
    pub fn fingerprint(&self) -> i64 {
        let mut bytes = Vec::with_capacity(64 + self.lines.len() * 48);
        let mut put = |part: &[u8]| {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part);
        };
        put(self.branch.uuid().as_bytes());
        match &self.buyer {
            Buyer::Unknown => put(b""),
            Buyer::Customer(id) => put(id.uuid().as_bytes()),
            Buyer::Handle { identifier, .. } => put(identifier.claim()),
        }
        put(self.kind.code().as_bytes());
        put(&self.occurred_at_us.to_be_bytes());
        put(self.currency.code().as_bytes());
        put(self.original_source_ref.as_bytes());
        for line in &self.lines {
            put(line.sku.as_bytes());
            put(line.description.as_bytes());
            put(line.category_code.as_bytes());
            put(&line.quantity.to_be_bytes());
            put(&line.unit_minor.to_be_bytes());
            put(&[u8::from(line.earns)]);
        }
        commit::fingerprint(&bytes)
    }

    /// Sum of all lines and of those that earn, after every rule that needs no stored data.
    pub fn check(&self, now_us: i64) -> Result<(Money, Money), Refusal> {
        if self.occurred_at_us > now_us.saturating_add(MAX_AHEAD_US) {
            return Err(Refusal::OccursInFuture);
        }
        if self.kind == PurchaseKind::Sale && !self.original_source_ref.is_empty() {
            return Err(Refusal::OriginalOfSale);
        }
        let (mut total, mut earning) = (Money::zero(self.currency), Money::zero(self.currency));
        for line in &self.lines {
            let amount = Money::new(self.currency, line.unit_minor).times(line.quantity);
            let amount = amount.map_err(|_| Refusal::AmountTooLarge)?;
            total = total.plus(amount).map_err(|_| Refusal::AmountTooLarge)?;
            if line.earns {
                earning = earning.plus(amount).map_err(|_| Refusal::AmountTooLarge)?;
            }
        }
        if self.total_minor.is_some_and(|given| given != total.minor) {
            return Err(Refusal::TotalMismatch);
        }
        Ok((total, earning))
    }
}

/// The id of the purchase with this receipt: a UUID of version 8 made from its hash, so that the receipt itself is the
/// unique key and needs no second index.
pub fn purchase_id(source_system: &str, source_ref: &str) -> PurchaseId {
    let hash: Uuid = key(&[b"purchase", source_system.as_bytes(), source_ref.as_bytes()]);
    PurchaseId(Builder::from_custom_bytes(hash.into_bytes()).into_uuid())
}

/// A purchase or a return. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Its id.
    pub id: PurchaseId,
    /// 1 once it stands.
    pub version: i64,
    /// The system that it comes from.
    pub source_system: String,
    /// Its number there.
    pub source_ref: String,
    /// Where it happened.
    pub branch: BranchId,
    /// Who bought, if known.
    pub customer: Option<CustomerId>,
    /// Which way it went.
    pub kind: PurchaseKind,
    /// When it happened, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
    /// When it was recorded, microseconds since the Unix epoch.
    pub recorded_at_us: i64,
    /// Sum of all lines; not negated for a return.
    pub total: Money,
    /// Sum of the lines that earn.
    pub earning_total: Money,
    /// Tells its content from another, see [`NewPurchase::fingerprint`].
    pub fingerprint: i64,
    /// For a return: number of the sale; empty if unknown.
    pub original_source_ref: String,
    /// The lines.
    pub lines: Vec<Line>,
}

impl Purchase {
    /// What the others are told of it.
    pub fn facts(&self) -> PurchaseFacts {
        PurchaseFacts {
            purchase: self.id,
            source_system: self.source_system.clone(),
            source_ref: self.source_ref.clone(),
            original_source_ref: self.original_source_ref.clone(),
            customer: self.customer,
            branch: self.branch,
            total: self.total,
            earning_total: self.earning_total,
            line_count: self.lines.len(),
            occurred_at_us: self.occurred_at_us,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn receipt(number: &str) -> NewPurchase {
        let line = |sku: &str, quantity, unit_minor, earns| Line {
            sku: sku.to_owned(),
            quantity,
            unit_minor,
            earns,
            ..Line::default()
        };
        NewPurchase {
            source_system: "till".to_owned(),
            source_ref: number.to_owned(),
            branch: BranchId(Uuid::from_u128(1)),
            buyer: Buyer::Unknown,
            kind: PurchaseKind::Sale,
            occurred_at_us: 1_000,
            currency: "RWF".parse().unwrap(),
            lines: vec![line("milk", 2, 900, true), line("voucher", 1, -300, false)],
            total_minor: None,
            original_source_ref: String::new(),
        }
    }

    #[test]
    fn lines_are_summed_and_only_some_earn() {
        let (total, earning) = receipt("1").check(0).unwrap();
        assert_eq!((total.minor, earning.minor), (1_500, 1_800));
    }

    #[test]
    fn what_does_not_add_up_is_refused() {
        type Change = fn(&mut NewPurchase);
        let cases: [(Change, Refusal); 4] = [
            (|p| p.total_minor = Some(1_501), Refusal::TotalMismatch),
            (|p| p.lines[0].unit_minor = i64::MAX, Refusal::AmountTooLarge),
            (|p| p.occurred_at_us = MAX_AHEAD_US + 1, Refusal::OccursInFuture),
            (|p| p.original_source_ref = "0".to_owned(), Refusal::OriginalOfSale),
        ];
        for (change, refusal) in cases {
            let mut purchase = receipt("1");
            change(&mut purchase);
            assert_eq!(purchase.check(0), Err(refusal));
        }
        let mut right = receipt("1");
        right.total_minor = Some(1_500);
        assert!(right.check(0).is_ok());
    }

    #[test]
    fn every_reported_value_is_content() {
        let stands = receipt("1").fingerprint();
        assert_eq!(receipt("2").fingerprint(), stands, "the number is the name, not the content");
        let changes: [fn(&mut NewPurchase); 8] = [
            |p| p.branch = BranchId(Uuid::from_u128(2)),
            |p| p.buyer = Buyer::Customer(CustomerId(Uuid::from_u128(3))),
            |p| p.kind = PurchaseKind::Return,
            |p| p.occurred_at_us += 1,
            |p| p.lines[0].quantity += 1,
            |p| p.lines[0].earns = false,
            |p| p.lines[1].description = "Paper".to_owned(),
            |p| drop(p.lines.pop()),
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = receipt("1");
            change(&mut other);
            assert_ne!(other.fingerprint(), stands, "change {place}");
        }
    }

    #[test]
    fn a_receipt_has_one_id_and_parts_do_not_run_together() {
        assert_eq!(purchase_id("till", "12"), purchase_id("till", "12"));
        assert_ne!(purchase_id("till1", "2"), purchase_id("till", "12"));
        assert_eq!(purchase_id("till", "12").uuid().get_version_num(), 8);
    }
}
