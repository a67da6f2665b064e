//! The main flow over the typed client: from the first word to a satisfied customer, what is told of it, and
//! what a caller hears when something does not fit.

use commit::DomainEvent;
use kernel::DAY_US;
use prost::Message;
use proto::EventPayload;
use proto::karibu::loyalty::v1::{GoodwillGranted, GoodwillRefused};
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1::Channel;
use stage::About;
use testkit::assert_eventually;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::bench::{AMINA, Client, GRACE, HERE, NOW_US, Place, SOON, THERE, opening, reason};

fn replacement(points: i64) -> wire::ProposalInput {
    wire::ProposalInput {
        kind: wire::ProposalKind::Replacement.into(),
        description: "The coffee, brought to your door".into(),
        compensation: Some(wire::CompensationTerms {
            kind: wire::CompensationKind::Points.into(),
            value: Some(wire::compensation_terms::Value::Points(points)),
        }),
        ..Default::default()
    }
}

fn refund() -> wire::ProposalInput {
    wire::ProposalInput {
        kind: wire::ProposalKind::Refund.into(),
        description: "Your money back".into(),
        ..Default::default()
    }
}

/// Brings a new complaint to the point where solutions can be offered.
async fn find_cause(client: &mut Client, complaint_id: &str) -> wire::Complaint {
    let id = || complaint_id.to_owned();
    let acknowledge = wire::AcknowledgeComplaintRequest {
        complaint_id: id(),
        channel: Channel::Email.into(),
        message: "We have it.".into(),
        ..Default::default()
    };
    client.acknowledge_complaint(acknowledge).await.unwrap();
    let understand = wire::ConfirmUnderstandingRequest {
        complaint_id: id(),
        paraphrase: "You got tea although you paid for coffee.".into(),
        confirmed: true,
        category_code: "WRONG_ITEM".into(),
        severity: wire::Severity::High.into(),
        apologized: true,
        ..Default::default()
    };
    client.confirm_understanding(understand).await.unwrap();
    let assign =
        wire::AssignComplaintRequest { complaint_id: id(), owner_staff_id: GRACE.to_string(), ..Default::default() };
    client.assign_complaint(assign).await.unwrap();
    let start = wire::StartInvestigationRequest { complaint_id: id(), ..Default::default() };
    client.start_investigation(start).await.unwrap();
    let finding = wire::RecordFindingRequest {
        complaint_id: id(),
        summary: "Tea stood on the shelf of the coffee.".into(),
        cause_code: "WRONG_SHELF".into(),
        fact_status: wire::FactStatus::Established.into(),
        evidence_refs: vec!["photo-1".into()],
        ..Default::default()
    };
    client.record_finding(finding).await.unwrap().into_inner().complaint.unwrap()
}

/// Offers and chooses the replacement with 500 points.
async fn choose(client: &mut Client, complaint_id: &str) -> wire::Complaint {
    let offer = wire::OfferProposalsRequest {
        complaint_id: complaint_id.into(),
        proposals: vec![replacement(500), refund()],
        ..Default::default()
    };
    let offered = client.offer_proposals(offer).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!(offered.waiting_on(), wire::WaitingOn::Customer);
    let choice = wire::ChooseProposalRequest {
        complaint_id: complaint_id.into(),
        proposal_id: offered.proposal_sets[0].proposals[0].proposal_id.clone(),
        chosen_by: wire::ChoiceMaker::Customer.into(),
        ..Default::default()
    };
    client.choose_proposal(choice).await.unwrap().into_inner().complaint.unwrap()
}

fn resolution(complaint_id: &str) -> wire::ResolveComplaintRequest {
    wire::ResolveComplaintRequest {
        complaint_id: complaint_id.into(),
        decision: wire::Decision::Upheld.into(),
        decision_reason: "We gave you the wrong item.".into(),
        anything_else_asked: true,
        ..Default::default()
    }
}

async fn keep(client: &mut Client, complaint: &wire::Complaint) {
    let keep = wire::KeepPromiseRequest {
        complaint_id: complaint.complaint_id.clone(),
        promise_id: complaint.promises[0].promise_id.clone(),
        proof_ref: "delivery-7".into(),
        ..Default::default()
    };
    client.keep_promise(keep).await.unwrap();
}

/// Brings a new complaint to `RESOLVED`.
pub async fn resolved(place: &Place, branch: Uuid) -> wire::Complaint {
    let mut client = place.agent();
    let id = place.open(branch).await.complaint_id;
    find_cause(&mut client, &id).await;
    let chosen = choose(&mut client, &id).await;
    keep(&mut client, &chosen).await;
    let granted = GoodwillGranted {
        compensation_id: chosen.compensations[0].compensation_id.clone(),
        complaint_id: id.clone(),
        customer_id: AMINA.to_string(),
        points: 500,
        ..Default::default()
    };
    place.neighbours.tell(About::thing(AMINA), granted).await;
    assert_eventually(SOON, || async {
        place.get(&id).await.compensations[0].state() == wire::CompensationState::Issued
    })
    .await;
    client.resolve_complaint(resolution(&id)).await.unwrap().into_inner().complaint.unwrap()
}

#[tokio::test]
async fn from_the_first_word_to_a_satisfied_customer() {
    for place in Place::both().await {
        let mut client = place.agent();
        let complaint = resolved(&place, HERE).await;
        let id = complaint.complaint_id.clone();
        assert_eq!(
            (complaint.number.as_str(), complaint.root_cause_code.as_str()),
            ("KGL-1-2026-000001", "WRONG_SHELF")
        );
        assert_eq!(complaint.follow_ups[0].state(), wire::FollowUpState::Scheduled);

        place.house.clock.advance_us(2 * DAY_US);
        assert_eventually(SOON, || async { place.get(&id).await.follow_ups[0].state() == wire::FollowUpState::Due })
            .await;
        let complete = wire::CompleteFollowUpRequest {
            complaint_id: id.clone(),
            follow_up_id: complaint.follow_ups[0].follow_up_id.clone(),
            outcome: wire::FollowUpOutcome::Satisfied.into(),
            note: "Lovely coffee".into(),
            ..Default::default()
        };
        client.complete_follow_up(complete).await.unwrap();
        let close = wire::CloseComplaintRequest { complaint_id: id.clone(), ..Default::default() };
        let closed = client.close_complaint(close).await.unwrap().into_inner().complaint.unwrap();
        assert_eq!(
            (closed.state(), closed.allowed_verbs.join(",").as_str()),
            (wire::ComplaintState::Closed, "openFollowOn")
        );
        assert_eq!(place.get(&id).await, closed, "the reply of a verb is what a read shows");

        let told: Vec<String> = place.told().await.into_iter().map(|event| event.kind).collect();
        let expected = [
            wire::ComplaintOpened::TYPE,
            wire::ComplaintInteractionAdded::TYPE,
            wire::ComplaintAcknowledged::TYPE,
            wire::ComplaintUnderstood::TYPE,
            wire::ComplaintApologized::TYPE,
            wire::ComplaintAssigned::TYPE,
            wire::ComplaintInvestigationStarted::TYPE,
            wire::ComplaintFindingRecorded::TYPE,
            wire::ProposalOffered::TYPE,
            wire::ProposalChosen::TYPE,
            wire::PromiseMade::TYPE,
            wire::CompensationApproved::TYPE,
            wire::PromiseKept::TYPE,
            wire::CompensationIssued::TYPE,
            wire::ComplaintResolved::TYPE,
            wire::ComplaintFollowUpDue::TYPE,
            wire::ComplaintFollowUpCompleted::TYPE,
            wire::ComplaintClosed::TYPE,
        ];
        assert_eq!(told, expected);

        let history = wire::ListComplaintHistoryRequest { complaint_id: id, ..Default::default() };
        let entries = client.list_complaint_history(history).await.unwrap().into_inner().entries;
        assert_eq!(entries.iter().map(|entry| entry.event_type.as_str()).collect::<Vec<_>>(), expected);
        assert!(entries.iter().zip(1..).all(|(entry, version)| entry.version == version));
        assert_eq!((entries[0].actor.as_str(), entries[15].actor.as_str()), ("grace", "timer:follow-ups"));
        assert_eq!(entries[17].to_state(), wire::ComplaintState::Closed);
    }
}

#[tokio::test]
async fn what_is_told_carries_ids_and_codes_and_nobodys_words() {
    let place = Place::new().await;
    let complaint = resolved(&place, HERE).await;
    let told = place.told().await;
    let approved = told.iter().find(|event| event.kind == wire::CompensationApproved::TYPE).unwrap();
    let payload = wire::CompensationApproved::decode(approved.payload.clone()).unwrap();
    assert_eq!((payload.customer_id, payload.branch_id), (AMINA.to_string(), HERE.to_string()));
    assert_eq!(payload.value, Some(wire::compensation_approved::Value::Points(500)));
    assert_eq!(payload.compensation_id, complaint.compensations[0].compensation_id);
    for event in &told {
        assert_eq!((event.branch_id, event.customer_id), (Some(HERE), Some(AMINA)), "{}", event.kind);
        assert_eq!(event.aggregate_id.to_string(), complaint.complaint_id);
        let payload = String::from_utf8_lossy(&event.payload).into_owned();
        for words in ["coffee", "tea", "Tea", "Wrong item", "We have it"] {
            assert!(!payload.contains(words), "{} carries words", event.kind);
        }
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_would() {
    let place = Place::new().await;
    let mut client = place.agent();
    let complaint = place.open(HERE).await;
    let close = wire::CloseComplaintRequest { complaint_id: complaint.complaint_id.clone(), ..Default::default() };
    let refused = client.close_complaint(close).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata["state"].as_str()), ("WRONG_STATE", "RECEIVED"));
    assert!(info.metadata["allowed_verbs"].starts_with("acknowledge,assign,keepPromise,withdraw,addInteraction,"));
    assert_eq!(complaint.allowed_verbs.join(","), info.metadata["allowed_verbs"]);

    let withdraw = wire::WithdrawComplaintRequest {
        complaint_id: complaint.complaint_id.clone(),
        etag: "7".into(),
        statement: "Leave it.".into(),
        ..Default::default()
    };
    let stale = client.withdraw_complaint(withdraw.clone()).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    assert_eq!(stale.get_details_error_info().unwrap().metadata["etag"], complaint.etag);
    let fitting = wire::WithdrawComplaintRequest { etag: complaint.etag, ..withdraw };
    client.withdraw_complaint(fitting).await.unwrap();
    assert_eq!(place.told().await.len(), 3, "refusals tell nothing");
}

#[tokio::test]
async fn only_an_approver_promises_more_than_the_limit() {
    let place = Place::new().await;
    let id = place.open(HERE).await.complaint_id;
    find_cause(&mut place.agent(), &id).await;
    let offer = wire::OfferProposalsRequest {
        complaint_id: id,
        proposals: vec![refund(), replacement(5_000)],
        ..Default::default()
    };
    let refused = place.agent().offer_proposals(offer.clone()).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().reason, "ABOVE_AUTHORITY");
    assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, "proposals[1].compensation");
    place.approver().offer_proposals(offer).await.unwrap();
}

#[tokio::test]
async fn points_that_are_refused_lead_to_another_round() {
    let place = Place::new().await;
    let mut client = place.agent();
    let id = place.open(HERE).await.complaint_id;
    find_cause(&mut client, &id).await;
    let chosen = choose(&mut client, &id).await;
    keep(&mut client, &chosen).await;
    assert_eq!(reason(client.resolve_complaint(resolution(&id)).await), "COMPENSATION_PENDING");
    let refused = GoodwillRefused {
        compensation_id: chosen.compensations[0].compensation_id.clone(),
        complaint_id: id.clone(),
        reason: "NO_PROGRAM".into(),
        ..Default::default()
    };
    place.neighbours.tell(About::thing(AMINA), refused).await;
    assert_eventually(SOON, || async { place.get(&id).await.state() == wire::ComplaintState::Proposing }).await;
    assert_eq!(place.get(&id).await.compensations[0].failure_reason, "NO_PROGRAM");
    let again = wire::OfferProposalsRequest { complaint_id: id, proposals: vec![refund()], ..Default::default() };
    let offered = client.offer_proposals(again).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!(offered.proposal_sets[1].round, 2);
}

#[tokio::test]
async fn a_repeat_of_a_request_is_the_same_complaint() {
    for place in Place::both().await {
        let request = wire::OpenComplaintRequest { request_id: "till-7-1".into(), ..opening(HERE) };
        let mut client = place.agent();
        let first = client.open_complaint(request.clone()).await.unwrap().into_inner();
        assert_eq!(client.open_complaint(request.clone()).await.unwrap().into_inner(), first);
        let other = wire::OpenComplaintRequest { subject: "Another".into(), ..request };
        assert_eq!(reason(client.open_complaint(other).await), "REQUEST_ID_REUSED");
        assert_eq!(place.told().await.len(), 1);
    }
}

#[tokio::test]
async fn words_are_listed_in_their_order_and_a_message_counts_once() {
    for place in Place::both().await {
        let mut client = place.agent();
        let id = place.open(HERE).await.complaint_id;
        let words = |body: &str, message: &str| wire::AddInteractionRequest {
            complaint_id: id.clone(),
            direction: wire::InteractionDirection::Inbound.into(),
            channel: Channel::Email.into(),
            body: body.into(),
            external_message_id: message.into(),
            occur_time: Some(proto::timestamp_from_us(NOW_US - DAY_US)),
            ..Default::default()
        };
        let first = client.add_interaction(words("When?", "<1@x>")).await.unwrap().into_inner();
        let again = client.add_interaction(words("When?", "<1@x>")).await.unwrap().into_inner();
        assert_eq!(again, first);
        client.add_interaction(words("Hello?", "")).await.unwrap();
        let mut page_token = String::new();
        let mut bodies = Vec::new();
        loop {
            let list = wire::ListInteractionsRequest { complaint_id: id.clone(), page_size: 1, page_token };
            let page = client.list_interactions(list).await.unwrap().into_inner();
            bodies.extend(page.interactions.into_iter().map(|words| (words.seq, words.body)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(bodies, [(1, "When?".to_owned()), (2, "Hello?".to_owned())]);
    }
}

#[tokio::test]
async fn a_branch_agent_learns_nothing_of_other_branches() {
    for place in Place::both().await {
        let hidden = place.open(THERE).await.complaint_id;
        let mut agent = place.agent_of(HERE);
        let get = wire::GetComplaintRequest { complaint_id: hidden.clone() };
        let refused = agent.get_complaint(get).await.unwrap_err();
        let nowhere = wire::GetComplaintRequest { complaint_id: Uuid::max().to_string() };
        let unknown = agent.get_complaint(nowhere).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (unknown.code(), unknown.message()));
        let history = wire::ListComplaintHistoryRequest { complaint_id: hidden.clone(), ..Default::default() };
        assert_eq!(reason(agent.list_complaint_history(history).await), "COMPLAINT_NOT_FOUND");
        let words = wire::ListInteractionsRequest { complaint_id: hidden.clone(), ..Default::default() };
        assert_eq!(reason(agent.list_interactions(words).await), "COMPLAINT_NOT_FOUND");
        let withdraw =
            wire::WithdrawComplaintRequest { complaint_id: hidden, statement: "x".into(), ..Default::default() };
        assert_eq!(reason(agent.withdraw_complaint(withdraw).await), "COMPLAINT_NOT_FOUND");
        assert_eq!(reason(agent.open_complaint(opening(THERE)).await), "BRANCH_UNKNOWN");
        let all = agent.list_complaints(wire::ListComplaintsRequest::default()).await.unwrap().into_inner();
        assert!(all.complaints.is_empty());
        let statistics = wire::GetComplaintStatisticsRequest::default();
        let counted = agent.get_complaint_statistics(statistics).await.unwrap().into_inner().statistics.unwrap();
        assert_eq!(counted.total_count, 0);
    }
}

/// The events of the service and the contract name each other.
#[test]
fn every_event_of_the_contract_has_a_payload_of_this_service() {
    let event = ticketing::domain::Event::Withdrawn { complaint: Uuid::from_u128(1).into() };
    let full = format!("karibu.ticketing.{}.v1", event.kind());
    let known = proto::event_types().find(&full).unwrap();
    assert_eq!(known.service, ticketing::NAME);
}
