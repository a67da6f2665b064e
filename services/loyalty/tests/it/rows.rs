//! Each aggregate survives its row on both engines.

use kernel::{Currency, Money, Points};
use loyalty::domain::{
    Account, AccountId, AccountKind, AccountState, Balances, Branch, BranchId, ComplaintGoodwill, ComplaintId,
    CustomerId, EarnRule, Earning, EntryId, Program, ProgramId, ProgramState, PurchaseId, Remainders, ReturnPolicy,
    Returned, Rounding, Sale, Terms,
};
use stage::check_survival;
use uuid::Uuid;

use crate::bench::both;

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

fn program() -> Program {
    let rule = |code, points, per_minor_units| EarnRule { currency: currency(code), points, per_minor_units };
    Program {
        id: ProgramId(Uuid::from_u128(1)),
        version: 2,
        code: "CARD".into(),
        state: ProgramState::Closed,
        rule_version: 3,
        created_at_us: 4,
        updated_at_us: 5,
        terms: Terms {
            display_name: "Ikarita \"y'ishimwe\" ✓".into(),
            unit_label: "amanota".into(),
            earn_rules: vec![rule("RWF", 1, 100), rule("GBP", 2, 10)],
            rounding: Rounding::CarryRemainder,
            return_policy: ReturnPolicy::WithinBalance,
            auto_enrol: true,
            goodwill_max_points: 6,
            default_time_zone: "Africa/Kigali".into(),
        },
    }
}

fn account() -> Account {
    let mut spent_remainders = Remainders::default();
    spent_remainders.set(currency("RWF"), 90);
    spent_remainders.set(currency("GBP"), 7);
    let mut returned_remainders = Remainders::default();
    returned_remainders.set(currency("RWF"), 50);
    Account {
        id: AccountId(Uuid::from_u128(1)),
        version: 2,
        program: ProgramId(Uuid::from_u128(3)),
        customer: CustomerId(Uuid::from_u128(4)),
        home_branch: Some(BranchId(Uuid::from_u128(5))),
        branches: vec![BranchId(Uuid::from_u128(5)), BranchId(Uuid::from_u128(6))],
        kind: AccountKind::Household,
        state: AccountState::Frozen,
        card_number: "9000000000000001".into(),
        balances: Balances::stored([11, 12, 13, 14, 15, 16, 17, 18]),
        earned: Points(19),
        last_seq: 20,
        seal: Uuid::from_u128(21),
        spent_remainders,
        returned_remainders,
        created_at_us: 22,
        updated_at_us: 23,
    }
}

fn earning() -> Earning {
    let sale = Sale {
        purchase: PurchaseId(Uuid::from_u128(4)),
        account: AccountId(Uuid::from_u128(5)),
        earning_minor: 6,
        rule: program().terms.earn_rules[1],
        rounding: Rounding::Floor,
        rule_version: 3,
        entry: Some(EntryId(Uuid::from_u128(7))),
    };
    let back =
        |number| Returned { purchase: PurchaseId(Uuid::from_u128(number)), earning: Money::new(currency("GBP"), 5) };
    Earning {
        id: Uuid::from_u128(1),
        version: 2,
        program: ProgramId(Uuid::from_u128(3)),
        sale: Some(sale),
        returns: vec![back(8), back(9)],
    }
}

#[tokio::test]
async fn every_aggregate_survives_its_row() {
    let id = Uuid::from_u128;
    for bench in both().await {
        check_survival(&bench, program()).await;
        let other = Program { id: ProgramId(id(2)), code: "B".into(), state: ProgramState::Active, ..program() };
        check_survival(&bench, other).await;
        check_survival(&bench, account()).await;
        let bare = Account {
            id: AccountId(id(2)),
            home_branch: None,
            branches: Vec::new(),
            seal: Uuid::nil(),
            spent_remainders: Remainders::default(),
            returned_remainders: Remainders::default(),
            ..account()
        };
        check_survival(&bench, bare).await;
        check_survival(&bench, earning()).await;
        check_survival(&bench, Earning { id: id(2), sale: None, ..earning() }).await;
        check_survival(&bench, Earning { id: id(3), returns: Vec::new(), ..earning() }).await;
        let goodwill = ComplaintGoodwill {
            complaint: ComplaintId(id(1)),
            version: 2,
            branch: Some(BranchId(id(3))),
            customer: Some(CustomerId(id(4))),
            granted: Points(5),
        };
        check_survival(&bench, goodwill.clone()).await;
        check_survival(
            &bench,
            ComplaintGoodwill { complaint: ComplaintId(id(2)), branch: None, customer: None, ..goodwill },
        )
        .await;
        let branch = Branch { id: BranchId(id(1)), version: 2, time_zone: "Asia/Kathmandu".into(), closed: true };
        check_survival(&bench, branch).await;
    }
}
