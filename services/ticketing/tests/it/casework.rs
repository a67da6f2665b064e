//! Casework over the typed client: everything at once at the counter, what is heard of a customer, and what comes
//! out of a case that is over.

use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1::{Channel, Money};
use tonic_types::StatusExt;

use crate::bench::{GRACE, HERE, Place, reason};

fn at_the_counter(complaint_id: &str, rwf: i64) -> wire::FastTrackComplaintRequest {
    let amount = Money { currency_code: "RWF".into(), minor_units: rwf };
    wire::FastTrackComplaintRequest {
        complaint_id: complaint_id.into(),
        paraphrase: "You got tea although you paid for coffee.".into(),
        category_code: "WRONG_ITEM".into(),
        owner_staff_id: GRACE.to_string(),
        finding: "Tea stood on the shelf of the coffee.".into(),
        cause_code: "WRONG_SHELF".into(),
        evidence_refs: vec!["receipt-7".into()],
        solution: Some(wire::ProposalInput {
            kind: wire::ProposalKind::Replacement.into(),
            description: "The coffee, and a cup on us".into(),
            compensation: Some(wire::CompensationTerms {
                kind: wire::CompensationKind::Gift.into(),
                value: Some(wire::compensation_terms::Value::Amount(amount)),
            }),
            ..Default::default()
        }),
        decision_reason: "We gave you the wrong item.".into(),
        anything_else_asked: true,
        ..Default::default()
    }
}

#[tokio::test]
async fn a33_at_the_counter_all_stands_or_nothing() {
    for place in Place::both().await {
        let id = place.open(HERE).await.complaint_id;
        let mut client = place.casework();
        let refused = client.fast_track_complaint(at_the_counter(&id, 30_001)).await.unwrap_err();
        assert_eq!(refused.get_details_error_info().unwrap().reason, "ABOVE_AUTHORITY");
        let untouched = place.get(&id).await;
        assert_eq!((untouched.state(), untouched.etag.as_str()), (wire::ComplaintState::Received, "1"));
        assert_eq!(place.told().await.len(), 1);

        let done = client.fast_track_complaint(at_the_counter(&id, 500)).await.unwrap().into_inner();
        let done = done.complaint.unwrap();
        assert_eq!((done.state(), done.outcome()), (wire::ComplaintState::Resolved, wire::Outcome::Replaced));
        assert_eq!((done.compensations.len(), done.follow_ups.len(), done.apologies.len()), (1, 1, 1));
        assert_eq!(place.told().await.len(), 14);
    }
}

#[tokio::test]
async fn what_is_heard_of_the_customer_is_on_file() {
    let place = Place::new().await;
    let id = place.open(HERE).await.complaint_id;
    let complaint_id = || id.clone();
    let mut client = place.casework();
    let ask = wire::AskQuestionRequest {
        complaint_id: complaint_id(),
        question: "Which coffee?".into(),
        ..Default::default()
    };
    let asked = client.ask_question(ask).await.unwrap().into_inner().complaint.unwrap();
    let answer = wire::RecordAnswerRequest {
        complaint_id: complaint_id(),
        clarification_id: asked.clarifications[0].clarification_id.clone(),
        answer: "The dark one".into(),
        ..Default::default()
    };
    client.record_answer(answer.clone()).await.unwrap();
    assert_eq!(reason(client.record_answer(answer).await), "QUESTION_ANSWERED");
    let impact = wire::Impact { occasion: true, ..Default::default() };
    let record = wire::RecordImpactRequest { complaint_id: complaint_id(), impact: Some(impact), ..Default::default() };
    client.record_impact(record).await.unwrap();
    let show =
        wire::ShowEmpathyRequest { complaint_id: complaint_id(), words: "What a day.".into(), ..Default::default() };
    client.show_empathy(show).await.unwrap();
    let sorry = wire::ApologizeRequest {
        complaint_id: complaint_id(),
        channel: Channel::Phone.into(),
        admits_liability: true,
        ..Default::default()
    };
    assert_eq!(reason(client.apologize(sorry).await), "LIABILITY_NEEDS_APPROVER");
    let evidence = wire::AddEvidenceRequest {
        complaint_id: complaint_id(),
        kind: wire::EvidenceKind::Image.into(),
        r#ref: "photo-1".into(),
        ..Default::default()
    };
    client.add_evidence(evidence).await.unwrap();
    let wait = wire::SetWaitingRequest {
        complaint_id: complaint_id(),
        waiting_on: wire::WaitingOn::ThirdParty.into(),
        ..Default::default()
    };
    client.set_waiting(wait).await.unwrap();

    let file = place.get(&id).await;
    assert_eq!(file.clarifications[0].answer, "The dark one");
    assert_eq!((file.severity(), file.priority()), (wire::Severity::High, wire::Priority::High));
    assert_eq!((file.empathies.len(), file.apologies.len(), file.evidence.len()), (1, 0, 1));
    assert_eq!((file.state(), file.waiting_on()), (wire::ComplaintState::Received, wire::WaitingOn::ThirdParty));
}

#[tokio::test]
async fn a30_what_comes_out_of_a_withdrawn_case_is_a_case_of_its_own() {
    let place = Place::new().await;
    let id = place.open(HERE).await.complaint_id;
    let withdraw = wire::WithdrawComplaintRequest {
        complaint_id: id.clone(),
        statement: "Leave it.".into(),
        ..Default::default()
    };
    let old = place.agent().withdraw_complaint(withdraw).await.unwrap().into_inner().complaint.unwrap();
    let follow = wire::OpenFollowOnRequest {
        complaint_id: id.clone(),
        channel: Channel::Phone.into(),
        subject: "Tea again".into(),
        ..Default::default()
    };
    let new = place.casework().open_follow_on(follow).await.unwrap().into_inner().complaint.unwrap();
    let link = wire::Link { complaint_id: id.clone(), kind: wire::LinkKind::CausedBy.into() };
    assert_eq!((new.state(), new.links), (wire::ComplaintState::Received, vec![link]));
    assert_eq!(place.get(&id).await, old);
}
