//! The ledger can be proven, and a change behind its back is found and named.

use proto::karibu::loyalty::v1 as pb;
use store::{Db, Sql, args};
use uuid::Uuid;

use crate::bench::{ANN, HERE, Place};

const MEMBERS: u128 = 9;

/// Members with some purchases each; gives the programme.
async fn busy(place: &Place) -> pb::Program {
    let program = place.program().await;
    for number in 0..MEMBERS * 4 {
        let customer = Uuid::from_u128(100 + number % MEMBERS);
        place.sell(&format!("s{number}"), Some(customer), HERE, "RWF", 1_000).await;
    }
    place.sell("last", Some(ANN), HERE, "RWF", 700).await;
    place.await_points(ANN, 7, 0).await;
    program
}

#[tokio::test]
async fn a_sound_ledger_is_proven_and_counted() {
    for place in Place::both().await {
        let program = busy(&place).await;
        let verified = place.verify(&program.program_id).await;
        assert!(verified.ok, "{}: {:?}", place.name, verified.violations);
        assert_eq!((verified.account_count, verified.entry_count), (10, 37));
        let total = |account: pb::LedgerAccount| {
            verified.totals.iter().find(|total| total.account() == account).unwrap().points
        };
        assert_eq!(total(pb::LedgerAccount::ProgramIssued), 367);
        assert_eq!(total(pb::LedgerAccount::MemberAvailable), 367);
        let numbers = pb::GetLoyaltyStatisticsRequest { program_id: program.program_id };
        let numbers = place.admin().get_loyalty_statistics(numbers).await.unwrap().into_inner().statistics.unwrap();
        let expected = pb::LoyaltyStatistics {
            account_count: 10,
            issued_points: 367,
            outstanding_points: 367,
            entry_count: 37,
            ..Default::default()
        };
        assert_eq!(numbers, expected);
    }
}

async fn run(db: &Db, sql: &'static str, account: Uuid) {
    let mut conn = db.writer().await.unwrap();
    assert_eq!(conn.execute(Sql::same(sql), args![account]).await.unwrap(), 1, "{sql}");
}

/// On PostgreSQL, where the database can be reached behind the back of the service.
#[tokio::test]
async fn a_change_behind_its_back_is_named() {
    let place = Place::on_postgres().await;
    let program = busy(&place).await;
    let db = place.database().await;
    let account_id = place.find(Uuid::from_u128(104)).await.unwrap().account_id;
    let account: Uuid = account_id.parse().unwrap();
    let cases = [
        (
            "update ledger_entry set points = points + 1 where account_id = $1 and seq = 2",
            "update ledger_entry set points = points - 1 where account_id = $1 and seq = 2",
            ("TAMPERED", 2),
        ),
        (
            "update ledger_entry set actor = 'nobody' where account_id = $1 and seq = 3",
            "update ledger_entry set actor = 'loyalty' where account_id = $1 and seq = 3",
            ("TAMPERED", 3),
        ),
        (
            "update account set available = available + 5, issued = issued + 5 where id = $1",
            "update account set available = available - 5, issued = issued - 5 where id = $1",
            ("BALANCE_MISMATCH", 0),
        ),
        (
            "update account set available = available + 5 where id = $1",
            "update account set available = available - 5 where id = $1",
            ("BALANCE_MISMATCH", 0),
        ),
        (
            "update ledger_entry set seq = 77 where account_id = $1 and seq = 4",
            "update ledger_entry set seq = 4 where account_id = $1 and seq = 77",
            ("SEQ_GAP", 4),
        ),
    ];
    for (harm, repair, expected) in cases {
        run(&db, harm, account).await;
        let found = place.verify(&program.program_id).await;
        let first = &found.violations[0];
        assert!(!found.ok);
        assert_eq!((first.law.as_str(), first.seq), expected, "{harm}: {:?}", found.violations);
        assert!(found.violations.iter().all(|violation| violation.account_id == account_id));
        run(&db, repair, account).await;
        assert!(place.verify(&program.program_id).await.ok, "{repair}");
    }
}
