//! Each aggregate survives its row on both engines.

use kernel::{Money, Points};
use stage::check_survival;
use ticketing::domain::branch::Branch;
use ticketing::domain::budget::{Budget, Hold};
use ticketing::domain::care::{Apology, Care, Clarification, Empathy, EvidenceItem, EvidenceKind, Impact};
use ticketing::domain::class::{CaseKind, Class, Confidentiality, Link, LinkKind, Priority};
use ticketing::domain::code::Channel;
use ticketing::domain::compensation::{Compensation, CompensationState, Good, Terms};
use ticketing::domain::complaint::{
    Complaint, Decision, Reopening, Resolution, Severity, Story, Understanding, WaitingOn,
};
use ticketing::domain::deadline::{Deadline, DeadlineKind};
use ticketing::domain::ending::Ending;
use ticketing::domain::finding::{FactStatus, Finding};
use ticketing::domain::follow_up::{FollowUp, FollowUpKind, FollowUpState};
use ticketing::domain::historical::{CompanyResponse, HistoricalCase};
use ticketing::domain::lifecycle::State;
use ticketing::domain::mandate::{Allowance, Mandate, Period, Rolling, Rule, Unit};
use ticketing::domain::merge::Merge;
use ticketing::domain::number::Counter;
use ticketing::domain::promise::{Promise, PromiseState};
use ticketing::domain::proposal::{Choice, ChoiceMaker, Proposal, ProposalKind, ProposalSet, SetState};
use ticketing::domain::routing::{Affinity, Ask, AskState, Escalation, Needs, Roster, Routing, Score, Trigger};
use ticketing::domain::staff::{Grant, Profile, Skill, Staff};
use ticketing::domain::tally::{Line, Tally};
use ticketing::domain::template::{Template, Variant};
use uuid::Uuid;

use crate::bench::both;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn hold() -> Hold {
    Hold { budget: id(47), unit: Unit::Money("KWD".parse().unwrap()), amount: 1_500 }
}

fn gift() -> Terms {
    Terms::Worth { good: Good::Gift, amount: Money::new("RWF".parse().unwrap(), 2_500) }
}

/// A set in every state.
fn proposal_sets() -> Vec<ProposalSet> {
    let proposal = |number, compensation| Proposal {
        id: id(number).into(),
        kind: ProposalKind::Replacement,
        description: "\"Coffee\" ✓".into(),
        cost: Some(Money::new("RWF".parse().unwrap(), -1)),
        compensation,
        fulfil_by_us: Some(12),
    };
    let choice = Choice {
        proposal: id(21).into(),
        by: ChoiceMaker::AgentWithConsent,
        consent_note: "on the phone".into(),
        at_us: 13,
    };
    let set = |number, state| ProposalSet {
        id: id(number).into(),
        round: 2,
        state,
        proposals: vec![proposal(21, Some(gift())), proposal(22, Some(Terms::Points(Points(500))))],
        offered_at_us: 14,
        expires_at_us: Some(15),
        offered_by: "grace".into(),
        approved_by: vec!["boss".into()],
        split: true,
        holds: vec![hold()],
    };
    vec![
        set(23, SetState::Offered),
        set(24, SetState::Chosen(choice)),
        set(25, SetState::Expired),
        set(26, SetState::Withdrawn),
        set(27, SetState::Pending { missing: 2 }),
        set(28, SetState::Declined { by: "boss".into() }),
        set(29, SetState::Countered { wish: "Both ✓".into(), at_us: 15 }),
    ]
}

/// One in every state.
fn compensations() -> Vec<Compensation> {
    let compensation = |number, state| Compensation {
        id: id(number).into(),
        proposal: id(21).into(),
        terms: gift(),
        approved_at_us: 16,
        state,
        promised_by: "grace".into(),
        hold: Some(hold()),
        reverses: Some(id(35).into()),
    };
    vec![
        compensation(35, CompensationState::Approved),
        compensation(36, CompensationState::Issued { at_us: 21 }),
        compensation(37, CompensationState::Failed { reason: "NO_PROGRAM".into() }),
    ]
}

/// Everything that shows how a customer was heard.
fn care() -> Care {
    let asked = |number, answer| Clarification {
        id: id(number).into(),
        question: "Which?".into(),
        asked_by: "grace".into(),
        asked_at_us: 25,
        answer,
    };
    Care {
        clarifications: vec![asked(40, None), asked(41, Some(("That one ✓".into(), 26)))],
        empathies: vec![Empathy { words: "Oh".into(), by: "grace".into(), at_us: 27 }],
        apologies: vec![Apology {
            channel: Some(Channel::Phone),
            wording: Some("sorry-1".into()),
            admits_liability: true,
            by: "grace".into(),
            at_us: 28,
        }],
        unapologized_reason: Some("none".into()),
        no_outcome_desired: true,
        evidence: vec![EvidenceItem {
            id: id(42).into(),
            kind: EvidenceKind::Image,
            reference: "photo".into(),
            sha256: Some("00".into()),
            by: "grace".into(),
            at_us: 29,
        }],
        impact: Some(Impact {
            money: Some(Money::new("KWD".parse().unwrap(), 1_234)),
            occasion: true,
            safety: true,
            vulnerable: true,
            repeat_of: Some(id(43).into()),
        }),
    }
}

/// Everything that shows how a case came to whoever has it.
fn routing() -> Routing {
    let needs = Needs {
        skill: Some(("cards".into(), 5)),
        language: Some("rw".into()),
        clearance: true,
        preferred: vec!["sports".into()],
    };
    let score = Score { skill: 1, capacity: 2, affinity: 3, preference: 4, idle: 5, total: 6 };
    let ask = |state| Ask { id: id(51), staff: id(5).into(), score, relaxed: true, state, at_us: 31 };
    let escalation = Escalation {
        id: id(52),
        level: 2,
        branch: id(3).into(),
        staff: Some(id(5).into()),
        trigger: Trigger::ThirdRound,
        at_us: 32,
        accepted: Some(("boss".into(), 33)),
    };
    Routing { needs, asks: AskState::ALL.iter().copied().map(ask).collect(), escalations: vec![escalation] }
}

fn historical() -> HistoricalCase {
    HistoricalCase {
        source_system: "cfpb".into(),
        source_ref: "1".into(),
        product: "Mortgage".into(),
        sub_product: "Other".into(),
        issue: "Servicing".into(),
        sub_issue: "Fees".into(),
        organization: "A bank".into(),
        region: "VA".into(),
        response: CompanyResponse::Untimely,
        timely: Some(false),
        disputed: Some(true),
        received_on: "2013-07-29".parse().unwrap(),
        sent_on: Some("2013-07-30".parse().unwrap()),
    }
}

/// A complaint with nothing left out.
fn eventful() -> Complaint {
    let promise = |number, state| Promise {
        id: id(number).into(),
        proposal: Some(id(21).into()),
        text: "Coffee".into(),
        state,
        due_at_us: Some(17),
        owner: Some(id(5).into()),
        made_at_us: 11,
    };
    let story = Story {
        waiting_on: WaitingOn::Customer,
        narrative: "Tea".into(),
        desired_outcome: Some("Coffee".into()),
        category: Some("WRONG_ITEM".into()),
        touchpoint: Some("CHECKOUT".into()),
        purchases: vec![id(31).into()],
        acknowledged_at_us: Some(18),
        understanding: Some(Understanding { paraphrase: "Tea".into(), unconfirmed_reason: Some("away".into()) }),
        class: Class {
            kind: CaseKind::Proactive,
            priority: Some(Priority::Urgent),
            confidentiality: Confidentiality::Hr,
            regime: Some("DISP".into()),
            asked_for: Some((CaseKind::Query, "grace".into())),
        },
        care: care(),
        recused: vec![id(46).into()],
        routing: routing(),
        merge: Some(Merge {
            first_into: id(48).into(),
            into: id(49).into(),
            stood: State::Understood,
            reason: "The same".into(),
            by: "grace".into(),
            at_us: 30,
        }),
        absorbed: vec![id(50).into()],
        received_at_us: Some(5),
        links: vec![Link { other: id(39).into(), kind: LinkKind::CausedBy }],
        findings: vec![Finding {
            id: id(32).into(),
            summary: "Shelf".into(),
            cause: Some("WRONG_SHELF".into()),
            status: FactStatus::Probable,
            evidence: vec!["photo".into()],
            recorded_by: "grace".into(),
            recorded_at_us: 19,
        }],
        proposal_sets: proposal_sets(),
        promises: vec![
            promise(33, PromiseState::Open),
            promise(34, PromiseState::Kept { at_us: 20, proof: Some("slip".into()) }),
            promise(44, PromiseState::Broken { at_us: 17 }),
            promise(45, PromiseState::Waived { at_us: 18, reason: "Never mind".into() }),
        ],
        compensations: compensations(),
        follow_ups: vec![id(38).into()],
        resolution: Some(Resolution {
            decision: Decision::Goodwill,
            reason: "Because".into(),
            root_cause: Some("LABEL".into()),
            ending: Ending::Explained,
            anything_else: "The light".into(),
            at_us: 22,
        }),
        resolution_count: 2,
        reopenings: vec![Reopening { reason_code: "CAME_BACK".into(), reason: "Again".into(), at_us: 23 }],
        closed_at_us: Some(24),
        interaction_count: 5,
        origin: Some(historical()),
        ..Story::new("Wrong \"item\" ✓".into(), Severity::Critical)
    };
    Complaint {
        id: id(1).into(),
        version: 2,
        number: "KGL-1-2026-000001".into(),
        state: State::Fulfilling,
        branch: id(3).into(),
        customer: Some(id(4).into()),
        owner: Some(id(5).into()),
        channel: Some(Channel::Kiosk),
        opened_at_us: 6,
        created_at_us: 7,
        updated_at_us: 8,
        story,
    }
}

#[tokio::test]
async fn a_complaint_survives_its_row() {
    for bench in both().await {
        let full = eventful();
        let bare = Complaint {
            id: id(2).into(),
            customer: None,
            owner: None,
            channel: None,
            story: Story::new("Nothing else".into(), Severity::Low),
            ..full.clone()
        };
        check_survival(&bench, full).await;
        check_survival(&bench, bare).await;
    }
}

#[tokio::test]
async fn every_other_aggregate_survives_its_row() {
    for bench in both().await {
        let follow_up = FollowUp {
            id: id(1).into(),
            version: 2,
            complaint: id(3).into(),
            complaint_number: "KGL-1-2026-000001".into(),
            branch: id(4).into(),
            customer: Some(id(5).into()),
            kind: FollowUpKind::DeliveryCheck,
            state: FollowUpState::NoContact,
            attempt: 3,
            due_at_us: 6,
            completed_at_us: Some(7),
            note: "Nobody there ✓".into(),
        };
        check_survival(
            &bench,
            FollowUp { id: id(2).into(), customer: None, completed_at_us: None, ..follow_up.clone() },
        )
        .await;
        check_survival(&bench, follow_up).await;
        let branch = Branch {
            id: id(1).into(),
            version: 2,
            code: "KGL-1".into(),
            time_zone: "Africa/Kigali".into(),
            currency: "RWF".parse().unwrap(),
            closed: true,
            parent: Some(id(9).into()),
            calendar: None,
        };
        check_survival(&bench, Branch { id: id(2).into(), closed: false, ..branch.clone() }).await;
        check_survival(&bench, branch).await;
        check_survival(&bench, Counter { id: id(1), version: 2, name: "KGL-1-2026".into(), last: 123 }).await;
    }
}

#[tokio::test]
async fn what_is_promised_and_spent_survives_its_row() {
    let rolling = Some(Rolling { most: 5, days: 30 });
    let rule = Rule {
        role: Some("lead".into()),
        good: Some(Good::Voucher),
        unit: Unit::Money("JPY".parse().unwrap()),
        most: 4,
        per_customer: rolling,
        per_agent: rolling,
        four_eyes_above: Some(3),
        valid_from_us: Some(1),
        valid_to_us: Some(2),
    };
    for bench in both().await {
        let mandate = Mandate {
            branch: id(1).into(),
            version: 2,
            rules: vec![rule.clone(), Rule { role: None, good: None, unit: Unit::Points, ..rule.clone() }],
            allowances: vec![Allowance { unit: Unit::Points, period: Period::Year, most: 9 }],
            created_at_us: 3,
            updated_at_us: 4,
        };
        check_survival(&bench, mandate).await;
        let budget = Budget {
            id: id(1),
            version: 2,
            branch: id(3).into(),
            unit: Unit::Points,
            period: "2026-11".into(),
            most: 10,
            reserved: 4,
            spent: 5,
        };
        check_survival(&bench, budget).await;
        let line = Line { compensation: id(2).into(), amount: 3, at_us: 4 };
        check_survival(&bench, Tally { id: id(1), version: 2, lines: vec![line] }).await;
        let deadline = Deadline {
            id: id(1),
            version: 2,
            complaint: id(3).into(),
            kind: DeadlineKind::PromiseEnds,
            subject: id(4),
            due_at_us: 5,
            done: true,
        };
        check_survival(&bench, deadline).await;
        let grants = vec![
            Grant { role: "lead".into(), branches: None },
            Grant { role: "agent".into(), branches: Some(vec![id(5).into()]) },
        ];
        let profile = Profile {
            skills: vec![Skill { code: "cards".into(), level: 9, trained_until_us: Some(7) }],
            languages: vec!["rw".into()],
            opted_in: vec!["sports".into()],
            cleared: true,
            present: false,
            capacity: 3,
            last_assigned_at_us: 8,
        };
        let staff = Staff {
            version: 2,
            home: Some(id(5).into()),
            grants,
            left: true,
            profile,
            cases: vec![id(6).into()],
            ..Staff::new(id(1).into())
        };
        let template = Template {
            id: id(1),
            version: 2,
            code: "sorry".into(),
            locale: "rw".into(),
            variant: Variant::Terse,
            body: "{name} ✓".into(),
            jargon: vec!["ledger".into()],
            created_at_us: 3,
            updated_at_us: 4,
        };
        check_survival(&bench, template).await;
        let roster = Roster { branch: id(1).into(), version: 2, members: vec![id(3).into()] };
        check_survival(&bench, roster).await;
        let affinity = Affinity { customer: id(1).into(), version: 2, staff: id(3).into(), at_us: 4 };
        check_survival(&bench, affinity).await;
        check_survival(&bench, staff).await;
    }
}
