//! The laws of the ledger under random histories: whatever purchases, returns, goodwill and adjustments come in whatever
//! order, the audit finds nothing; and the order of purchases and their returns does not matter.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::testing::{Till, rule, terms};
use crate::domain::{
    Account, Audit, Balances, CustomerId, Entry, Law, LedgerAccount, Replay, Report, ReturnPolicy, Rounding, Terms,
};

const CUSTOMERS: u128 = 3;

#[derive(Clone, Debug)]
enum Step {
    Sale { receipt: u8, customer: u128, minor: i64 },
    Return { of: Option<u8>, customer: u128, minor: i64 },
    Goodwill { compensation: u128, complaint: u128, customer: u128, points: i64 },
    Adjust { customer: u128, points: i64 },
    NewRule { points: i64, per_minor_units: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    let customer = 0..CUSTOMERS;
    prop_oneof![
        4 => (0..20_u8, customer.clone(), -100..5_000_i64)
            .prop_map(|(receipt, customer, minor)| Step::Sale { receipt, customer, minor }),
        3 => (prop::option::of(0..20_u8), customer.clone(), -100..5_000_i64)
            .prop_map(|(of, customer, minor)| Step::Return { of, customer, minor }),
        2 => (0..8_u128, 0..3_u128, customer.clone(), -5..800_i64).prop_map(
            |(compensation, complaint, customer, points)| Step::Goodwill { compensation, complaint, customer, points }
        ),
        2 => (customer, prop_oneof![-60..-1_i64, 1..60_i64]).prop_map(|(customer, points)| Step::Adjust { customer, points }),
        1 => (1..4_i64, 1..300_i64)
            .prop_map(|(points, per_minor_units)| Step::NewRule { points, per_minor_units }),
    ]
}

fn some_terms() -> impl Strategy<Value = Terms> {
    let policies = vec![ReturnPolicy::Debt, ReturnPolicy::WithinBalance, ReturnPolicy::OnlyPending];
    (prop::sample::select(policies), any::<bool>(), any::<bool>()).prop_map(|(return_policy, carry, auto_enrol)| {
        let rounding = if carry { Rounding::CarryRemainder } else { Rounding::Floor };
        Terms { return_policy, rounding, auto_enrol, ..terms() }
    })
}

const fn customer(number: u128) -> CustomerId {
    CustomerId(Uuid::from_u128(0xC0 + number))
}

/// Takes a step; refusals are answers like any other.
fn take(till: &mut Till, number: usize, step: &Step) {
    let _ = match *step {
        Step::Sale { receipt, customer: who, minor } => till.sell(&format!("s{receipt}"), customer(who), "RWF", minor),
        Step::Return { of, customer: who, minor } => {
            let original = of.map(|receipt| format!("s{receipt}")).unwrap_or_default();
            till.take_back(&format!("r{number}"), &original, Some(customer(who)), "RWF", minor)
        }
        Step::Goodwill { compensation, complaint, customer: who, points } => {
            till.make_good(compensation, complaint, Some(customer(who)), points)
        }
        Step::Adjust { customer: who, points } => {
            if till.find_account(customer(who)).is_none() {
                till.enrol(customer(who)).unwrap();
            }
            till.adjust(customer(who), points)
        }
        Step::NewRule { points, per_minor_units } => {
            let program = till.program;
            let change = super::ProgramChange {
                earn_rules: Some(vec![rule("RWF", points, per_minor_units)]),
                ..super::ProgramChange::default()
            };
            let scope = kernel::BranchScope::All;
            till.update(&super::UpdateProgram { scope, id: program, expected_version: None, change }).map(drop)
        }
    };
}

fn accounts(till: &mut Till) -> Vec<Account> {
    (0..CUSTOMERS).filter_map(|number| till.find_account(customer(number))).collect()
}

fn audit(accounts: Vec<Account>, entries: &[Entry]) -> Report {
    let mut audit = Audit::default();
    for account in accounts {
        let id = account.id;
        let mut replay = Replay::new(account);
        for entry in entries.iter().filter(|entry| entry.account == id) {
            audit.feed(&mut replay, entry);
        }
        audit.end(&replay);
    }
    audit.finish()
}

fn all_entries(till: &Till) -> Vec<Entry> {
    till.stage.world.entries.pushed().cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_history_keeps_every_law(terms in some_terms(), steps in prop::collection::vec(step(), 1..60)) {
        let mut till = Till::open(terms);
        for (number, step) in steps.iter().enumerate() {
            take(&mut till, number, step);
            let members = accounts(&mut till);
            let stored = members.iter().fold(Balances::default(), |sum, account| sum.sum(&account.balances));
            let report = audit(members, &all_entries(&till));
            prop_assert!(report.findings.is_empty(), "after {step:?}: {:?}", report.findings);
            prop_assert_eq!(report.totals, stored);
            prop_assert!(stored.is_balanced());
        }
    }

    #[test]
    fn the_order_of_sales_and_returns_does_not_matter(
        terms in some_terms(),
        sales in prop::collection::vec((0..CUSTOMERS, 1..5_000_i64), 1..10),
        returns in prop::collection::vec((any::<prop::sample::Index>(), 1..5_000_i64), 0..10),
        seed in any::<u64>(),
    ) {
        let terms = Terms { return_policy: ReturnPolicy::Debt, auto_enrol: true, ..terms };
        let mut steps: Vec<(usize, Step)> = sales.iter().enumerate().map(|(receipt, (customer, minor))| {
            (receipt, Step::Sale { receipt: receipt as u8, customer: *customer, minor: *minor })
        }).collect();
        for (number, (of, minor)) in returns.iter().enumerate() {
            let of = of.index(sales.len());
            steps.push((100 + number, Step::Return { of: Some(of as u8), customer: sales[of].0, minor: *minor }));
        }
        let mut ends = Vec::new();
        for shuffle in [false, true] {
            if shuffle {
                steps.sort_by_key(|(number, _)| commit::key(&[&seed.to_be_bytes(), &number.to_be_bytes()]));
            }
            let mut till = Till::open(terms.clone());
            for (number, step) in &steps {
                take(&mut till, *number, step);
            }
            let stand = |account: Account| {
                let of = |ledger| account.balances.of(ledger).0;
                (account.customer, (of(LedgerAccount::Available), of(LedgerAccount::Debt), account.earned))
            };
            ends.push(accounts(&mut till).into_iter().map(stand).collect::<BTreeMap<_, _>>());
        }
        prop_assert_eq!(&ends[0], &ends[1]);
    }
}

/// A ledger with five entries and its account.
fn ledger() -> (Account, Vec<Entry>) {
    let mut till = Till::open(terms());
    till.sell("1", customer(0), "RWF", 5_000).unwrap();
    till.adjust(customer(0), -20).unwrap();
    till.take_back("r1", "1", None, "RWF", 4_000).unwrap();
    till.make_good(1, 1, Some(customer(0)), 30).unwrap();
    (till.account(customer(0)), till.entries(customer(0)))
}

fn laws(account: &Account, entries: &[Entry]) -> Vec<(Law, i64)> {
    let report = audit(vec![account.clone()], entries);
    report.findings.iter().map(|finding| (finding.law, finding.seq)).collect()
}

#[test]
fn a_sound_ledger_passes() {
    let (account, entries) = ledger();
    assert_eq!(entries.len(), 6, "accrue, down, clawback, short, goodwill, settle");
    assert_eq!(laws(&account, &entries), []);
}

#[test]
fn a_changed_entry_is_named() {
    let (account, entries) = ledger();
    let changes: [fn(&mut Entry); 5] = [
        |entry| entry.cause.reason_code = "other".to_owned(),
        |entry| entry.actor = "nobody".to_owned(),
        |entry| entry.cause.branch = None,
        |entry| entry.recorded_at_us += 1,
        |entry| entry.cause.occurred_at_us += 1,
    ];
    for change in changes {
        let mut entries = entries.clone();
        change(&mut entries[2]);
        assert_eq!(laws(&account, &entries), [(Law::Tampered, 3)]);
    }
    let mut more = entries.clone();
    more[0].points.0 += 1;
    let found = laws(&account, &more);
    assert_eq!(found[0], (Law::Tampered, 1));
    assert!(found.contains(&(Law::BalanceMismatch, 0)), "{found:?}");
}

#[test]
fn missing_entries_and_impossible_ones_are_named() {
    let (account, entries) = ledger();
    let mut without = entries.clone();
    without.remove(1);
    assert_eq!(laws(&account, &without)[0], (Law::SeqGap, 2));
    assert_eq!(laws(&account, &entries[..5])[0], (Law::SeqGap, 6));
    let mut turned = entries;
    (turned[4].debit, turned[4].credit) = (turned[4].credit, turned[4].debit);
    let found = laws(&account, &turned);
    assert!(found.contains(&(Law::Unbalanced, 5)) && found.contains(&(Law::NegativeBalance, 5)), "{found:?}");
}

#[test]
fn a_changed_account_is_noticed() {
    let (account, entries) = ledger();
    let mut richer = account.clone();
    richer.balances.transfer(LedgerAccount::Issued, LedgerAccount::Available, kernel::Points(5)).unwrap();
    let found = laws(&richer, &entries);
    assert_eq!(
        found.iter().filter(|(law, _)| *law == Law::BalanceMismatch).count(),
        2,
        "issued and available: {found:?}"
    );
    assert!(found.contains(&(Law::DebtWithBalance, 0)) || richer.balances.of(LedgerAccount::Debt).0 == 0);
    let forged = Account { seal: Uuid::nil(), ..account.clone() };
    assert_eq!(laws(&forged, &entries), [(Law::Tampered, 6)]);
    let longer = Account { last_seq: 7, ..account };
    assert_eq!(laws(&longer, &entries), [(Law::SeqGap, 7)]);
}
