//! Customers as a client sees them: from visitor to known customer, handles, changes, lists.

use proto::karibu::profile::v1 as pb;
use proto::karibu::types::v1::MonthDay;
use tonic::Code;

use crate::bench::{HERE, Place, THERE, email, fields, reason};

fn visit() -> pb::RecordVisitRequest {
    pb::RecordVisitRequest { branch_id: HERE.to_string(), touchpoint_code: "entrance".into(), ..Default::default() }
}

#[tokio::test]
async fn a_visitor_becomes_a_known_customer() {
    for place in Place::both().await {
        let mut client = place.admin();
        let reply = client.record_visit(visit()).await.unwrap().into_inner();
        let (visit, visitor) = (reply.visit.unwrap(), reply.customer.unwrap());
        assert_eq!((visitor.kind(), visitor.etag.as_str()), (pb::CustomerKind::Anonymous, "1"), "{}", place.name);
        assert_eq!(visit.customer_id, visitor.customer_id);
        assert_eq!(visitor.first_seen_time, visit.occur_time);

        let identify = pb::IdentifyCustomerRequest {
            customer_id: visitor.customer_id.clone(),
            etag: "1".into(),
            preferred_name: "Aline".into(),
            identifiers: vec![email("Aline@Example.rw")],
            birthday: Some(MonthDay { month: 2, day: 29 }),
            ..Default::default()
        };
        let known = client.identify_customer(identify.clone()).await.unwrap().into_inner().customer.unwrap();
        assert_eq!((known.kind(), known.etag.as_str()), (pb::CustomerKind::Person, "2"));
        assert_eq!((known.preferred_name.as_str(), known.locale.as_str()), ("Aline", "rw"));
        assert_eq!(known.identifiers, [email("Aline@example.rw")]);
        let again = pb::IdentifyCustomerRequest { etag: String::new(), ..identify };
        assert_eq!(reason(client.identify_customer(again).await), "CUSTOMER_ALREADY_IDENTIFIED");

        let get = pb::GetCustomerRequest { customer_id: visitor.customer_id.clone() };
        assert_eq!(client.get_customer(get).await.unwrap().into_inner().customer.unwrap(), known);
        let lookup = pb::LookupCustomerRequest { identifier: Some(email("ALINE@EXAMPLE.RW")) };
        assert_eq!(client.lookup_customer(lookup).await.unwrap().into_inner().customer.unwrap(), known);
        assert_eq!(place.summary(&visitor.customer_id).await.visit_count, 1);
    }
}

#[tokio::test]
async fn a_handle_has_one_customer() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ann = place.customer("Ann", vec![email("ann@example.rw")]).await;
        let beza = place.customer("Beza", vec![]).await;
        let add = |customer: &pb::Customer, address: &str| pb::AddIdentifierRequest {
            customer_id: customer.customer_id.clone(),
            identifier: Some(email(address)),
            ..Default::default()
        };
        let taken = client.add_identifier(add(&beza, "Ann@example.rw")).await;
        assert_eq!(taken.as_ref().unwrap_err().code(), Code::AlreadyExists);
        assert_eq!(reason(taken), "IDENTIFIER_TAKEN");
        let more = client.add_identifier(add(&ann, "ann@work.rw")).await.unwrap().into_inner().customer.unwrap();
        assert_eq!((more.identifiers.len(), more.etag.as_str()), (2, "2"));
        let same = client.add_identifier(add(&ann, "ann@work.rw")).await.unwrap().into_inner().customer.unwrap();
        assert_eq!(same, more, "a handle that it has already changes nothing");
        let create = pb::CreateCustomerRequest {
            identifiers: vec![email("new@example.rw"), email("ann@work.rw")],
            home_branch_id: HERE.to_string(),
            ..Default::default()
        };
        assert_eq!(reason(client.create_customer(create).await), "IDENTIFIER_TAKEN");
        let lookup = pb::LookupCustomerRequest { identifier: Some(email("new@example.rw")) };
        assert_eq!(reason(client.lookup_customer(lookup).await), "CUSTOMER_NOT_FOUND");
    }
}

#[tokio::test]
async fn masked_fields_change_under_the_right_etag() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ann = place.customer("Ann", vec![]).await;
        let update = pb::UpdateCustomerRequest {
            customer_id: ann.customer_id.clone(),
            etag: ann.etag.clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["tags".into(), "birthday".into()] }),
            preferred_name: "not in the mask".into(),
            birthday: Some(MonthDay { month: 12, day: 24 }),
            tags: vec!["vip".into(), "choir".into()],
            ..Default::default()
        };
        let changed = client.update_customer(update.clone()).await.unwrap().into_inner().customer.unwrap();
        assert_eq!((changed.preferred_name.as_str(), changed.etag.as_str()), ("Ann", "2"));
        assert_eq!((changed.birthday, changed.tags.clone()), (update.birthday, vec!["choir".into(), "vip".into()]));
        assert_eq!(reason(client.update_customer(update.clone()).await), "VERSION_MISMATCH");
        let unset = pb::UpdateCustomerRequest { etag: String::new(), birthday: None, ..update.clone() };
        let unset = client.update_customer(unset).await.unwrap().into_inner().customer.unwrap();
        assert_eq!((unset.birthday, unset.etag.as_str()), (None, "3"));
        let no_day =
            pb::UpdateCustomerRequest { etag: String::new(), birthday: Some(MonthDay { month: 2, day: 30 }), ..update };
        assert_eq!(fields(client.update_customer(no_day).await), ["birthday"]);
    }
}

#[tokio::test]
async fn customers_are_listed_newest_first_with_filters_and_pages() {
    for place in Place::both().await {
        let mut client = place.admin();
        let mut made = Vec::new();
        for number in 0..5 {
            made.push(place.customer(&format!("C{number}"), vec![]).await.customer_id);
        }
        let tag = pb::UpdateCustomerRequest {
            customer_id: made[1].clone(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["tags".into(), "home_branch_id".into()] }),
            tags: vec!["vip".into()],
            home_branch_id: THERE.to_string(),
            ..Default::default()
        };
        client.update_customer(tag).await.unwrap();
        let ids = |reply: &pb::ListCustomersResponse| {
            reply.customers.iter().map(|customer| customer.customer_id.clone()).collect::<Vec<_>>()
        };
        let mut seen = Vec::new();
        let mut request = pb::ListCustomersRequest { page_size: 2, ..Default::default() };
        loop {
            let page = client.list_customers(request.clone()).await.unwrap().into_inner();
            seen.extend(ids(&page));
            request.page_token.clone_from(&page.next_page_token);
            if request.page_token.is_empty() {
                break;
            }
        }
        made.reverse();
        assert_eq!(seen, made, "{}", place.name);
        for filter in [
            pb::ListCustomersRequest { tag: "vip".into(), ..Default::default() },
            pb::ListCustomersRequest { home_branch_id: THERE.to_string(), ..Default::default() },
        ] {
            assert_eq!(ids(&client.list_customers(filter).await.unwrap().into_inner()), [made[3].clone()]);
        }
        let none = pb::ListCustomersRequest { kind: pb::CustomerKind::Anonymous.into(), ..Default::default() };
        assert!(client.list_customers(none).await.unwrap().into_inner().customers.is_empty());
        let foreign = pb::ListCustomersRequest { page_token: "bm90IG91cnM".into(), ..Default::default() };
        assert_eq!(fields(client.list_customers(foreign).await), ["page_token"]);
    }
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    let place = Place::new().await;
    let mut client = place.admin();
    let request = pb::RecordVisitRequest { request_id: "once".into(), ..visit() };
    let first = client.record_visit(request.clone()).await.unwrap().into_inner();
    assert_eq!(client.record_visit(request.clone()).await.unwrap().into_inner(), first);
    let other = pb::RecordVisitRequest { branch_id: THERE.to_string(), ..request };
    assert_eq!(reason(client.record_visit(other).await), "REQUEST_ID_REUSED");
    assert_eq!(place.summary(&first.customer.unwrap().customer_id).await.visit_count, 1);
}

#[tokio::test]
async fn handles_that_are_none_are_refused_with_their_field() {
    let place = Place::new().await;
    let phone =
        pb::Identifier { r#type: pb::IdentifierType::Phone.into(), value: "0788".into(), issuer: String::new() };
    let request = pb::CreateCustomerRequest {
        identifiers: vec![email("ann@example.rw"), phone],
        home_branch_id: HERE.to_string(),
        ..Default::default()
    };
    let refused = place.admin().create_customer(request).await;
    assert_eq!(refused.as_ref().unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(fields(refused), ["identifiers[1].value"]);
}

#[tokio::test]
async fn stored_replies_and_events_hold_no_personal_data() {
    let place = Place::on_postgres().await;
    let mut client = place.admin();
    let visitor = client.record_visit(visit()).await.unwrap().into_inner().customer.unwrap();
    let identify = pb::IdentifyCustomerRequest {
        customer_id: visitor.customer_id.clone(),
        preferred_name: "Zuleika".into(),
        identifiers: vec![email("zuleika@example.rw")],
        ..Default::default()
    };
    client.identify_customer(identify).await.unwrap();
    let update = pb::UpdateCustomerRequest {
        customer_id: visitor.customer_id,
        update_mask: Some(prost_types::FieldMask { paths: vec!["preferred_name".into()] }),
        preferred_name: "Zuleika Umutesi".into(),
        ..Default::default()
    };
    client.update_customer(update).await.unwrap();
    let stored = place.stored_bytes().await;
    assert!(stored.len() >= 6, "replies and events are there");
    for bytes in stored {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        assert!(!text.contains("zuleika"), "personal data outside of the customer: {text}");
    }
}
