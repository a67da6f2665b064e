//! Staff of one branch see and change what belongs there, and learn nothing of the rest.

use proto::karibu::profile::v1 as pb;

use crate::bench::{HERE, Place, THERE, by_handle, by_id, email, reason, sale};

fn get(customer_id: &str) -> pb::GetCustomerRequest {
    pb::GetCustomerRequest { customer_id: customer_id.into() }
}

#[tokio::test]
async fn a_customer_is_seen_where_it_was_and_nowhere_else() {
    for place in Place::both().await {
        let ann = place.customer("Ann", vec![email("ann@example.rw")]).await;
        let (id, mut there) = (ann.customer_id.as_str(), place.at_branch(THERE));
        assert_eq!(place.at_branch(HERE).get_customer(get(id)).await.unwrap().into_inner().customer.unwrap(), ann);

        assert_eq!(reason(there.get_customer(get(id)).await), "CUSTOMER_NOT_FOUND", "{}", place.name);
        let lookup = pb::LookupCustomerRequest { identifier: Some(email("ann@example.rw")) };
        assert_eq!(reason(there.lookup_customer(lookup.clone()).await), "CUSTOMER_NOT_FOUND");
        let summary = pb::GetCustomerSummaryRequest { customer_id: id.into() };
        assert_eq!(reason(there.get_customer_summary(summary.clone()).await), "CUSTOMER_NOT_FOUND");
        let timeline = pb::ListTimelineEntriesRequest { customer_id: id.into(), ..Default::default() };
        assert_eq!(reason(there.list_timeline_entries(timeline.clone()).await), "CUSTOMER_NOT_FOUND");
        let list = pb::ListCustomersRequest::default();
        assert!(there.list_customers(list.clone()).await.unwrap().into_inner().customers.is_empty());
        let update = pb::UpdateCustomerRequest {
            customer_id: id.into(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["locale".into()] }),
            locale: "fr".into(),
            ..Default::default()
        };
        assert_eq!(reason(there.update_customer(update).await), "CUSTOMER_NOT_FOUND");
        let visit =
            pb::RecordVisitRequest { customer_id: id.into(), branch_id: THERE.to_string(), ..Default::default() };
        assert_eq!(reason(there.record_visit(visit).await), "CUSTOMER_NOT_FOUND");
        let sold = |customer| pb::RecordPurchaseRequest {
            purchase: Some(pb::PurchaseInput { branch_id: THERE.to_string(), customer, ..sale("1", 0) }),
            ..Default::default()
        };
        assert_eq!(reason(there.record_purchase(sold(by_id(id))).await), "CUSTOMER_NOT_FOUND");

        // Ann shows her address at the till: from now on she is known there too.
        there.record_purchase(sold(by_handle(email("ann@example.rw")))).await.unwrap();
        assert_eq!(there.get_customer(get(id)).await.unwrap().into_inner().customer.unwrap(), ann);
        assert_eq!(there.lookup_customer(lookup).await.unwrap().into_inner().customer.unwrap(), ann);
        assert_eq!(there.list_customers(list).await.unwrap().into_inner().customers, [ann]);
        assert_eq!(there.get_customer_summary(summary).await.unwrap().into_inner().summary.unwrap().purchase_count, 1);
        // What happened with her elsewhere is not theirs to see.
        let entries = there.list_timeline_entries(timeline).await.unwrap().into_inner().entries;
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].branch_id, THERE.to_string());
    }
}

#[tokio::test]
async fn purchases_of_other_branches_are_not_found_counted_or_recorded() {
    for place in Place::both().await {
        let request = pb::RecordPurchaseRequest { purchase: Some(sale("1", 0)), ..Default::default() };
        let made = place.admin().record_purchase(request.clone()).await.unwrap().into_inner().purchase.unwrap();
        let mut there = place.at_branch(THERE);
        assert_eq!(reason(there.record_purchase(request).await), "BRANCH_NOT_FOUND");
        let get = pb::GetPurchaseRequest { purchase_id: made.purchase_id };
        assert_eq!(reason(there.get_purchase(get).await), "PURCHASE_NOT_FOUND");
        for request in [
            pb::ListPurchasesRequest::default(),
            pb::ListPurchasesRequest { branch_id: HERE.to_string(), ..Default::default() },
        ] {
            assert!(there.list_purchases(request).await.unwrap().into_inner().purchases.is_empty(), "{}", place.name);
        }
        let all = pb::GetPurchaseStatisticsRequest::default();
        let statistics = there.get_purchase_statistics(all).await.unwrap().into_inner().statistics.unwrap();
        assert_eq!(statistics, pb::PurchaseStatistics::default());
    }
}

#[tokio::test]
async fn a_branch_nobody_told_of_is_unknown() {
    let place = Place::new().await;
    let purchase = pb::PurchaseInput { branch_id: uuid::Uuid::max().to_string(), ..sale("1", 0) };
    let request = pb::RecordPurchaseRequest { purchase: Some(purchase), ..Default::default() };
    assert_eq!(reason(place.admin().record_purchase(request).await), "BRANCH_UNKNOWN");
}
