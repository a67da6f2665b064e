//! Each aggregate survives its row on both engines.

use kernel::Money;
use profile::domain::{
    BirthDay, Branch, BranchId, Customer, CustomerId, CustomerKind, CustomerState, Details, Identifier, IdentifierType,
    Line, Points, Purchase, PurchaseId, PurchaseKind, Tally, Visit, VisitId,
};
use stage::check_survival;
use uuid::Uuid;
use vault::{DataKey, LookupKey};

use crate::bench::both;

const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn customer() -> Customer {
    let handle = |kind, value, issuer| {
        Identifier::new(kind, value, issuer, &LookupKey::of(&DataKey::from_bytes(&[1; 32]))).unwrap()
    };
    Customer {
        id: CustomerId(id(1)),
        version: 2,
        kind: CustomerKind::Organization,
        state: CustomerState::Restricted,
        home_branch: BranchId(id(3)),
        created_at_us: 4,
        updated_at_us: 5,
        details: Details {
            preferred_name: "Ishimwe \"Ltd\" ✓".into(),
            identifiers: vec![
                handle(IdentifierType::Email, "Ann@example.rw", ""),
                handle(IdentifierType::External, "12923", "erp"),
            ],
            locale: "rw".into(),
            birthday: Some(BirthDay { month: 2, day: 29 }),
            tags: vec!["vip".into()],
        },
    }
}

fn tally() -> Tally {
    let mut tally = Tally::new(CustomerId(id(1)), 7, BranchId(id(3)));
    let rwf = |minor| Money::new("RWF".parse().unwrap(), minor);
    tally.add_purchase(PurchaseKind::Sale, rwf(1_500), 8).unwrap();
    tally.add_purchase(PurchaseKind::Return, Money::new("GBP".parse().unwrap(), 9), 6).unwrap();
    tally.add_visit(10);
    tally.set_points(Points { account: id(11), seq: 12, available: -13 });
    (tally.totals.complaints, tally.totals.open_complaints, tally.totals.responses) = (14, 15, 16);
    Tally { version: 17, ..tally }
}

fn purchase() -> Purchase {
    let money = |minor| Money::new("KWD".parse().unwrap(), minor);
    Purchase {
        id: PurchaseId(id(1)),
        version: 1,
        source_system: "till".into(),
        source_ref: "R-1".into(),
        branch: BranchId(id(3)),
        customer: Some(CustomerId(id(4))),
        kind: PurchaseKind::Return,
        occurred_at_us: -5,
        recorded_at_us: 6,
        total: money(-700),
        earning_total: money(800),
        fingerprint: i64::MIN,
        original_source_ref: "R-0".into(),
        lines: vec![
            Line {
                sku: "22423".into(),
                description: "REGENCY CAKESTAND 3 TIER".into(),
                category_code: "kitchen".into(),
                quantity: 2,
                unit_minor: 400,
                earns: true,
            },
            Line { sku: "D".into(), quantity: 1, unit_minor: -1_500, ..Line::default() },
        ],
    }
}

#[tokio::test]
async fn every_aggregate_survives_its_row() {
    for bench in both().await {
        check_survival(&bench, Branch { id: BranchId(id(1)), version: 2, locale: "rw".into(), closed: true }).await;
        check_survival(&bench, customer()).await;
        let (kind, state) = (CustomerKind::Anonymous, CustomerState::Active);
        check_survival(
            &bench,
            Customer { id: CustomerId(id(2)), kind, state, details: Details::default(), ..customer() },
        )
        .await;
        check_survival(&bench, tally()).await;
        check_survival(&bench, purchase()).await;
        check_survival(
            &bench,
            Purchase { id: PurchaseId(id(2)), customer: None, kind: PurchaseKind::Sale, lines: vec![], ..purchase() },
        )
        .await;
        let visit = Visit {
            id: VisitId(id(1)),
            version: 1,
            customer: CustomerId(id(2)),
            branch: BranchId(id(3)),
            channel: "IN_PERSON".into(),
            touchpoint_code: "entrance".into(),
            occurred_at_us: 4,
            recorded_at_us: 5,
        };
        check_survival(&bench, visit).await;
    }
}
