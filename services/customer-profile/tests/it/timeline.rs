//! The timeline of a customer across the services, and what is counted from their events.

use proto::EventPayload;
use proto::karibu::feedback::v1::{ResponseCompleted, SurveyKind};
use proto::karibu::loyalty::v1::{Balances, PointsAccrued, PointsActivated};
use proto::karibu::profile::v1 as pb;
use proto::karibu::ticketing::v1::{ComplaintClosed, ComplaintOpened, ComplaintReopened, ComplaintResolved, Severity};
use stage::About;
use testkit::assert_eventually;
use uuid::Uuid;

use crate::bench::{HERE, NOW_US, Place, SOON, by_id, sale};

async fn timeline(place: &Place, request: pb::ListTimelineEntriesRequest) -> Vec<pb::TimelineEntry> {
    let (mut seen, mut request) = (Vec::new(), pb::ListTimelineEntriesRequest { page_size: 2, ..request });
    loop {
        let page = place.admin().list_timeline_entries(request.clone()).await.unwrap().into_inner();
        seen.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return seen;
        }
    }
}

fn outline(entries: &[pb::TimelineEntry]) -> Vec<String> {
    entries.iter().map(|entry| entry.event_type.trim_start_matches("karibu.").trim_end_matches(".v1").into()).collect()
}

#[tokio::test]
async fn what_happened_anywhere_stands_in_one_line() {
    for place in Place::both().await {
        let ann = place.customer("Ann", vec![]).await;
        let id: Uuid = ann.customer_id.parse().unwrap();
        let bought = pb::PurchaseInput { customer: by_id(&ann.customer_id), ..sale("1", 60) };
        let request = pb::RecordPurchaseRequest { purchase: Some(bought), ..Default::default() };
        let purchase = place.admin().record_purchase(request).await.unwrap().into_inner().purchase.unwrap();

        let complaint = Uuid::from_u128(50);
        let about = |seconds: i64| About {
            subject: complaint,
            branch: Some(HERE),
            customer: Some(id),
            occurred_at_us: Some(NOW_US + seconds * 1_000_000),
        };
        let open = async |count: i64| {
            assert_eventually(SOON, || async { place.summary(&ann.customer_id).await.open_complaint_count == count })
                .await;
        };
        let complaint_id = complaint.to_string();
        let number = "KGL-1".to_owned();
        let severity = Severity::High.into();
        let opened = ComplaintOpened { complaint_id: complaint_id.clone(), number, severity, ..Default::default() };
        place.neighbours.tell(about(120), opened).await;
        open(1).await;
        place
            .neighbours
            .tell(about(180), ComplaintResolved { complaint_id: complaint_id.clone(), ..Default::default() })
            .await;
        open(0).await;
        place
            .neighbours
            .tell(about(240), ComplaintReopened { complaint_id: complaint_id.clone(), ..Default::default() })
            .await;
        open(1).await;
        place.neighbours.tell(about(300), ComplaintClosed { complaint_id, ..Default::default() }).await;
        open(0).await;

        let account = Uuid::from_u128(70);
        let balances = |pending, available| Some(Balances { pending, available, ..Default::default() });
        let accrued = PointsAccrued {
            account_id: account.to_string(),
            points: 13,
            balances: balances(13, 0),
            seq: 1,
            ..Default::default()
        };
        let activated = PointsActivated {
            account_id: account.to_string(),
            points: 13,
            balances: balances(0, 13),
            seq: 2,
            ..Default::default()
        };
        let at_account = |seconds| About { subject: account, branch: None, ..about(seconds) };
        place.neighbours.tell(at_account(61), accrued).await;
        place.neighbours.tell(at_account(62), activated).await;
        let answer = ResponseCompleted { kind: SurveyKind::Ces.into(), score: Some(6), ..Default::default() };
        place.neighbours.tell(About { subject: Uuid::from_u128(80), ..about(400) }, answer).await;
        assert_eventually(SOON, || async {
            let summary = place.summary(&ann.customer_id).await;
            (summary.available_points, summary.response_count, summary.complaint_count) == (13, 1, 1)
        })
        .await;

        let all = pb::ListTimelineEntriesRequest { customer_id: ann.customer_id.clone(), ..Default::default() };
        let entries = timeline(&place, all.clone()).await;
        let expected = [
            "feedback.response.completed",
            "ticketing.complaint.closed",
            "ticketing.complaint.reopened",
            "ticketing.complaint.resolved",
            "ticketing.complaint.opened",
            "loyalty.points.accrued",
            "profile.purchase.recorded",
            "profile.customer.created",
        ];
        assert_eq!(outline(&entries), expected, "{}", place.name);
        assert_eq!(entries[0].facts["score"], "6");
        assert_eq!(
            (entries[4].facts["number"].as_str(), entries[4].facts["severity"].as_str()),
            ("KGL-1", "SEVERITY_HIGH")
        );
        assert_eq!((entries[5].facts["points"].as_str(), entries[5].branch_id.as_str()), ("13", ""));
        assert_eq!((&entries[6].subject_id, entries[6].facts["total_minor"].as_str()), (&purchase.purchase_id, "1300"));

        let some = pb::ListTimelineEntriesRequest { services: vec!["loyalty".into(), "feedback".into()], ..all };
        assert_eq!(outline(&timeline(&place, some).await), [expected[0], expected[5]]);
    }
}

#[tokio::test]
async fn entries_of_one_instant_keep_one_order_across_pages() {
    for place in Place::both().await {
        let ann = place.customer("Ann", vec![]).await;
        let purchases = (0..7)
            .map(|number| pb::PurchaseInput { customer: by_id(&ann.customer_id), ..sale(&number.to_string(), 0) });
        let request = pb::BatchRecordPurchasesRequest { purchases: purchases.collect(), ..Default::default() };
        place.admin().batch_record_purchases(request).await.unwrap();
        let request =
            pb::ListTimelineEntriesRequest { customer_id: ann.customer_id, page_size: 100, ..Default::default() };
        let whole = place.admin().list_timeline_entries(request.clone()).await.unwrap().into_inner().entries;
        assert_eq!(whole.len(), 8);
        assert_eq!(timeline(&place, request).await, whole, "{}", place.name);
        assert!(whole.is_sorted_by(|newer, older| newer.entry_id > older.entry_id), "later recorded ones come first");
        assert_eq!(outline(&whole)[7], "profile.customer.created");
    }
}

#[tokio::test]
async fn news_of_strangers_leaves_no_trace_and_does_not_stop_the_rest() {
    let place = Place::new().await;
    let ann = place.customer("Ann", vec![]).await;
    let stranger = About {
        subject: Uuid::from_u128(1),
        branch: Some(HERE),
        customer: Some(Uuid::max()),
        occurred_at_us: Some(NOW_US),
    };
    let opened =
        |number: u128| ComplaintOpened { complaint_id: Uuid::from_u128(number).to_string(), ..Default::default() };
    place.neighbours.tell(stranger, opened(1)).await;
    place.neighbours.tell(About { customer: None, ..stranger }, opened(2)).await;
    let about_ann = About { subject: Uuid::from_u128(3), customer: ann.customer_id.parse().ok(), ..stranger };
    place.neighbours.tell(about_ann, opened(3)).await;
    assert_eventually(SOON, || async { place.summary(&ann.customer_id).await.complaint_count == 1 }).await;
}

#[tokio::test]
async fn an_event_that_makes_no_sense_waits_for_an_operator_and_stops_nothing_else() {
    let place = Place::new().await;
    let ann = place.customer("Ann", vec![]).await;
    let about = |subject: u128| About {
        subject: Uuid::from_u128(subject),
        branch: Some(HERE),
        customer: ann.customer_id.parse().ok(),
        occurred_at_us: Some(NOW_US),
    };
    let opened = |complaint_id: String| ComplaintOpened { complaint_id, ..Default::default() };
    place.neighbours.tell(about(1), opened("no id".into())).await;
    place.neighbours.tell(about(2), opened(Uuid::from_u128(2).to_string())).await;
    assert_eventually(SOON, || async { place.summary(&ann.customer_id).await.complaint_count == 1 }).await;
    let waiting = place.dead_letters().await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].event_type, ComplaintOpened::TYPE);
}
