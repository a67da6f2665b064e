//! Each aggregate survives its row on both engines.

use kernel::{Money, Points};
use stage::check_survival;
use ticketing::domain::branch::Branch;
use ticketing::domain::code::Channel;
use ticketing::domain::compensation::{Compensation, CompensationState, Good, Terms};
use ticketing::domain::complaint::{
    Complaint, Decision, Reopening, Resolution, Severity, Story, Understanding, WaitingOn,
};
use ticketing::domain::finding::{FactStatus, Finding};
use ticketing::domain::follow_up::{FollowUp, FollowUpKind, FollowUpState};
use ticketing::domain::historical::{CompanyResponse, HistoricalCase};
use ticketing::domain::lifecycle::State;
use ticketing::domain::number::Counter;
use ticketing::domain::promise::{Promise, PromiseState};
use ticketing::domain::proposal::{Choice, ChoiceMaker, Proposal, ProposalKind, ProposalSet, SetState};
use uuid::Uuid;

use crate::bench::both;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
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
    };
    vec![
        set(23, SetState::Offered),
        set(24, SetState::Chosen(choice)),
        set(25, SetState::Expired),
        set(26, SetState::Withdrawn),
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
    };
    vec![
        compensation(35, CompensationState::Approved),
        compensation(36, CompensationState::Issued { at_us: 21 }),
        compensation(37, CompensationState::Failed { reason: "NO_PROGRAM".into() }),
    ]
}

/// A complaint with nothing left out.
fn eventful() -> Complaint {
    let promise = |number, state| Promise {
        id: id(number).into(),
        proposal: id(21).into(),
        text: "Coffee".into(),
        state,
        due_at_us: Some(17),
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
        apologized: true,
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
        ],
        compensations: compensations(),
        follow_ups: vec![id(38).into()],
        resolution: Some(Resolution {
            decision: Decision::Goodwill,
            reason: "Because".into(),
            root_cause: Some("LABEL".into()),
            at_us: 22,
        }),
        resolution_count: 2,
        reopenings: vec![Reopening { reason_code: "CAME_BACK".into(), reason: "Again".into(), at_us: 23 }],
        closed_at_us: Some(24),
        interaction_count: 5,
        origin: Some(HistoricalCase {
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
        }),
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
        };
        check_survival(&bench, Branch { id: id(2).into(), closed: false, ..branch.clone() }).await;
        check_survival(&bench, branch).await;
        check_survival(&bench, Counter { id: id(1), version: 2, name: "KGL-1-2026".into(), last: 123 }).await;
    }
}
