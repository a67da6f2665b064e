//! Customers with a token of theirs, before the real services: each sees the one thing that the token is for, cut to what
//! is for customers, and whoever cannot see a thing cannot hand it out.

use std::time::Duration;

use client::Karibu;
use karibu_tests::{Place, embedded};
use proto::karibu::gateway::v1 as gw;
use proto::karibu::gateway::v1::create_customer_token_request::Thing;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as org;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::types::v1::Channel;
use tonic::{Code, Status};
use uuid::Uuid;

/// Much longer than anything here takes.
const SOON: Duration = Duration::from_secs(30);
const NARRATIVE: &str = "The cake says Inez, and my neighbour at the till laughed.";

async fn branch(karibu: &Karibu, code: &str, parent: &str) -> String {
    let request = org::CreateBranchRequest {
        code: code.into(),
        display_name: code.into(),
        parent_branch_id: parent.into(),
        kind: if parent.is_empty() { org::BranchKind::Business } else { org::BranchKind::Branch }.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        ..Default::default()
    };
    karibu.organization().create_branch(request).await.unwrap().into_inner().branch.unwrap().branch_id
}

/// A complaint of this customer, as soon as the branch is known where complaints are kept.
async fn complaint(karibu: &Karibu, branch_id: &str, customer_id: &str) -> ticketing::Complaint {
    let request = ticketing::OpenComplaintRequest {
        request_id: client::request_id(),
        branch_id: branch_id.into(),
        customer_id: customer_id.into(),
        channel: Channel::InPerson.into(),
        category_code: "wrong-item".into(),
        subject: "The cake has the wrong name on it".into(),
        narrative: NARRATIVE.into(),
        ..Default::default()
    };
    client::patiently(SOON, || open(karibu, request.clone())).await.unwrap()
}

async fn open(karibu: &Karibu, request: ticketing::OpenComplaintRequest) -> Result<ticketing::Complaint, Status> {
    let opened = karibu.ticketing().open_complaint(request).await?.into_inner();
    Ok(opened.complaint.unwrap())
}

async fn account(karibu: &Karibu, customer_id: &str) -> loyalty::Account {
    let program = loyalty::CreateProgramRequest {
        code: "CARD".into(),
        display_name: "Card".into(),
        earn_rules: vec![loyalty::EarnRule { currency_code: "RWF".into(), points: 1, per_minor_units: 100 }],
        ..Default::default()
    };
    let program = karibu.loyalty().create_program(program).await.unwrap().into_inner().program.unwrap();
    let enrol = loyalty::EnrolCustomerRequest {
        program_id: program.program_id,
        customer_id: customer_id.into(),
        ..Default::default()
    };
    karibu.loyalty().enrol_customer(enrol).await.unwrap().into_inner().account.unwrap()
}

async fn token(karibu: &Karibu, thing: Thing) -> Result<gw::CreateCustomerTokenResponse, Status> {
    let request = gw::CreateCustomerTokenRequest { thing: Some(thing), ..Default::default() };
    Ok(karibu.customers().create_customer_token(request).await?.into_inner())
}

async fn holding(place: &Place, token: &str) -> Karibu {
    Karibu::connect(&place.address, token).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_sees_their_own_complaint_and_card_and_nothing_else() {
    let place = embedded().await;
    let admin = place.client().await;
    let root = branch(&admin, "ALL", "").await;
    let (here, there) = (branch(&admin, "KGL-1", &root).await, branch(&admin, "LDN-1", &root).await);
    let (ann, bob) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let (of_ann, of_bob) = (complaint(&admin, &here, &ann).await, complaint(&admin, &here, &bob).await);
    let card = account(&admin, &ann).await;

    let made = token(&admin, Thing::ComplaintId(of_ann.complaint_id.clone())).await.unwrap();
    assert_eq!(made.customer_id, ann);
    let customer = holding(&place, &made.token).await;
    let own = customer.customers().get_own_complaint(gw::GetOwnComplaintRequest {}).await.unwrap().into_inner();
    let own = own.complaint.unwrap();
    assert_eq!((&own.number, &own.subject), (&of_ann.number, &of_ann.subject));
    assert_ne!(own.number, of_bob.number);
    assert!(!format!("{own:?}").contains("neighbour"), "the narrative is not shown");
    let no_card = customer.customers().get_own_card(gw::GetOwnCardRequest {}).await.unwrap_err();
    assert_eq!(no_card.code(), Code::NotFound);
    for id in [of_ann.complaint_id.clone(), of_bob.complaint_id] {
        let whole = ticketing::GetComplaintRequest { complaint_id: id };
        assert_eq!(customer.ticketing().get_complaint(whole).await.unwrap_err().code(), Code::PermissionDenied);
    }
    let another = token(&customer, Thing::ComplaintId(of_ann.complaint_id.clone())).await.unwrap_err();
    assert_eq!(another.code(), Code::PermissionDenied, "a token begets no token");

    let made = token(&admin, Thing::AccountId(card.account_id.clone())).await.unwrap();
    let holder = holding(&place, &made.token).await;
    let own = holder.customers().get_own_card(gw::GetOwnCardRequest {}).await.unwrap().into_inner().card.unwrap();
    assert_eq!(own.card_number, card.card_number);
    let no_complaint = holder.customers().get_own_complaint(gw::GetOwnComplaintRequest {}).await.unwrap_err();
    assert_eq!(no_complaint.code(), Code::NotFound);

    // An integrator of another branch does not see Ann's complaint, and so cannot hand it out; one without the
    // permission cannot hand out anything.
    for (role, branch_id, expected) in [
        ("integrator", &there, Code::NotFound),
        ("integrator", &here, Code::Ok),
        ("agent", &here, Code::PermissionDenied),
    ] {
        let key = org::CreateApiKeyRequest {
            display_name: role.into(),
            roles: vec![role.into()],
            branch_ids: vec![branch_id.clone()],
            ..Default::default()
        };
        let key = admin.organization().create_api_key(key).await.unwrap().into_inner().secret;
        let made = token(&holding(&place, &key).await, Thing::ComplaintId(of_ann.complaint_id.clone())).await;
        assert_eq!(made.map_or_else(|status| status.code(), |_| Code::Ok), expected, "{role}");
    }
    let nothing = token(&admin, Thing::ComplaintId(Uuid::now_v7().to_string())).await.unwrap_err();
    assert_eq!(nothing.code(), Code::NotFound);
}
