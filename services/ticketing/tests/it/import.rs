//! Bringing in cases: each by itself, once for ever, and counted as they are.

use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1::{Channel, KeyCount, LocalDate};
use uuid::Uuid;

use crate::bench::{HERE, Place, THERE, import_errors, past_case};

fn import(complaints: Vec<wire::ComplaintImport>) -> wire::ImportComplaintsRequest {
    wire::ImportComplaintsRequest { complaints, ..Default::default() }
}

fn case(item: &mut wire::ComplaintImport) -> &mut wire::HistoricalCase {
    item.historical_case.as_mut().unwrap()
}

fn count(counts: &[KeyCount], key: &str) -> i64 {
    counts.iter().find(|count| count.key == key).map_or(0, |count| count.count)
}

#[tokio::test]
async fn each_item_is_taken_or_refused_by_itself() {
    for place in Place::both().await {
        let mut client = place.agent();
        let mut items: Vec<wire::ComplaintImport> = (0..7).map(|n| past_case(HERE, &n.to_string())).collect();
        case(&mut items[1]).product.clear();
        case(&mut items[2]).receive_date = Some(LocalDate { year: 2013, month: 2, day: 30 });
        case(&mut items[3]).send_date = Some(LocalDate { year: 2012, month: 1, day: 1 });
        items[4].branch_id = Uuid::max().to_string();
        case(&mut items[5]).source_ref = "0".into();
        case(&mut items[5]).issue = "another".into();
        let reply = client.import_complaints(import(items.clone())).await.unwrap().into_inner();
        let reasons: Vec<_> = import_errors(&reply).into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(
            reasons,
            ["", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "BRANCH_UNKNOWN", "CASE_MISMATCH", ""]
        );
        let field = |place: usize| match reply.results[place].result.as_ref().unwrap() {
            wire::complaint_import_result::Result::Error(error) => error.field.clone(),
            wire::complaint_import_result::Result::ComplaintId(_) => panic!("item {place} was taken"),
        };
        assert_eq!(field(1), "historical_case.product");
        assert_eq!(field(2), "historical_case.receive_date");
        assert_eq!(field(3), "historical_case.send_date");

        let again = client.import_complaints(import(items)).await.unwrap().into_inner();
        assert_eq!(import_errors(&again), import_errors(&reply));
        for place in [0, 6] {
            assert_eq!(again.results[place].result, reply.results[place].result);
            assert!(again.results[place].already_imported && !reply.results[place].already_imported);
        }
        let told = place.told().await;
        assert_eq!(told.len(), 2, "a second run has no second effect");
    }
}

#[tokio::test]
async fn a_case_keeps_all_that_is_known_of_it() {
    for place in Place::both().await {
        let mut item = past_case(THERE, "7");
        case(&mut item).company_response = wire::CompanyResponse::InProgress.into();
        case(&mut item).disputed = wire::Ternary::Unspecified.into();
        let reply = place.agent().import_complaints(import(vec![item.clone()])).await.unwrap().into_inner();
        let Some(wire::complaint_import_result::Result::ComplaintId(id)) = &reply.results[0].result else {
            panic!("it was refused")
        };
        let complaint = place.get(id).await;
        assert_eq!(complaint.historical_case, item.historical_case);
        assert_eq!(complaint.number, "LDN-2013-000001");
        assert_eq!((complaint.state(), complaint.channel()), (wire::ComplaintState::Investigating, Channel::Web));
        // Midnight in London, in summer.
        assert_eq!(complaint.open_time.unwrap().seconds, 1_375_052_400);
        let history = wire::ListComplaintHistoryRequest { complaint_id: id.clone(), ..Default::default() };
        let entries = place.agent().list_complaint_history(history).await.unwrap().into_inner().entries;
        assert_eq!((entries.len(), entries[0].code.as_str()), (1, "IN_PROGRESS"));
    }
}

#[tokio::test]
async fn statistics_count_what_was_brought_in() {
    for place in Place::both().await {
        let mut items: Vec<wire::ComplaintImport> = (0..500).map(|n| past_case(HERE, &n.to_string())).collect();
        for (n, item) in items.iter_mut().enumerate() {
            if n % 5 == 0 {
                case(item).product = "Credit card".into();
                case(item).timely = wire::Ternary::No.into();
            }
            if n % 10 == 0 {
                case(item).channel = Channel::Unspecified.into();
                case(item).company_response = wire::CompanyResponse::InProgress.into();
            }
            if n % 100 == 0 {
                item.branch_id = THERE.to_string();
            }
        }
        let reply = place.agent().import_complaints(import(items)).await.unwrap().into_inner();
        assert!(import_errors(&reply).iter().all(Option::is_none));
        place.open(HERE).await;

        let count_all = async |request: wire::GetComplaintStatisticsRequest| {
            let reply = place.agent().get_complaint_statistics(request).await.unwrap().into_inner();
            reply.statistics.unwrap()
        };
        let all = count_all(wire::GetComplaintStatisticsRequest::default()).await;
        assert_eq!((all.total_count, count(&all.by_state, "CLOSED")), (501, 450));
        assert_eq!((count(&all.by_state, "RECEIVED"), count(&all.by_state, "INVESTIGATING")), (1, 50));
        assert_eq!((count(&all.by_channel, "WEB"), count(&all.by_channel, "UNSPECIFIED")), (450, 50));
        assert_eq!((count(&all.by_product, "Mortgage"), count(&all.by_product, "Credit card")), (400, 100));
        assert_eq!((count(&all.by_timely, "YES"), count(&all.by_timely, "NO")), (400, 100));
        assert_eq!(count(&all.by_company_response, "IN_PROGRESS"), 50);
        assert_eq!(count(&all.by_disputed, "NO"), 500);
        assert_eq!((count(&all.by_branch, &HERE.to_string()), count(&all.by_branch, &THERE.to_string())), (496, 5));

        let there = wire::GetComplaintStatisticsRequest { branch_id: THERE.to_string(), ..Default::default() };
        assert_eq!(count_all(there).await.total_count, 5);
        let brought_in = wire::GetComplaintStatisticsRequest { source_system: "cfpb".into(), ..Default::default() };
        assert_eq!(count_all(brought_in).await.total_count, 500);
        let since = Some(proto::timestamp_from_us(crate::bench::NOW_US));
        let new = wire::GetComplaintStatisticsRequest { open_start_time: since, ..Default::default() };
        assert_eq!(count_all(new).await.total_count, 1);
        let old = wire::GetComplaintStatisticsRequest { open_end_time: since, ..Default::default() };
        assert_eq!(count_all(old).await.total_count, 500);
    }
}
