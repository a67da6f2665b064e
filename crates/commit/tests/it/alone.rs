//! Batches without the lock: a replica that writes alone saves in one round trip, and never at the price of an answer.

use std::sync::atomic::Ordering;

use commit::{Door, Refused};
use futures_util::future::join_all;
use store::Uuid;

use crate::bank::{Bank, Open, Panics, Pay, Refusal, fresh, keyed};
use crate::engines::{Bench, both};

/// More than the batches after which a replica trusts that it is alone.
const SETTLED: i64 = 20;

async fn postgres() -> Bench {
    both().await.into_iter().find(|bench| bench.name == "postgres").expect("both engines")
}

fn alone(door: &Door<Bank>) -> u64 {
    door.stats().alone.load(Ordering::Relaxed)
}

/// An account into which a quiet replica has paid [`SETTLED`] times, one after the other.
async fn settle(door: &Door<Bank>) -> Uuid {
    let id = door.submit(fresh(), Open("settled".into())).await.unwrap().account();
    for _ in 0..SETTLED {
        door.submit(fresh(), Pay(id, 1)).await.unwrap();
    }
    id
}

#[tokio::test]
async fn a_quiet_replica_saves_without_the_lock_and_a_busy_one_with_it() {
    let bench = postgres().await;
    let door = bench.door().await;
    let id = settle(&door).await;
    let before = alone(&door);
    for paid in 1..=5 {
        assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, SETTLED + paid);
    }
    assert_eq!(alone(&door), before + 5);
    assert!(join_all((0..200).map(|_| door.submit(fresh(), Pay(id, 1)))).await.iter().all(Result::is_ok));
    assert!(alone(&door) <= before + 6, "many together are collected under the lock");
    let events = bench.door().await.log().read(0, 1_000).await.unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=1 + SETTLED + 205).collect::<Vec<_>>(), "one order without gaps");
}

#[tokio::test]
async fn what_another_replica_wrote_in_between_is_never_overwritten() {
    let bench = postgres().await;
    let (door, other) = (bench.door().await, bench.door().await);
    let id = settle(&door).await;
    let settled = alone(&door);
    assert!(settled > 0);
    assert_eq!(other.submit(fresh(), Pay(id, 100)).await.unwrap().balance, SETTLED + 100);
    assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, SETTLED + 101, "the other's payment stands");
    assert_eq!(alone(&door), settled, "it was overtaken");
    assert_eq!(door.stats().overtaken.load(Ordering::Relaxed), 1);
    for round in 1..=40 {
        let paid = other.submit(fresh(), Pay(id, 1)).await.unwrap().balance;
        assert_eq!(paid, SETTLED + 100 + 2 * round);
        assert_eq!(door.submit(fresh(), Pay(id, 1)).await.unwrap().balance, paid + 1);
    }
    assert_eq!(alone(&door), settled, "beside another writer it takes the lock");
}

#[tokio::test]
async fn a_refusal_is_that_of_the_stored_state() {
    let bench = postgres().await;
    let (door, other) = (bench.door().await, bench.door().await);
    settle(&door).await;
    // In the memory of the first there is no such account: it must look again before it says so.
    let made = other.submit(fresh(), Open("new".into())).await.unwrap().account();
    assert_eq!(door.submit(fresh(), Pay(made, 1)).await.unwrap().balance, 1);
    for _ in 0..SETTLED {
        door.submit(fresh(), Pay(made, 0)).await.unwrap();
    }
    let nobody = Uuid::from_u128(7);
    assert_eq!(door.submit(fresh(), Pay(nobody, 1)).await.unwrap_err(), Refused::Refusal(Refusal::NoSuchAccount));
    assert_eq!(door.submit(fresh(), Panics).await.unwrap_err(), Refused::Internal);
    assert_eq!(door.submit(fresh(), Pay(made, 665)).await.unwrap_err(), Refused::Internal, "a constraint says no");
    assert_eq!(door.submit(fresh(), Pay(made, 1)).await.unwrap().balance, 2);
}

#[tokio::test]
async fn a_repeat_gets_the_stored_answer_though_nobody_looked_for_it() {
    let bench = postgres().await;
    let door = bench.door().await;
    let id = settle(&door).await;
    let first = door.submit(keyed(1, 5), Pay(id, 10)).await.unwrap();
    let opened = door.submit(keyed(2, 5), Open("once".into())).await.unwrap();
    for _ in 0..3 {
        // Decided anew the payment would go through, and the name would be taken.
        assert_eq!(door.submit(keyed(1, 5), Pay(id, 10)).await.unwrap(), first);
        assert_eq!(door.submit(keyed(2, 5), Open("once".into())).await.unwrap(), opened);
        assert_eq!(door.submit(keyed(1, 6), Pay(id, 10)).await.unwrap_err(), Refused::KeyReused);
    }
    assert_eq!(door.submit(fresh(), Pay(id, 0)).await.unwrap().balance, SETTLED + 10);
}
