//! The laws of the log: no gaps, commit order, versions in order, also with several committers at once.

use std::collections::HashMap;
use std::sync::Arc;

use commit::{LogEvent, Refused};
use futures_util::future::join_all;
use store::Uuid;

use crate::bank::{Open, Pay, Refusal, fresh};
use crate::engines::both;

fn check(name: &str, events: &[Arc<LogEvent>]) {
    let mut versions: HashMap<Uuid, i64> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.seq, i64::try_from(place).unwrap() + 1, "{name}: no gaps");
        let version = versions.entry(event.aggregate_id).or_default();
        assert_eq!(event.aggregate_version, *version + 1, "{name}: versions are contiguous");
        *version = event.aggregate_version;
    }
}

#[tokio::test]
async fn two_committers_on_one_database_keep_one_order_without_gaps() {
    // SQLite has one committer by construction: its file serves one process.
    for bench in both().await.into_iter().filter(|bench| bench.name == "postgres") {
        let doors = [bench.door().await, bench.door().await];
        let id = doors[0].submit(fresh(), Open("a".into())).await.unwrap().account();
        for _ in 0..10 {
            let paid = doors.iter().flat_map(|door| (0..50).map(|_| door.submit(fresh(), Pay(id, 1))));
            assert!(join_all(paid).await.iter().all(Result::is_ok), "{}", bench.name);
        }
        let fresh_view = bench.door().await.log();
        let mut events = Vec::new();
        while let Some(last) = fresh_view.read(events.len() as i64, 300).await.unwrap().last() {
            events.extend(fresh_view.read(events.len() as i64, 300).await.unwrap());
            assert!(last.seq <= 1001);
        }
        assert_eq!(events.len(), 1001, "{}", bench.name);
        check(bench.name, &events);
        assert_eq!(doors[1].submit(fresh(), Pay(id, 0)).await.unwrap().balance, 1000);
    }
}

#[tokio::test]
async fn reading_from_memory_and_from_the_table_gives_the_same() {
    for bench in both().await {
        let door = bench.door().await;
        join_all((0..100).map(|n| door.submit(fresh(), Open(format!("n{n}"))))).await;
        let live = door.log().read(10, 50).await.unwrap();
        let stored = bench.door().await.log().read(10, 50).await.unwrap();
        assert_eq!(live, stored, "{}", bench.name);
        assert_eq!(live.len(), 50);
        let bounds = door.log().bounds().await.unwrap();
        assert_eq!((bounds.epoch, bounds.floor_seq, bounds.last_seq), (1, 1, 100));
        assert_eq!(*door.log().head().borrow(), 100);
    }
}

#[tokio::test]
async fn what_a_batch_left_in_memory_is_used_until_another_replica_writes() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let loads = || door.stats().spent().loads;
        let before = loads();
        for paid in 1..=3 {
            assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, paid, "{}", bench.name);
        }
        assert_eq!(loads(), before, "{}: what this replica wrote itself is not loaded again", bench.name);
        // Nothing was saved by a refusal, so what is remembered still holds.
        door.submit(fresh(), Open("a".into())).await.unwrap_err();
        assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, 4, "{}", bench.name);
        if bench.name == "postgres" {
            let other = bench.door().await;
            assert_eq!(other.submit(fresh(), Pay(id, 10)).await.unwrap().balance, 14);
            let before = loads();
            assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, 15, "the other's payment is seen");
            assert_eq!(loads(), before + 1);
            // The first forgets again when the second, in between, has only opened something else.
            other.submit(fresh(), Open("b".into())).await.unwrap();
            assert_eq!(door.submit(fresh(), Open("b".into())).await.unwrap_err(), refused_name());
        }
    }
}

#[tokio::test]
async fn a_rejected_batch_leaves_nothing_in_memory() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        door.submit(fresh(), Pay(id, 5)).await.unwrap();
        // 666 violates a constraint of the table, which no rule foresees.
        assert_eq!(door.submit(fresh(), Pay(id, 661)).await.unwrap_err(), Refused::Internal, "{}", bench.name);
        assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, 6, "{}", bench.name);
    }
}

fn refused_name() -> Refused<Refusal> {
    Refused::Refusal(Refusal::NameTaken)
}
