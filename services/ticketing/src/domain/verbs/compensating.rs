//! The laws of compensation, played with the real verbs: who may promise what, who must agree, and that no budget
//! is spent twice. For tests alone.

#![allow(clippy::unwrap_used)]

use kernel::{DAY_US, HOUR_US, Money};
use uuid::Uuid;

use super::*;
use crate::domain::budget::Account;
use crate::domain::compensation::{Authority, Good, Terms};
use crate::domain::lifecycle::State as S;
use crate::domain::mandate::{Allowance, Period, Rolling, Rule, Unit};
use crate::domain::proposal::SetState;
use crate::domain::staff::Grant;
use crate::domain::stage::{KIGALI, LONDON, Stage, choice, keeping, offer};
use crate::domain::{Case, Event, Refusal, StaffId};

const RWF: &str = "RWF";

fn unit(code: &str) -> Unit {
    Unit::Money(code.parse().unwrap())
}

fn rule(role: Option<&str>, most: i64) -> Rule {
    Rule {
        role: role.map(str::to_owned),
        good: None,
        unit: unit(RWF),
        most,
        per_customer: None,
        per_agent: None,
        four_eyes_above: None,
        valid_from_us: None,
        valid_to_us: None,
    }
}

fn trust(stage: &mut Stage, rules: Vec<Rule>, allowances: Vec<Allowance>) {
    let scope = kernel::BranchScope::All;
    stage.play(&PutMandate { scope, branch: KIGALI, expected_version: None, rules, allowances }).unwrap();
}

fn monthly(most: i64) -> Vec<Allowance> {
    vec![Allowance { unit: unit(RWF), period: Period::Month, most }]
}

/// Offers a voucher of `minor` francs beside the refund.
fn voucher(case: &Case, minor: i64) -> OfferProposals {
    let mut verb = offer(case.clone());
    let amount = Money::new(RWF.parse().unwrap(), minor);
    verb.solutions[0].compensation = Some(Terms::Worth { good: Good::Voucher, amount });
    verb
}

/// Another complaint for which solutions can be offered.
fn another(stage: &mut Stage) -> Case {
    let case = stage.open();
    for step in [S::Acknowledged, S::Understood, S::Investigating, S::Proposing] {
        stage.bring_to(step, &case);
    }
    stage.told();
    case
}

fn give(stage: &mut Stage, case: &Case, minor: i64) {
    stage.play(&voucher(case, minor)).unwrap();
    let chosen = choice(&stage.complaint(case), case.clone());
    stage.play(&chosen).unwrap();
    let kept = keeping(&stage.complaint(case), case.clone());
    stage.play(&kept).unwrap();
    stage.told();
}

#[test]
fn a50_two_offers_race_for_the_last_of_a_budget() {
    let (mut stage, first) = Stage::at(S::Proposing);
    let second = another(&mut stage);
    trust(&mut stage, vec![rule(None, 1_000)], monthly(1_000));
    stage.play(&voucher(&first, 600)).unwrap();
    assert!(matches!(
        &stage.told()[..],
        [Event::ProposalsOffered { .. }, Event::CompensationReserved { amount: 600, .. }]
    ));
    assert_eq!(stage.play(&voucher(&second, 600)).unwrap_err(), Refusal::BudgetExhausted);
    stage.play(&voucher(&second, 400)).unwrap();
    stage.play(&CounterProposals { case: first.clone(), wish: String::new() }).unwrap();
    assert_eq!(stage.budget(KIGALI, unit(RWF), "2026-11"), (400, 0), "what was countered is free again");
}

#[test]
fn what_is_reserved_is_spent_or_comes_back_and_the_ledger_says_how() {
    let (mut stage, case) = Stage::at(S::Proposing);
    trust(&mut stage, vec![rule(None, 1_000)], monthly(1_000));
    give(&mut stage, &case, 300);
    assert_eq!(stage.budget(KIGALI, unit(RWF), "2026-11"), (0, 300));
    let moves: Vec<_> = stage.ledger().map(|entry| (entry.from, entry.to, entry.amount)).collect();
    assert_eq!(moves, [(Account::Available, Account::Reserved, 300), (Account::Reserved, Account::Spent, 300)],);
    let compensation = stage.complaint(&case).story.compensations[0].id;
    stage.as_somebody("boss");
    let reason_code = "GIVEN_TWICE".to_owned();
    stage.play(&ReverseCompensation { case, compensation, reason_code }).unwrap();
    assert_eq!(stage.budget(KIGALI, unit(RWF), "2026-11"), (0, 0));
}

#[test]
fn an_offer_that_ends_gives_its_money_back() {
    let (mut stage, case) = Stage::at(S::Proposing);
    trust(&mut stage, vec![rule(None, 1_000)], monthly(1_000));
    let end_us = stage.now_us() + HOUR_US;
    stage.play(&OfferProposals { expires_at_us: Some(end_us), ..voucher(&case, 500) }).unwrap();
    assert_eq!(stage.budget(KIGALI, unit(RWF), "2026-11"), (500, 0));
    stage.pass(HOUR_US);
    stage.fire_deadlines();
    assert_eq!(stage.budget(KIGALI, unit(RWF), "2026-11"), (0, 0));
    assert_eq!(stage.complaint(&case).state, S::Proposing);
}

#[test]
fn a51_what_is_split_into_small_ones_counts_as_one_for_thirty_days() {
    for (days, refusal) in [(29, Some(Refusal::AboveAuthority { proposal: 0 })), (31, None)] {
        let (mut stage, case) = Stage::at(S::Proposing);
        trust(&mut stage, vec![rule(None, 1_000)], Vec::new());
        give(&mut stage, &case, 600);
        let linked = another(&mut stage);
        let link = crate::domain::class::Link { other: case.complaint, kind: crate::domain::class::LinkKind::Related };
        stage.edit(&linked, |complaint| complaint.story.links.push(link));
        stage.pass(days * DAY_US);
        assert_eq!(stage.play(&voucher(&linked, 500)).err(), refusal);
        let asked = OfferProposals { request_approval: true, ..voucher(&linked, 500) };
        if refusal.is_some() {
            stage.told();
            stage.play(&asked).unwrap();
            assert!(matches!(stage.told()[..], [Event::ApprovalRequested { split: true, missing: 1, .. }]));
        }
    }
}

#[test]
fn limits_over_a_period_hold_for_the_customer_and_for_the_agent() {
    let most = Some(Rolling { most: 1_000, days: 90 });
    for rolling in [Rule { per_customer: most, ..rule(None, 900) }, Rule { per_agent: most, ..rule(None, 900) }] {
        let (mut stage, case) = Stage::at(S::Proposing);
        trust(&mut stage, vec![rolling], Vec::new());
        give(&mut stage, &case, 600);
        let next = another(&mut stage);
        assert!(stage.play(&voucher(&next, 401)).is_err());
        stage.pass(91 * DAY_US);
        assert!(stage.play(&voucher(&next, 401)).is_ok());
    }
}

#[test]
fn nobody_approves_their_own_and_four_eyes_are_two_people() {
    let (mut stage, case) = Stage::at(S::Proposing);
    let four = Rule { four_eyes_above: Some(5_000), ..rule(None, 1_000) };
    trust(&mut stage, vec![four], monthly(100_000));
    let verb = voucher(&case, 9_000);
    assert_eq!(stage.play(&verb).unwrap_err(), Refusal::AboveAuthority { proposal: 0 });
    let asked = stage.play(&OfferProposals { request_approval: true, ..verb.clone() }).unwrap().complaint;
    assert_eq!((asked.state, &asked.story.proposal_sets[0].state), (S::Proposing, &SetState::Pending { missing: 2 }));

    let approve =
        |authority| ApproveProposals { case: case.clone(), authority, policy: crate::domain::stage::policy() };
    assert_eq!(stage.play(&approve(Authority::Approver)).unwrap_err(), Refusal::OwnApproval);
    stage.as_somebody("lead");
    assert_eq!(stage.play(&approve(Authority::Limited)).unwrap_err(), Refusal::AboveAuthority { proposal: 0 });
    assert_eq!(stage.play(&approve(Authority::Approver)).unwrap().complaint.state, S::Proposing);
    assert_eq!(stage.play(&approve(Authority::Approver)).unwrap_err(), Refusal::OwnApproval);
    let accused = Uuid::from_u128(77);
    stage.edit(&case, |complaint| complaint.story.recused.push(StaffId(accused)));
    stage.as_somebody(&accused.to_string());
    assert_eq!(stage.play(&approve(Authority::Approver)).unwrap_err(), Refusal::OwnApproval);
    stage.as_somebody("director");
    stage.told();
    assert_eq!(stage.play(&approve(Authority::Approver)).unwrap().complaint.state, S::Offered);
    assert!(matches!(
        stage.told()[..],
        [
            Event::ProposalsApproved { missing: 0, .. },
            Event::ProposalsOffered { .. },
            Event::CompensationReserved { .. }
        ]
    ));
}

#[test]
fn what_is_declined_is_not_offered() {
    let (mut stage, case) = Stage::at(S::Proposing);
    stage.play(&OfferProposals { request_approval: true, ..voucher(&case, 50_000) }).unwrap();
    let verb = DeclineProposals { case };
    assert_eq!(stage.play(&verb).unwrap().complaint.state, S::Proposing);
    assert_eq!(stage.play(&verb).unwrap_err(), Refusal::ApprovalNotPending);
}

#[test]
fn a55_amounts_of_no_worth_of_another_currency_or_beyond_all_bounds_are_refused() {
    let (mut stage, case) = Stage::at(S::Proposing);
    trust(&mut stage, vec![rule(None, i64::MAX)], monthly(i64::MAX));
    for (minor, refusal) in
        [(-5, Refusal::AmountNotPositive { proposal: 0 }), (0, Refusal::AmountNotPositive { proposal: 0 })]
    {
        assert_eq!(stage.play(&voucher(&case, minor)).unwrap_err(), refusal);
    }
    give(&mut stage, &case, i64::MAX);
    let next = another(&mut stage);
    assert_eq!(stage.play(&voucher(&next, i64::MAX)).unwrap_err(), Refusal::BudgetExhausted, "sums do not wrap");
    for (code, minor) in [("JPY", 1_500), ("KWD", 1_500)] {
        let currency = code.parse().unwrap();
        let time_zone = "Asia/Tokyo".to_owned();
        stage.play(&UpdateBranch { branch: KIGALI, time_zone, currency, calendar: None }).unwrap();
        let mut verb = voucher(&next, minor);
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::CurrencyMismatch { proposal: 0 });
        let amount = Money::new(currency, minor);
        verb.solutions[0].compensation = Some(Terms::Worth { good: Good::Voucher, amount });
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::AboveAuthority { proposal: 0 }, "no rule of {code}");
        trust(&mut stage, vec![Rule { unit: unit(code), ..rule(None, minor) }], Vec::new());
        assert!(stage.play(&verb).is_ok());
        stage.play(&CounterProposals { case: next.clone(), wish: String::new() }).unwrap();
    }
}

#[test]
fn a56_a_role_that_is_taken_away_leaves_its_offers_standing_and_makes_no_new_ones() {
    let (mut stage, case) = Stage::at(S::Proposing);
    let lead = Uuid::from_u128(88);
    let grant = |role: &str| Grant { role: role.to_owned(), branches: Some(vec![KIGALI]) };
    let hire = |role: &str| PutStaff { staff: StaffId(lead), home: Some(KIGALI), grants: vec![grant(role)] };
    trust(&mut stage, vec![rule(None, 100), rule(Some("lead"), 5_000)], Vec::new());
    stage.play(&hire("lead")).unwrap();
    stage.as_somebody(&lead.to_string());
    stage.play(&voucher(&case, 4_000)).unwrap();
    stage.play(&hire("agent")).unwrap();
    assert_eq!(stage.play(&voucher(&case, 4_000)).unwrap_err(), Refusal::AboveAuthority { proposal: 0 });
    let chosen = choice(&stage.complaint(&case), case.clone());
    assert_eq!(stage.play(&chosen).unwrap().complaint.state, S::Fulfilling);
}

#[test]
fn a_mandate_is_changed_by_who_reaches_the_branch_and_knows_its_version() {
    let mut stage = Stage::new();
    let scope = kernel::BranchScope::only([LONDON.uuid()]);
    let (rules, allowances) = (Vec::new(), Vec::new());
    let verb = PutMandate { scope, branch: KIGALI, expected_version: None, rules, allowances };
    assert_eq!(stage.play(&verb).unwrap_err(), Refusal::BranchUnknown);
    let verb = PutMandate { scope: kernel::BranchScope::All, ..verb };
    assert_eq!(stage.play(&verb).unwrap().version, 1);
    let stale = PutMandate { expected_version: Some(0), ..verb };
    assert_eq!(stage.play(&stale).unwrap_err(), Refusal::VersionMismatch { current: 1 });
}
