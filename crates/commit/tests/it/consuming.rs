//! Effects of events: exactly once by the cursor, poison parked with its aggregate, redriven in order.

use std::sync::Arc;

use commit::{Advance, Applied, DeadLetters, Door, Effect, LogEvent, Refused};
use futures_util::future::join_all;
use store::Uuid;

use crate::bank::{Bank, Open, Pay, Refusal, fresh};
use crate::engines::both;

fn event(seq: i64, aggregate: u128) -> Arc<LogEvent> {
    Arc::new(LogEvent {
        seq,
        event_id: Uuid::from_u128(1),
        kind: "karibu.till.sale.made.v1".into(),
        aggregate_type: "sale".into(),
        aggregate_id: Uuid::from_u128(aggregate),
        aggregate_version: seq,
        branch_id: None,
        customer_id: None,
        occurred_at_us: 0,
        recorded_at_us: 0,
        trace_context: None,
        payload: Vec::new().into(),
    })
}

fn over(from_seq: i64, to_seq: i64) -> Advance {
    Advance { consumer: "bank", source_log: "till".into(), epoch: 1, from_seq, to_seq }
}

async fn apply(door: &Door<Bank>, seq: i64, aggregate: u128, pay: Pay) -> Result<Applied, Refused<Refusal>> {
    door.apply(over(seq, seq), event(seq, aggregate), Effect::of(pay)).await?.await
}

#[tokio::test]
async fn an_event_takes_effect_once_and_only_in_order() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        assert_eq!(apply(&door, 1, 1, Pay(id, 10)).await, Ok(Applied::Now));
        assert_eq!(apply(&door, 1, 1, Pay(id, 10)).await, Ok(Applied::Before), "fine, without effect");
        assert_eq!(apply(&door, 3, 1, Pay(id, 10)).await, Err(Refused::OutOfOrder { cursor: 1 }), "{}", bench.name);
        assert_eq!(door.skip(over(2, 5)).await.unwrap().await, Ok(Applied::Now));
        assert_eq!(door.skip(over(2, 4)).await.unwrap().await, Ok(Applied::Before));
        apply(&door, 6, 1, Pay(id, 10)).await.unwrap();
        assert_eq!(door.submit(fresh(), Pay(id, 0)).await.unwrap().balance, 20);
        assert_eq!(door.log().cursor("bank", "till").await.unwrap(), Some((1, 6)));
        let forked = Advance { epoch: 2, ..over(7, 7) };
        assert_eq!(door.skip(forked).await.unwrap().await, Err(Refused::EpochChanged));
    }
}

#[tokio::test]
async fn a_pipeline_behind_a_failed_event_stops_there() {
    for bench in both().await {
        let door = bench.door().await;
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        let mut waiting = Vec::new();
        for seq in 1..=10 {
            let pay = if seq == 5 { Pay(Uuid::from_u128(404), 1) } else { Pay(id, 1) };
            waiting.push(door.apply(over(seq, seq), event(seq, 1), Effect::of(pay)).await.unwrap());
        }
        let outcomes = futures_util::future::join_all(waiting).await;
        assert!(outcomes[..4].iter().all(Result::is_ok), "{}", bench.name);
        assert_eq!(outcomes[4], Err(Refused::Refusal(Refusal::NoSuchAccount)));
        assert!(outcomes[5..].iter().all(|o| *o == Err(Refused::OutOfOrder { cursor: 4 })), "{outcomes:?}");
    }
}

#[tokio::test]
async fn poison_parks_its_aggregate_alone_and_redrive_keeps_the_order() {
    for bench in both().await {
        let door = bench.door().await;
        let dead = DeadLetters::new(bench.db.clone());
        let id = door.submit(fresh(), Open("a".into())).await.unwrap().account();
        door.park(over(1, 1), event(1, 77), "cannot be read".into()).await.unwrap();
        apply(&door, 2, 77, Pay(id, 100)).await.expect("parked behind the first one");
        apply(&door, 3, 88, Pay(id, 1)).await.unwrap();
        assert_eq!(door.submit(fresh(), Pay(id, 0)).await.unwrap().balance, 1, "{}: 88 flowed, 77 waits", bench.name);

        let letters = dead.list_of("bank", "till", Uuid::from_u128(77), 10).await.unwrap();
        assert_eq!(letters.iter().map(|l| l.seq).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(LogEvent::from_bytes(&letters[1].event).unwrap().seq, 2);
        assert_eq!(dead.list("bank", "till", 0, 10).await.unwrap().len(), 2);
        for letter in &letters {
            door.redrive(letter.id, Some(Effect::of(Pay(id, 100))), None).await.unwrap();
            assert_eq!(door.redrive(letter.id, None, None).await, Err(Refused::NotParked), "once only");
        }
        assert_eq!(dead.count().await.unwrap(), 0);
        apply(&door, 4, 77, Pay(id, 1_000)).await.unwrap();
        assert_eq!(door.submit(fresh(), Pay(id, 0)).await.unwrap().balance, 1_201, "{}", bench.name);
    }
}

#[tokio::test]
async fn what_the_events_of_a_batch_need_is_loaded_together() {
    for bench in both().await {
        let door = bench.door().await;
        let opened = join_all((0..64).map(|n| door.submit(fresh(), Open(format!("account {n}"))))).await;
        let ids: Vec<Uuid> = opened.into_iter().map(|receipt| receipt.unwrap().account()).collect();
        let before = door.stats().spent();
        let mut waiting = Vec::new();
        for (seq, id) in (1..).zip(&ids) {
            let effect = Effect::of(Pay(*id, 1));
            waiting.push(
                door.apply(over(seq, seq), event(seq, 100 + u128::try_from(seq).unwrap()), effect).await.unwrap(),
            );
        }
        assert!(join_all(waiting).await.iter().all(|applied| *applied == Ok(Applied::Now)), "{}", bench.name);
        let spent = door.stats().spent().since(&before);
        assert!(spent.loads <= 3 * spent.batches, "{}: {} rounds of loading, {spent}", bench.name, spent.loads);
        assert!(spent.batches <= 32, "{}: the events came in batches: {spent}", bench.name);
    }
}
