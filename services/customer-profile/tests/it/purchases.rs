//! Purchases as tills and imports report them.

use proto::karibu::profile::v1 as pb;
use proto::karibu::types::v1::Money;
use tonic::Code;

use crate::bench::{HERE, Place, THERE, by_handle, by_id, email, fields, reason, sale};

fn record(purchase: pb::PurchaseInput) -> pb::RecordPurchaseRequest {
    pb::RecordPurchaseRequest { request_id: String::new(), purchase: Some(purchase) }
}

fn rwf(minor_units: i64) -> Money {
    Money { currency_code: "RWF".into(), minor_units }
}

fn external(value: &str) -> pb::Identifier {
    pb::Identifier { r#type: pb::IdentifierType::External.into(), value: value.into(), issuer: "shop".into() }
}

async fn batch(place: &Place, purchases: Vec<pb::PurchaseInput>) -> Vec<pb::PurchaseResult> {
    let request = pb::BatchRecordPurchasesRequest { request_id: String::new(), purchases };
    place.admin().batch_record_purchases(request).await.unwrap().into_inner().results
}

#[tokio::test]
async fn a_receipt_counts_once_and_stands_as_it_is() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ann = place.customer("Ann", vec![]).await;
        let input = pb::PurchaseInput { customer: by_id(&ann.customer_id), total_minor: Some(1_300), ..sale("1", 0) };
        let first = client.record_purchase(record(input.clone())).await.unwrap().into_inner();
        assert!(!first.already_recorded);
        let purchase = first.purchase.unwrap();
        assert_eq!((purchase.total.clone(), purchase.earning_total.clone()), (Some(rwf(1_300)), Some(rwf(1_400))));
        assert_eq!(purchase.lines, input.lines);

        let again = client.record_purchase(record(input.clone())).await.unwrap().into_inner();
        assert!(again.already_recorded);
        assert_eq!(again.purchase.as_ref(), Some(&purchase));
        let get = pb::GetPurchaseRequest { purchase_id: purchase.purchase_id.clone() };
        assert_eq!(client.get_purchase(get).await.unwrap().into_inner().purchase.unwrap(), purchase);

        let mut other = input.clone();
        other.lines[0].quantity = 3;
        other.total_minor = None;
        let mismatch = client.record_purchase(record(other)).await;
        assert_eq!(mismatch.as_ref().unwrap_err().code(), Code::AlreadyExists);
        assert_eq!(reason(mismatch), "PURCHASE_MISMATCH");
        let wrong = pb::PurchaseInput { total_minor: Some(1_301), ..sale("2", 0) };
        let wrong = client.record_purchase(record(wrong)).await.map(tonic::Response::into_inner);
        assert_eq!(fields(wrong.clone()), ["purchase.total_minor"]);
        assert_eq!(reason(wrong), "TOTAL_MISMATCH");
        let summary = place.summary(&ann.customer_id).await;
        assert_eq!((summary.purchase_count, summary.net_totals), (1, vec![rwf(1_300)]));
    }
}

#[tokio::test]
async fn items_of_a_batch_stand_or_fall_alone_and_can_be_sent_again() {
    for place in Place::both().await {
        let new = |number: &str, handle: &str, create: bool| pb::PurchaseInput {
            customer: by_handle(external(handle)),
            create_customer_if_missing: create,
            ..sale(number, 0)
        };
        let items = vec![
            new("1", "12923", true),
            new("2", "12923", true),
            new("3", "99999", false),
            pb::PurchaseInput { currency_code: "ZZZ".into(), ..sale("4", 0) },
            pb::PurchaseInput { lines: vec![], ..sale("5", 0) },
            pb::PurchaseInput {
                kind: pb::PurchaseKind::Return.into(),
                original_source_ref: "1".into(),
                ..new("6", "12923", false)
            },
            sale("7", 0),
            new("1", "12923", true),
        ];
        let results = batch(&place, items.clone()).await;
        let outline = |result: &pb::PurchaseResult| match result.result.as_ref().unwrap() {
            pb::purchase_result::Result::Error(error) => format!("{} at {:?}", error.reason, error.field),
            pb::purchase_result::Result::PurchaseId(_) => {
                format!("{} {}", u8::from(result.customer_created), u8::from(result.already_recorded))
            }
        };
        let outlines: Vec<String> = results.iter().map(outline).collect();
        let refusals =
            ["CUSTOMER_NOT_FOUND at \"\"", "CURRENCY_UNKNOWN at \"currency_code\"", "INVALID_ARGUMENT at \"lines\""];
        assert_eq!(outlines[..2], ["1 0", "0 0"], "{}", place.name);
        assert_eq!(outlines[2..5], refusals);
        assert_eq!(outlines[5..], ["0 0", "0 0", "0 1"]);
        assert!(results[6].customer_id.is_empty());

        let again: Vec<String> = batch(&place, items).await.iter().map(outline).collect();
        assert_eq!(again[..2], ["0 1", "0 1"]);
        assert_eq!(again[2..5], refusals);
        assert_eq!(again[5..], ["0 1", "0 1", "0 1"]);
        let summary = place.summary(&results[0].customer_id).await;
        assert_eq!((summary.purchase_count, summary.return_count), (2, 1));
        assert_eq!(summary.net_totals, [rwf(1_300)]);
        assert_eq!(summary.favourites.iter().map(|one| (&*one.sku, one.quantity)).collect::<Vec<_>>(), [("milk", 2)]);
    }
}

#[tokio::test]
async fn the_same_batch_call_is_answered_as_before_and_another_under_its_id_is_refused() {
    let place = Place::new().await;
    let mut client = place.admin();
    let request = pb::BatchRecordPurchasesRequest { request_id: "import-1".into(), purchases: vec![sale("1", 0)] };
    let first = client.batch_record_purchases(request.clone()).await.unwrap().into_inner();
    assert!(!first.results[0].already_recorded);
    assert_eq!(client.batch_record_purchases(request.clone()).await.unwrap().into_inner(), first);
    let other = pb::BatchRecordPurchasesRequest { purchases: vec![sale("2", 0)], ..request };
    assert_eq!(reason(client.batch_record_purchases(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn purchases_are_listed_and_summed() {
    for place in Place::both().await {
        let mut client = place.admin();
        let ann = place.customer("Ann", vec![email("ann@example.rw")]).await;
        let mine = |number: &str, at_s| pb::PurchaseInput { customer: by_id(&ann.customer_id), ..sale(number, at_s) };
        let items = vec![
            mine("1", -40),
            mine("2", -20),
            pb::PurchaseInput { branch_id: THERE.to_string(), ..mine("3", -30) },
            pb::PurchaseInput { kind: pb::PurchaseKind::Return.into(), ..mine("4", -10) },
            pb::PurchaseInput { source_system: "web".into(), currency_code: "GBP".into(), ..sale("1", -10) },
        ];
        let made: Vec<String> = batch(&place, items)
            .await
            .into_iter()
            .map(|result| match result.result.unwrap() {
                pb::purchase_result::Result::PurchaseId(id) => id,
                pb::purchase_result::Result::Error(error) => panic!("{error:?}"),
            })
            .collect();
        let list = async |request: pb::ListPurchasesRequest| {
            let (mut seen, mut request) = (Vec::new(), pb::ListPurchasesRequest { page_size: 2, ..request });
            loop {
                let page = place.admin().list_purchases(request.clone()).await.unwrap().into_inner();
                seen.extend(
                    page.purchases
                        .into_iter()
                        .map(|one| made.iter().position(|id| *id == one.purchase_id).unwrap() + 1),
                );
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break seen;
                }
            }
        };
        let of_ann = pb::ListPurchasesRequest { customer_id: ann.customer_id.clone(), ..Default::default() };
        assert_eq!(list(of_ann.clone()).await, [4, 2, 3, 1], "{}", place.name);
        let there = pb::ListPurchasesRequest { branch_id: THERE.to_string(), ..Default::default() };
        assert_eq!(list(there.clone()).await, [3]);
        assert_eq!(list(pb::ListPurchasesRequest { branch_id: there.branch_id, ..of_ann }).await, [3]);
        let at = |at_s| sale("", at_s).occur_time;
        let between = pb::ListPurchasesRequest { start_time: at(-30), end_time: at(-10), ..Default::default() };
        assert_eq!(list(between).await, [2, 3]);
        assert_eq!(list(pb::ListPurchasesRequest::default()).await.len(), 5);

        let all = pb::GetPurchaseStatisticsRequest::default();
        let statistics = client.get_purchase_statistics(all).await.unwrap().into_inner().statistics.unwrap();
        let gbp = Money { currency_code: "GBP".into(), minor_units: 1_300 };
        let expected = pb::PurchaseStatistics {
            sale_count: 4,
            return_count: 1,
            line_count: 10,
            customer_count: 1,
            unknown_customer_count: 1,
            sale_totals: vec![gbp, rwf(3_900)],
            return_totals: vec![rwf(1_300)],
        };
        assert_eq!(statistics, expected);
        let tills = pb::GetPurchaseStatisticsRequest {
            source_system: "till".into(),
            branch_id: HERE.to_string(),
            ..Default::default()
        };
        let statistics = client.get_purchase_statistics(tills).await.unwrap().into_inner().statistics.unwrap();
        assert_eq!((statistics.sale_count, statistics.return_count, statistics.unknown_customer_count), (2, 1, 0));
    }
}
