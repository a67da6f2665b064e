//! What a consumer promises, on every stage: each event takes effect once and in order, over restarts, late
//! starts and rivals; poison stops only its own aggregate.

use std::pin::pin;

use events::Phase;
use futures_util::StreamExt;
use store::Sql;
use testkit::assert_eventually;

use crate::shop::{self, Entry, PANICS, POISON, UNLUCKY};
use crate::stage::{SOON, Stage, basket};

#[tokio::test]
async fn every_event_takes_effect_once_and_in_order() {
    for stage in Stage::all().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        for _ in 0..5 {
            till.ring(100).await;
        }
        tally.books_all(&stage, &till).await;
        assert_eq!(shop::entries(&tally.db).await.unwrap().len(), 330, "{}", stage.name);
        assert_eventually(SOON, || async { tally.progress.borrow().lag() == 0 }).await;
        assert_eq!(tally.progress.borrow().phase, Phase::Live, "{}", stage.name);
        if stage.nats.is_some() {
            till.is_in_stream(&stage).await;
        }
    }
}

#[tokio::test]
async fn a_run_without_meaning_moves_the_cursor_too() {
    for stage in Stage::all().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        for _ in 0..3 {
            till.door.submit(shop::fresh(), shop::Ring(basket(1), None)).await.unwrap();
        }
        tally.books(&stage, &[], 3).await;
        assert_eq!(tally.progress.borrow().ignored, 3, "{}", stage.name);
    }
}

#[tokio::test]
async fn a_consumer_that_starts_late_or_again_sees_the_whole_history_once() {
    for stage in Stage::all().await {
        let till = stage.till().await;
        till.ring(700).await;
        let tally = stage.tally().await;
        till.ring(50).await;
        tally.books_all(&stage, &till).await;
        tally.end().await;
        till.ring(650).await;
        let tally = stage.tally().await;
        tally.books_all(&stage, &till).await;
        // The owner starts again as well, and goes on.
        till.end().await;
        let till = stage.till().await;
        till.ring(20).await;
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_consumer_may_start_before_its_source() {
    for stage in Stage::all().await {
        let tally = stage.tally().await;
        let till = stage.till().await;
        till.ring(30).await;
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_tail_gives_history_and_then_what_happens() {
    for stage in Stage::all().await {
        let till = stage.till().await;
        till.ring(600).await;
        let bus = stage.bus().await;
        let mut tail = pin!(bus.tail("till", 5));
        for seq in 6..=600 {
            assert_eq!(tail.next().await.unwrap().unwrap().seq, seq, "{}", stage.name);
        }
        till.ring(3).await;
        for event in &till.events().await[600..] {
            assert_eq!(&tail.next().await.unwrap().unwrap(), event, "{}: the event as it was written", stage.name);
        }
        let bounds = bus.source("till").bounds().await.unwrap();
        assert_eq!((bounds.epoch, bounds.floor_seq, bounds.last_seq), (1, 1, 603), "{}", stage.name);
    }
}

#[tokio::test]
async fn poison_parks_its_aggregate_and_is_redriven_in_order() {
    for stage in Stage::all().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        let sick = [(basket(101), UNLUCKY), (basket(102), PANICS), (basket(103), POISON)];
        let well = basket(104);
        for (sick, amount) in sick {
            till.ring_one(sick, 1).await;
            till.ring_one(sick, amount).await;
            till.ring_one(well, 2).await;
            till.ring_one(sick, 3).await;
        }
        let all = till.bookings().await;
        let flows = |entry: &&Entry| entry.basket == well || entry.amount == 1;
        let flowing: Vec<Entry> = all.iter().filter(flows).cloned().collect();
        tally.books(&stage, &flowing, 12).await;
        assert_eq!(tally.progress.borrow().parked, 3, "{}: those behind are parked by the write path", stage.name);
        let redrive = tally.redrive();
        let letters = redrive.list("till", 0, 100).await.unwrap();
        assert_eq!(letters.iter().map(|letter| letter.seq).collect::<Vec<_>>(), [2, 4, 6, 8, 10, 12]);
        assert!(letters[0].reason.contains("Unlucky"), "{}", letters[0].reason);
        assert!(letters[4].reason.contains("nobody understands"), "{}", letters[4].reason);

        // Not mended yet: nothing changes.
        let sick_one = sick[0].0;
        let redriven = redrive.redrive("till", sick_one).await.unwrap();
        assert_eq!((redriven.done, redriven.remaining), (0, 2), "{}", stage.name);
        assert!(redriven.reason.unwrap().contains("Unlucky"));

        tally.heal();
        for (sick, _) in sick {
            let redriven = redrive.redrive("till", sick).await.unwrap();
            assert_eq!((redriven.done, redriven.remaining, redriven.reason), (2, 0, None), "{}", stage.name);
            assert_eq!(redrive.redrive("till", sick).await.unwrap().done, 0, "exactly once");
        }
        tally.books(&stage, &all, 12).await;
        // The aggregate flows again.
        till.ring_one(sick_one, 5).await;
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn poison_that_is_given_up_lets_later_events_flow() {
    for stage in Stage::all().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        for amount in [UNLUCKY, 1, 2] {
            till.ring_one(basket(1), amount).await;
        }
        tally.books(&stage, &[], 3).await;
        let redrive = tally.redrive();
        let first = redrive.list("till", 0, 1).await.unwrap().remove(0);
        assert!(redrive.discard_one(first.id).await.unwrap());
        assert!(!redrive.discard_one(first.id).await.unwrap(), "it no longer waits");
        assert_eq!(redrive.redrive("till", basket(1)).await.unwrap().done, 2);
        let mut rest = till.bookings().await.split_off(1);
        tally.books(&stage, &rest, 3).await;
        till.ring_one(basket(1), UNLUCKY).await;
        till.ring_one(basket(1), 4).await;
        tally.books(&stage, &rest, 5).await;
        assert_eq!(redrive.discard("till", basket(1)).await.unwrap().done, 2);
        till.ring_one(basket(1), 6).await;
        rest.push(Entry { seq: 6, basket: basket(1), amount: 6 });
        tally.books(&stage, &rest, 6).await;
    }
}

#[tokio::test]
async fn rivals_apply_every_event_once_and_one_takes_over() {
    for stage in Stage::with_nats().await {
        let (till, one, two) = (stage.till().await, stage.tally().await, stage.tally().await);
        for _ in 0..10 {
            till.ring(100).await;
        }
        one.books_all(&stage, &till).await;
        let phases = || [&one, &two].map(|tally| tally.progress.borrow().phase.clone());
        assert_eventually(SOON, || async {
            let mut phases = phases();
            phases.sort_by_key(|phase| *phase == Phase::Following);
            if phases == [Phase::Live, Phase::Following] { Ok(()) } else { Err(format!("{phases:?}")) }
        })
        .await;
        let following = phases().map(|phase| phase == Phase::Following);
        let (leader, heir) = if following[0] { (two, one) } else { (one, two) };
        leader.bus.stop().await;
        till.ring(100).await;
        heir.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn another_epoch_halts_the_consumer() {
    for stage in Stage::all().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(10).await;
        tally.books_all(&stage, &till).await;
        tally.end().await;
        // The log of another history: its database was restored and an operator has raised its epoch.
        till.end().await;
        if stage.nats.is_some() {
            stage.jetstream().await.delete_stream(stage.stream()).await.unwrap();
        }
        let till = stage.till_on("restored", 2).await;
        till.ring(20).await;
        let tally = stage.tally().await;
        assert_eventually(SOON, || async {
            let progress = tally.progress.borrow().clone();
            if matches!(progress.phase, Phase::Halted { .. }) { Ok(()) } else { Err(format!("{progress:?}")) }
        })
        .await;
        assert_eq!(tally.door.log().cursor("tally", "till").await.unwrap(), Some((1, 10)), "{}", stage.name);
        // The operator decides that it goes on in the new history, where it stood in the old one.
        let mut conn = tally.db.writer().await.unwrap();
        conn.execute(Sql::same("update consumer set epoch = 2"), &[]).await.unwrap();
        drop(conn);
        assert_eventually(SOON, || async { tally.progress.borrow().cursor == 20 }).await;
        assert_eq!(tally.progress.borrow().phase, Phase::Live, "{}", stage.name);
    }
}

#[tokio::test]
async fn a_consumer_built_anew_from_the_first_event_equals_the_live_one() {
    for stage in Stage::all().await {
        let (till, live) = (stage.till().await, stage.tally().await);
        till.ring(300).await;
        for amount in [UNLUCKY, 4, POISON] {
            till.ring_one(basket(50), amount).await;
        }
        till.ring(300).await;
        let end = till.door.log().bounds().await.unwrap().last_seq;
        let expected: Vec<Entry> =
            till.bookings().await.into_iter().filter(|entry| entry.basket != basket(50)).collect();
        live.books(&stage, &expected, end).await;
        let anew = stage.tally_on("anew").await;
        anew.books(&stage, &expected, end).await;
        assert_eq!(shop::totals(&anew.db).await, shop::totals(&live.db).await, "{}", stage.name);
    }
}
