//! Purchases and returns, as the profile service tells of them, become points.

use proto::karibu::loyalty::v1 as pb;

use crate::bench::{ANN, BOB, HERE, NOW_US, Place, THERE};

#[tokio::test]
async fn purchases_earn_and_returns_take_back_exactly() {
    for place in Place::both().await {
        let program = place.program().await;
        place.sell("K-1", Some(ANN), HERE, "RWF", 1_999).await;
        let account = place.await_points(ANN, 19, 0).await;
        assert_eq!(account.home_branch_id, HERE.to_string(), "enrolled where the first purchase was made");
        for (receipt, minor, left) in [("R-1", 700, 12), ("R-2", 700, 5), ("R-3", 599, 0)] {
            place.take_back(receipt, "K-1", Some(ANN), minor).await;
            place.await_points(ANN, left, 0).await;
        }
        let entries =
            pb::ListLedgerEntriesRequest { account_id: account.account_id, page_size: 3, ..Default::default() };
        let page = place.admin().list_ledger_entries(entries.clone()).await.unwrap().into_inner();
        let points: Vec<(i64, i64)> = page.entries.iter().map(|entry| (entry.seq, entry.points)).collect();
        assert_eq!(points, [(4, 5), (3, 7), (2, 7)], "{}: newest first", place.name);
        let next = pb::ListLedgerEntriesRequest { page_token: page.next_page_token, ..entries };
        let last = place.admin().list_ledger_entries(next).await.unwrap().into_inner();
        assert_eq!((last.entries.len(), last.next_page_token.as_str()), (1, ""));
        let first = &last.entries[0];
        assert_eq!((first.kind(), first.debit()), (pb::EntryKind::Accrue, pb::LedgerAccount::ProgramIssued));
        assert_eq!(first.occur_time, Some(proto::timestamp_from_us(NOW_US - 1_000_000)));
        assert!(page.entries.iter().all(|entry| entry.reverses_entry_id == first.entry_id));
        assert!(place.verify(&program.program_id).await.ok);
    }
}

#[tokio::test]
async fn what_cannot_earn_earns_nothing_and_stops_nothing() {
    for place in Place::both().await {
        place.program().await;
        place.sell("anonymous", None, HERE, "RWF", 5_000).await;
        place.sell("yen", Some(ANN), HERE, "JPY", 5_000).await;
        place.take_back("nobody", "", None, 5_000).await;
        place.sell("pounds", Some(BOB), THERE, "GBP", 1_350).await;
        place.await_points(BOB, 135, 0).await;
        assert_eq!(place.find(ANN).await, None, "{}", place.name);
        assert_eq!(place.dead_letters().await, []);
    }
}

#[tokio::test]
async fn the_same_purchase_told_twice_earns_once() {
    for place in Place::both().await {
        place.program().await;
        place.sell("1", Some(ANN), HERE, "RWF", 500).await;
        place.sell("1", Some(ANN), HERE, "RWF", 500).await;
        place.sell("2", Some(ANN), HERE, "RWF", 100).await;
        let account = place.await_points(ANN, 6, 0).await;
        assert_eq!(account.lifetime_points, 6);
        let told = place.told_of::<pb::PointsAccrued>().await;
        let moves: Vec<(i64, i64)> = told.iter().map(|told| (told.points, told.seq)).collect();
        assert_eq!(moves, [(5, 1), (1, 2)], "{}", place.name);
        assert_eq!(told[1].balances.unwrap().available, 6);
    }
}

#[tokio::test]
async fn a_return_in_another_currency_waits_for_an_operator_and_stops_nothing_else() {
    let place = Place::new().await;
    place.program().await;
    place.sell("1", Some(ANN), HERE, "GBP", 1_000).await;
    place.await_points(ANN, 100, 0).await;
    place.take_back("r1", "1", Some(ANN), 1_000).await;
    place.sell("2", Some(ANN), HERE, "GBP", 10).await;
    place.await_points(ANN, 101, 0).await;
    let waiting = place.dead_letters().await;
    assert_eq!(waiting.len(), 1);
    assert!(waiting[0].detail.contains("CurrencyMismatch") || waiting[0].reason.contains("CURRENCY"), "{waiting:?}");
}

#[tokio::test]
async fn spent_points_are_owed_and_settled_by_the_next_ones() {
    for place in Place::both().await {
        let program = place.program().await;
        place.sell("1", Some(ANN), HERE, "RWF", 20_000).await;
        let account = place.await_points(ANN, 200, 0).await;
        let spend = pb::AdjustPointsRequest {
            account_id: account.account_id,
            points: -200,
            reason_code: "spent".into(),
            branch_id: HERE.to_string(),
            ..Default::default()
        };
        place.admin().adjust_points(spend).await.unwrap();
        place.take_back("r1", "1", Some(ANN), 20_000).await;
        place.await_points(ANN, 0, 200).await;
        place.sell("2", Some(ANN), HERE, "RWF", 15_000).await;
        place.await_points(ANN, 0, 50).await;
        place.sell("3", Some(ANN), HERE, "RWF", 10_000).await;
        place.await_points(ANN, 50, 0).await;
        let told = place.told_of::<pb::PointsClawedBack>().await;
        assert_eq!((told[0].points, told[0].short_points), (200, 200), "{}", place.name);
        let verified = place.verify(&program.program_id).await;
        assert!(verified.ok, "{verified:?}");
        assert_eq!((verified.account_count, verified.entry_count), (1, 7));
    }
}
