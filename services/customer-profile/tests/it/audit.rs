//! Who did what, and who read what, as an auditor sees it.

use proto::karibu::audit::v1::audit_service_client::AuditServiceClient;
use proto::karibu::audit::v1::{AuditEntry, AuditTrail, ListAuditEntriesRequest};
use proto::karibu::profile::v1 as pb;
use testkit::assert_eventually;

use crate::bench::{Place, SOON, email};

async fn entries(place: &Place, trail: AuditTrail, request: ListAuditEntriesRequest) -> Vec<AuditEntry> {
    let request = ListAuditEntriesRequest { service: "profile".into(), trail: trail.into(), ..request };
    let mut client = AuditServiceClient::new(place.acting_admin());
    client.list_audit_entries(request).await.unwrap().into_inner().audit_entries
}

#[tokio::test]
async fn changes_and_reads_of_personal_data_are_found_by_record_customer_and_actor() {
    for place in Place::both().await {
        let ann = place.customer("Ann", vec![email("ann@example.rw")]).await;
        let get = pb::GetCustomerRequest { customer_id: ann.customer_id.clone() };
        place.admin().get_customer(get).await.unwrap();
        let lookup = pb::LookupCustomerRequest { identifier: Some(email("ann@example.rw")) };
        place.admin().lookup_customer(lookup).await.unwrap();
        let numbers = pb::GetPurchaseStatisticsRequest::default();
        place.admin().get_purchase_statistics(numbers).await.unwrap();

        let of_ann = ListAuditEntriesRequest { record_id: ann.customer_id.clone(), ..Default::default() };
        let changes = entries(&place, AuditTrail::Changes, of_ann.clone()).await;
        let [created] = changes.as_slice() else { panic!("{}: {changes:?}", place.name) };
        assert_eq!((created.action.as_str(), created.actor.as_str()), ("CreateCustomer", "admin"));
        assert_eq!((created.actor_kind.as_str(), created.old_version, created.new_version), ("staff", 0, 1));
        assert_eq!(created.customer_id, ann.customer_id);

        let read = assert_eventually(SOON, || async {
            let mut notes = entries(&place, AuditTrail::Notes, of_ann.clone()).await;
            notes.pop().ok_or("the read is not noted yet")
        })
        .await;
        assert_eq!((read.action.as_str(), read.record_type.as_str()), ("GetCustomer", "customer"));
        assert_eq!((read.actor.as_str(), read.customer_id.as_str()), ("admin", ann.customer_id.as_str()));
        let by_admin = ListAuditEntriesRequest { actor: "admin".into(), page_size: 100, ..Default::default() };
        let acts: Vec<String> = assert_eventually(SOON, || async {
            let notes = entries(&place, AuditTrail::Notes, by_admin.clone()).await;
            let acts: Vec<String> = notes.into_iter().map(|note| note.action).collect();
            if acts.iter().any(|act| act == "LookupCustomer") { Ok(acts) } else { Err(acts.join(", ")) }
        })
        .await;
        assert!(!acts.iter().any(|act| act == "GetPurchaseStatistics"), "numbers are not personal: {acts:?}");
    }
}

#[tokio::test]
async fn an_erasure_is_found_with_who_asked_for_it() {
    let place = Place::new().await;
    let ann = place.customer("Ann", vec![email("ann@example.rw")]).await;
    let erase = pb::EraseCustomerRequest {
        customer_id: ann.customer_id.clone(),
        reason_code: "asked".into(),
        ..Default::default()
    };
    let certificate = place.admin().erase_customer(erase).await.unwrap().into_inner().certificate.unwrap();
    assert_eq!(certificate.state(), pb::ErasureState::Completed);
    assert!(certificate.parts.iter().any(|part| part.basis_code == "accounting"));
    let of_ann = ListAuditEntriesRequest { customer_id: ann.customer_id.clone(), ..Default::default() };
    let newest = entries(&place, AuditTrail::Changes, of_ann).await.remove(0);
    assert_eq!((newest.action.as_str(), newest.actor.as_str()), ("EraseCustomer", "admin"));
    assert_eq!(newest.event_type, "karibu.profile.customer.erased.v1");
    // The handle is free again, and nobody is found by it.
    let again = place.customer("Ann", vec![email("ann@example.rw")]).await;
    assert_ne!(again.customer_id, ann.customer_id);
}
