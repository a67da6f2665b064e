//! What only the whole service can show of remedies, routing, merges and conversation: budgets and deadlines through
//! the database of both engines, what the organization tells of staff, and messages that come twice.

use kernel::{BranchScope, HOUR_US};
use proto::Permission;
use proto::karibu::organization::v1::{RoleGrant, StaffMemberCreated};
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::conversation_service_client::ConversationServiceClient;
use proto::karibu::ticketing::v1::duplicate_service_client::DuplicateServiceClient;
use proto::karibu::ticketing::v1::remedy_service_client::RemedyServiceClient;
use proto::karibu::ticketing::v1::routing_service_client::RoutingServiceClient;
use proto::karibu::types::v1::{Channel, Money};
use server::hop::Acting;
use stage::About;
use testkit::assert_eventually;

use crate::bench::{GRACE, HERE, Place, SOON, THERE, reason, staff};

const LEAD: &[Permission] = &[
    Permission::CompensationApprove,
    Permission::OrganizationWrite,
    Permission::KnowledgeRead,
    Permission::KnowledgeWrite,
];

fn way(place: &Place, subject: &str) -> Acting {
    place.way(staff(subject, BranchScope::All, LEAD))
}

fn mandate(most: i64, month: i64) -> wire::PutMandateRequest {
    let unit = || "RWF".to_owned();
    wire::PutMandateRequest {
        branch_id: HERE.to_string(),
        rules: vec![wire::AuthorityRule { unit: unit(), most, ..Default::default() }],
        budgets: vec![wire::BudgetRule { unit: unit(), period: wire::BudgetPeriod::Month.into(), most: month }],
        ..Default::default()
    }
}

/// A case at the counter, as far as solutions can be offered.
async fn proposing(place: &Place) -> String {
    let id = place.open(HERE).await.complaint_id;
    let mut client = place.agent();
    let complaint_id = || id.clone();
    let acknowledge = wire::AcknowledgeComplaintRequest {
        complaint_id: complaint_id(),
        channel: Channel::Phone.into(),
        ..Default::default()
    };
    client.acknowledge_complaint(acknowledge).await.unwrap();
    let understand = wire::ConfirmUnderstandingRequest {
        complaint_id: complaint_id(),
        paraphrase: "Tea instead of coffee".into(),
        confirmed: true,
        category_code: "WRONG_ITEM".into(),
        apologized: true,
        ..Default::default()
    };
    client.confirm_understanding(understand).await.unwrap();
    let assign = wire::AssignComplaintRequest {
        complaint_id: complaint_id(),
        owner_staff_id: GRACE.to_string(),
        ..Default::default()
    };
    client.assign_complaint(assign).await.unwrap();
    let start = wire::StartInvestigationRequest { complaint_id: complaint_id(), ..Default::default() };
    client.start_investigation(start).await.unwrap();
    let finding = wire::RecordFindingRequest {
        complaint_id: complaint_id(),
        summary: "The shelf".into(),
        fact_status: wire::FactStatus::Undetermined.into(),
        ..Default::default()
    };
    client.record_finding(finding).await.unwrap();
    id
}

fn voucher(complaint_id: &str, minor_units: i64) -> wire::OfferProposalsRequest {
    let amount = Money { currency_code: "RWF".into(), minor_units };
    wire::OfferProposalsRequest {
        complaint_id: complaint_id.into(),
        proposals: vec![wire::ProposalInput {
            kind: wire::ProposalKind::Credit.into(),
            description: "A voucher".into(),
            compensation: Some(wire::CompensationTerms {
                kind: wire::CompensationKind::Voucher.into(),
                value: Some(wire::compensation_terms::Value::Amount(amount)),
            }),
            ..Default::default()
        }],
        ..Default::default()
    }
}

async fn budget(place: &Place) -> (i64, i64) {
    let list = wire::ListBudgetsRequest { branch_id: HERE.to_string(), ..Default::default() };
    let mut client = RemedyServiceClient::new(way(place, "lead"));
    let budgets = client.list_budgets(list).await.unwrap().into_inner().budgets;
    budgets.first().map_or((0, 0), |budget| (budget.reserved, budget.spent))
}

#[tokio::test]
async fn a50_two_offers_race_for_the_last_of_a_budget_and_an_end_frees_it() {
    for place in Place::both().await {
        let mut lead = RemedyServiceClient::new(way(&place, "lead"));
        let put = lead.put_mandate(mandate(5_000, 1_000)).await.unwrap().into_inner().mandate.unwrap();
        let get = wire::GetMandateRequest { branch_id: HERE.to_string() };
        assert_eq!(lead.get_mandate(get).await.unwrap().into_inner().mandate.unwrap(), put);
        let (first, second) = (proposing(&place).await, proposing(&place).await);
        let end = place.house.clock.now_us() + HOUR_US;
        let ends = |request: wire::OfferProposalsRequest| wire::OfferProposalsRequest {
            expire_time: Some(proto::timestamp_from_us(end)),
            ..request
        };
        let (mut one, mut other) = (place.agent(), place.agent());
        let (a, b) = tokio::join!(
            one.offer_proposals(ends(voucher(&first, 600))),
            other.offer_proposals(ends(voucher(&second, 600))),
        );
        let refused: Vec<String> = [a, b].into_iter().filter(Result::is_err).map(reason).collect();
        assert_eq!(refused, ["BUDGET_EXHAUSTED"]);
        assert_eq!(budget(&place).await, (600, 0));
        place.house.clock.advance_us(HOUR_US);
        assert_eventually(SOON, || async { budget(&place).await == (0, 0) }).await;
    }
}

#[tokio::test]
async fn what_is_above_the_mandate_waits_for_somebody_else() {
    let place = Place::new().await;
    let mut lead = RemedyServiceClient::new(way(&place, "lead"));
    lead.put_mandate(mandate(500, 10_000)).await.unwrap();
    let id = proposing(&place).await;
    assert_eq!(reason(place.agent().offer_proposals(voucher(&id, 900)).await), "ABOVE_AUTHORITY");
    let ask = wire::OfferProposalsRequest { request_approval: true, ..voucher(&id, 900) };
    let asked = place.agent().offer_proposals(ask).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!((asked.waiting_on(), asked.proposal_sets[0].missing_approvals), (wire::WaitingOn::Approval, 1));
    let approve = wire::ApproveProposalsRequest { complaint_id: id.clone(), ..Default::default() };
    let mut own = RemedyServiceClient::new(way(&place, "grace"));
    assert_eq!(reason(own.approve_proposals(approve.clone()).await), "OWN_APPROVAL");
    let offered = lead.approve_proposals(approve).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!(
        (offered.state(), &offered.proposal_sets[0].approved_by[..]),
        (wire::ComplaintState::Offered, &["lead".to_owned()][..])
    );
    let counter = wire::CounterProposalsRequest { complaint_id: id, wish: "Two".into(), ..Default::default() };
    let countered = own.counter_proposals(counter).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!((countered.state(), countered.proposal_sets[0].wish.as_str()), (wire::ComplaintState::Proposing, "Two"));
}

#[tokio::test]
async fn who_the_organization_names_is_asked_and_takes_the_case() {
    for place in Place::both().await {
        let grant = RoleGrant { role: "agent".into(), all_branches: true, branch_ids: Vec::new() };
        let told = StaffMemberCreated {
            staff_member_id: GRACE.to_string(),
            home_branch_id: HERE.to_string(),
            role_grants: vec![grant],
        };
        place.neighbours.tell(About::thing(GRACE), told).await;
        let mut lead = RoutingServiceClient::new(way(&place, "lead"));
        let get = wire::GetStaffProfileRequest { staff_id: GRACE.to_string() };
        assert_eventually(SOON, || {
            let (mut lead, get) = (lead.clone(), get.clone());
            async move { lead.get_staff_profile(get).await.is_ok() }
        })
        .await;
        let id = place.open(HERE).await.complaint_id;
        let route = wire::RouteComplaintRequest { complaint_id: id.clone(), ..Default::default() };
        let asked = lead.route_complaint(route).await.unwrap().into_inner().complaint.unwrap();
        assert_eq!((asked.asks[0].staff_id.clone(), asked.asks[0].state()), (GRACE.to_string(), wire::AskState::Asked));
        let answer = wire::AnswerAskRequest { complaint_id: id.clone(), takes: true, ..Default::default() };
        assert_eq!(reason(lead.answer_ask(answer.clone()).await), "NOT_ASKED");
        let mut grace = RoutingServiceClient::new(way(&place, &GRACE.to_string()));
        let taken = grace.answer_ask(answer).await.unwrap().into_inner().complaint.unwrap();
        assert_eq!(taken.owner_staff_id, GRACE.to_string());
        let step = wire::StepBackRequest { complaint_id: id, reason_code: "INVOLVED".into(), ..Default::default() };
        let back = grace.step_back(step).await.unwrap().into_inner().complaint.unwrap();
        assert_eq!((back.owner_staff_id.as_str(), back.recused_staff_ids), ("", vec![GRACE.to_string()]));
    }
}

#[tokio::test]
async fn a39_crossing_merges_over_the_wire_leave_one_that_goes_on() {
    for place in Place::both().await {
        let (a, b) = (place.open(HERE).await.complaint_id, place.open(HERE).await.complaint_id);
        let mut client = DuplicateServiceClient::new(way(&place, "lead"));
        let find = wire::FindDuplicatesRequest { complaint_id: a.clone() };
        let found = client.find_duplicates(find).await.unwrap().into_inner().candidates;
        assert_eq!(
            found.iter().map(|one| one.complaint.as_ref().unwrap().complaint_id.as_str()).collect::<Vec<_>>(),
            [&b]
        );
        let preview = wire::PreviewMergeRequest { complaint_id: a.clone(), into_complaint_id: a.clone() };
        assert!(!client.preview_merge(preview).await.unwrap().into_inner().possible);
        let merge = |from: &str, into: &str| wire::MergeComplaintRequest {
            complaint_id: from.into(),
            into_complaint_id: into.into(),
            reason: "The same tea".into(),
            ..Default::default()
        };
        let (mut one, mut other) = (client.clone(), client.clone());
        let (ab, ba) = tokio::join!(one.merge_complaint(merge(&a, &b)), other.merge_complaint(merge(&b, &a)));
        assert_ne!(ab.is_ok(), ba.is_ok());
        let (loser, winner) = if ab.is_ok() { (&a, &b) } else { (&b, &a) };
        let merged = place.get(loser).await;
        assert_eq!((merged.state(), &merged.merged_into_complaint_id), (wire::ComplaintState::Merged, winner));
        let undo = wire::UndoMergeRequest { complaint_id: loser.clone(), ..Default::default() };
        client.undo_merge(undo).await.unwrap();
        assert_eq!(place.get(loser).await.state(), wire::ComplaintState::Received);
        let hidden = place.open(THERE).await.complaint_id;
        let near = place.way(staff("near", BranchScope::only([HERE]), LEAD));
        let refused = DuplicateServiceClient::new(near).merge_complaint(merge(&a, &hidden)).await;
        assert_eq!(reason(refused), "COMPLAINT_NOT_FOUND");
    }
}

#[tokio::test]
async fn a26_the_same_message_at_once_is_one_interaction_with_all_that_came_with_it() {
    for place in Place::both().await {
        let message = wire::ReceiveMessageRequest {
            channel: Channel::Email.into(),
            external_message_id: "<1@x>".into(),
            branch_id: HERE.to_string(),
            subject: "Tea".into(),
            body: "Tea again ✓".into(),
            attachments: vec![wire::Attachment {
                name: "cup.jpg".into(),
                r#ref: "files/7".into(),
                ..Default::default()
            }],
            cues: vec![wire::Cue { kind: wire::CueKind::Hostility.into(), value: "loud".into(), intensity: 5 }],
            emotion: wire::Emotion::Angry.into(),
            emotion_intensity: 4,
            ..Default::default()
        };
        let client = ConversationServiceClient::new(way(&place, "mail"));
        let (mut one, mut other) = (client.clone(), client.clone());
        let (a, b) = tokio::join!(one.receive_message(message.clone()), other.receive_message(message));
        let (a, b) = (a.unwrap().into_inner(), b.unwrap().into_inner());
        assert_eq!(a.interaction, b.interaction);
        assert_eq!(place.told().await.len(), 2);
        let list =
            wire::ListInteractionsRequest { complaint_id: a.complaint.unwrap().complaint_id, ..Default::default() };
        let listed = place.agent().list_interactions(list).await.unwrap().into_inner().interactions;
        assert_eq!(listed, [a.interaction.unwrap()]);
        assert_eq!((listed[0].attachments.len(), listed[0].emotion()), (1, wire::Emotion::Angry));
    }
}

#[tokio::test]
async fn a94_templates_are_linted_and_filled_in_the_nearest_language() {
    for place in Place::both().await {
        let mut client = ConversationServiceClient::new(way(&place, "lead"));
        let put = |variant: wire::TemplateVariant, body: &str| wire::PutTemplateRequest {
            template_code: "sorry".into(),
            locale: "en".into(),
            variant: variant.into(),
            body: body.into(),
            ..Default::default()
        };
        let blaming = put(wire::TemplateVariant::Warm, "Dear {name}, you should have looked.");
        assert_eq!(reason(client.put_template(blaming).await), "BLAMES_CUSTOMER");
        let warm = put(wire::TemplateVariant::Warm, "Thank you, {name}! Unfortunately it is late. It comes today.");
        let warm = client.put_template(warm).await.unwrap().into_inner().template.unwrap();
        assert_eq!(warm.blemishes[0].kind(), wire::BlemishKind::Negative);
        let get =
            wire::GetTemplateRequest { template_code: "sorry".into(), locale: "fr-RW".into(), ..Default::default() };
        assert_eq!(client.get_template(get).await.unwrap().into_inner().template.unwrap(), warm);
        let render = wire::RenderTemplateRequest {
            template_code: "sorry".into(),
            locale: "rw".into(),
            variant: wire::TemplateVariant::Terse.into(),
            ..Default::default()
        };
        assert_eq!(reason(client.render_template(render.clone()).await), "VALUE_MISSING");
        let terse = wire::RenderTemplateRequest { thanked_already: true, ..render };
        let text = client.render_template(terse).await.unwrap().into_inner().text;
        assert_eq!(text, "Unfortunately it is late. It comes today.");
    }
}
