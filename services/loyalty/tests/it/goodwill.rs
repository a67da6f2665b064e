//! Compensations that ticketing approved become points, exactly once, or are refused with a reason.

use proto::karibu::loyalty::v1 as pb;
use proto::karibu::ticketing::v1::compensation_approved::Value;
use proto::karibu::ticketing::v1::{CompensationApproved, CompensationKind};
use proto::karibu::types::v1::Money;
use testkit::assert_eventually;
use uuid::Uuid;

use crate::bench::{ANN, HERE, Place, SOON};

fn approved(compensation: u128, complaint: u128, points: i64) -> CompensationApproved {
    CompensationApproved {
        compensation_id: Uuid::from_u128(compensation).to_string(),
        complaint_id: Uuid::from_u128(complaint).to_string(),
        customer_id: ANN.to_string(),
        branch_id: HERE.to_string(),
        kind: CompensationKind::Points.into(),
        value: Some(Value::Points(points)),
    }
}

#[tokio::test]
async fn points_come_once_for_each_compensation() {
    for place in Place::both().await {
        let program = place.program().await;
        let complaint = Uuid::from_u128(7);
        for told in [approved(1, 7, 500), approved(1, 7, 500), approved(2, 7, 100)] {
            place.tell(complaint, told).await;
        }
        let voucher = CompensationApproved {
            kind: CompensationKind::Voucher.into(),
            value: Some(Value::Amount(Money { currency_code: "RWF".into(), minor_units: 5_000 })),
            ..approved(3, 7, 0)
        };
        place.tell(complaint, voucher).await;
        place.tell(complaint, approved(4, 7, 900)).await;
        assert_eventually(SOON, || async { place.told_of::<pb::GoodwillRefused>().await.len() == 1 }).await;
        let account = place.await_points(ANN, 600, 0).await;
        assert_eq!((account.lifetime_points, account.home_branch_id), (0, HERE.to_string()));
        let granted = place.told_of::<pb::GoodwillGranted>().await;
        let points: Vec<(i64, i64)> = granted.iter().map(|told| (told.points, told.seq)).collect();
        assert_eq!(points, [(500, 1), (100, 2)], "{}", place.name);
        assert_eq!(granted[0].compensation_id, Uuid::from_u128(1).to_string());
        let refused = &place.told_of::<pb::GoodwillRefused>().await[0];
        assert_eq!((refused.reason.as_str(), refused.points), ("GOODWILL_LIMIT", 900));
        assert_eq!(refused.compensation_id, Uuid::from_u128(4).to_string());
        let entries = pb::ListLedgerEntriesRequest { account_id: account.account_id, ..Default::default() };
        let entries = place.admin().list_ledger_entries(entries).await.unwrap().into_inner().entries;
        assert_eq!((entries[0].kind(), entries[0].actor.as_str()), (pb::EntryKind::Goodwill, "loyalty"));
        assert_eq!(entries[0].compensation_id, Uuid::from_u128(2).to_string());
        assert!(place.verify(&program.program_id).await.ok);
        assert_eq!(place.dead_letters().await, []);
    }
}

#[tokio::test]
async fn without_a_programme_the_points_are_refused() {
    let place = Place::new().await;
    place.tell(Uuid::from_u128(7), approved(1, 7, 500)).await;
    assert_eventually(SOON, || async { place.told_of::<pb::GoodwillRefused>().await.len() == 1 }).await;
    let event = &place.told().await[0];
    assert_eq!((event.customer_id.clone(), event.branch_id.clone()), (ANN.to_string(), HERE.to_string()));
    assert_eq!(place.told_of::<pb::GoodwillRefused>().await[0].reason, "NO_PROGRAM");
}
