//! Neighbours in a batch: order, claims, refusals, panics, rejected data, deadlines, a full queue.

use std::time::{Duration, Instant};

use commit::{Options, Refused, Submission};
use futures_util::future::join_all;
use store::Uuid;

use crate::bank::{Note, Open, Panics, Pay, Refusal, SetLimit, fresh};
use crate::engines::both;

#[tokio::test]
async fn a_claim_made_earlier_in_the_same_batch_is_seen() {
    for bench in both().await {
        let door = bench.door().await;
        let tries = join_all((0..64).map(|_| door.submit(fresh(), Open("same".into())))).await;
        let won = tries.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(won, 1, "{}", bench.name);
        assert!(tries.iter().filter_map(|t| t.as_ref().err()).all(|e| *e == Refused::Refusal(Refusal::NameTaken)));
    }
}

#[tokio::test]
async fn what_one_command_did_the_next_one_sees() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let balances = join_all((0..200).map(|_| door.submit(fresh(), Pay(id, 1)))).await;
        let balances: Vec<i64> = balances.into_iter().map(|b| b.unwrap().balance).collect();
        assert_eq!(balances, (1..=200).collect::<Vec<_>>(), "{}", bench.name);
    }
}

#[tokio::test]
async fn a_refused_a_panicking_and_a_rejected_command_leave_their_neighbours_alone() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let other = door.submit(fresh(), Open("b".into())).await.unwrap().account();
        let (good, refused, panicked, rejected) = tokio::join!(
            join_all((0..20).map(|_| door.submit(fresh(), Pay(id, 1)))),
            join_all((0..20).map(|_| door.submit(fresh(), Pay(Uuid::from_u128(9), 1)))),
            door.submit(fresh(), Panics),
            door.submit(fresh(), Pay(other, 666)),
        );
        assert!(good.iter().all(Result::is_ok), "{}: {good:?}", bench.name);
        assert!(refused.iter().all(|r| *r == Err(Refused::Refusal(Refusal::NoSuchAccount))));
        assert_eq!(panicked, Err(Refused::Internal));
        assert_eq!(rejected.unwrap_err(), Refused::Internal);
        let events = door.log().read(0, 1000).await.unwrap();
        assert_eq!(events.len(), 22, "{}: two opened, twenty paid, nothing else", bench.name);
    }
}

#[tokio::test]
async fn a_command_whose_deadline_passed_in_the_queue_is_never_written() {
    for bench in both().await {
        let door = bench.door().await;
        let late = Submission { until: Instant::now() - Duration::from_millis(1), ..fresh() };
        assert_eq!(door.submit(late, Open("late".into())).await.unwrap_err(), Refused::Deadline);
        door.submit(fresh(), Open("late".into())).await.expect("the name is free");
    }
}

#[tokio::test]
async fn a_full_queue_turns_callers_away_at_once() {
    for bench in both().await {
        let door = bench.door_with(Options { queue: 4, batch: 1, ..Options::default() }).await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let outcomes = join_all((0..500).map(|_| door.submit(fresh(), Pay(id, 1)))).await;
        let kept = outcomes.iter().filter(|o| o.is_ok()).count();
        assert!(outcomes.contains(&Err(Refused::Overloaded)), "{}", bench.name);
        let balance = door.submit(fresh(), Pay(id, 0)).await.unwrap().balance;
        assert_eq!(balance, i64::try_from(kept).unwrap(), "{}: only the accepted ones count", bench.name);
    }
}

#[tokio::test]
async fn a_changed_setting_holds_for_the_very_next_command_on_every_replica() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let (before, set, after) = tokio::join!(
            door.submit(fresh(), Pay(id, 10)),
            door.submit(fresh(), SetLimit(10)),
            door.submit(fresh(), Pay(id, 1)),
        );
        before.unwrap();
        set.unwrap();
        assert_eq!(after.unwrap_err(), Refused::Refusal(Refusal::TooMuch { most: 10 }), "{}: in one batch", bench.name);
        if bench.name == "postgres" {
            let other = bench.door().await;
            other.submit(fresh(), SetLimit(12)).await.unwrap();
            door.submit(fresh(), Pay(id, 2)).await.expect("the first replica reads the new limit");
        }
    }
}

#[tokio::test]
async fn an_event_one_byte_too_large_is_refused_and_nothing_is_written() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let most = 256 * 1024;
        assert_eq!(door.submit(fresh(), Note(id, most + 1)).await.unwrap_err(), Refused::TooLarge, "{}", bench.name);
        door.submit(fresh(), Note(id, most)).await.unwrap();
        assert_eq!(
            door.submit(fresh(), Pay(id, 0)).await.unwrap().balance,
            1,
            "{}: only the one that fits",
            bench.name
        );
        assert_eq!(door.log().bounds().await.unwrap().last_seq, 3);
    }
}
