//! What the relay promises: the stream is the log, whatever happens to either; and what the readers promise
//! when it is not. On the newest and the oldest NATS server.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use events::{Phase, RelayPhase};
use futures_util::StreamExt;
use testkit::assert_eventually;

use crate::shop::booking;
use crate::stage::{SOON, Stage, TillApp, basket, set_epoch};

#[tokio::test]
async fn a_stranger_reads_cloud_events_from_the_stream() {
    for stage in Stage::with_nats().await {
        let mut subscriber = async_nats::connect(stage.nats.as_ref().unwrap().url())
            .await
            .unwrap()
            .subscribe(format!("{}.karibu.till.*.basket.rung", stage.nats.as_ref().unwrap().namespace()))
            .await
            .unwrap();
        let till = stage.till().await;
        till.ring_one(basket(1), 7).await;
        let message = tokio::time::timeout(SOON, subscriber.next()).await.unwrap().unwrap();
        let event = &till.events().await[0];
        let headers = message.headers.unwrap();
        let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap();
        assert_eq!(header("ce-specversion"), "1.0");
        assert_eq!(header("ce-id"), event.event_id.to_string());
        assert_eq!(header("ce-source"), "//karibu/till/1");
        assert_eq!(header("ce-type"), "karibu.till.basket.rung.v1");
        assert_eq!(header("ce-sequence"), "00000000000000000001");
        assert_eq!(header("ce-partitionkey"), basket(1).to_string());
        assert_eq!(header("ce-traceparent"), event.trace_context.clone().unwrap());
        assert_eq!(message.payload, event.payload);
        assert!(headers.get("Nats-Msg-Id").is_none(), "the chain needs no duplicate window");
        assert!(message.subject.ends_with(".karibu.till.00000000-0000-0000-0000-00000000000b.basket.rung"));
    }
}

#[tokio::test]
async fn events_travel_over_mutual_tls_and_nobody_without_a_certificate_hears_them() {
    let stage = Stage::secured().await;
    let till = stage.till().await;
    till.ring(3).await;
    till.is_in_stream(&stage).await;
    assert!(async_nats::connect(stage.nats.as_ref().unwrap().url()).await.is_err());
}

#[tokio::test]
async fn the_stream_is_made_as_we_need_it() {
    for stage in Stage::with_nats().await {
        let till = stage.till().await;
        till.ring(1).await;
        till.is_in_stream(&stage).await;
        let config = stage.jetstream().await.get_stream(stage.stream()).await.unwrap().cached_info().config.clone();
        assert_eq!(config.subjects, [stage.names().subjects("till")]);
        assert!(config.deny_delete && !config.allow_rollup && !config.no_ack);
        assert_eq!(config.max_age, Duration::from_secs(14 * 24 * 3_600));
    }
}

#[tokio::test]
async fn a_stream_that_was_changed_is_corrected() {
    for stage in Stage::with_nats().await {
        let jetstream = stage.jetstream().await;
        let wrong = async_nats::jetstream::stream::Config {
            name: stage.stream(),
            subjects: vec![stage.names().subjects("till")],
            max_messages: 3,
            ..Default::default()
        };
        jetstream.create_stream(wrong).await.unwrap();
        let till = stage.till().await;
        till.ring(10).await;
        till.is_in_stream(&stage).await;
        let info = jetstream.get_stream(stage.stream()).await.unwrap().cached_info().clone();
        assert!(info.config.deny_delete, "{}", stage.name);
        assert_eq!((info.config.max_messages, info.state.messages), (-1, 10), "{}", stage.name);
    }
}

#[tokio::test]
async fn a_purged_stream_is_filled_from_the_owner() {
    for stage in Stage::with_nats().await {
        let till = stage.till().await;
        till.ring(100).await;
        till.is_in_stream(&stage).await;
        let stream = stage.jetstream().await.get_stream(stage.stream()).await.unwrap();
        stream.purge().sequence(51).await.unwrap();
        let tally = stage.tally().await;
        tally.books_all(&stage, &till).await;
        tally.end().await;
        // All of it gone, and nothing new comes: the reader finds out on its own.
        till.ring(100).await;
        till.is_in_stream(&stage).await;
        stream.purge().await.unwrap();
        let tally = stage.tally().await;
        tally.books_all(&stage, &till).await;
        till.ring(10).await;
        till.is_in_stream(&stage).await;
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_gap_waits_for_the_owner_and_is_never_passed_over() {
    for stage in Stage::with_nats().await {
        let till = stage.till().await;
        till.ring(60).await;
        till.is_in_stream(&stage).await;
        let stream = stage.jetstream().await.get_stream(stage.stream()).await.unwrap();
        stream.purge().sequence(31).await.unwrap();
        stage.owner.send_replace(None);
        let tally = stage.tally().await;
        till.ring(10).await;
        // The newest event has reached it, and it applies none before the first.
        assert_eventually(SOON, || async {
            let consumers: Vec<_> = stream.consumers().collect().await;
            consumers.iter().flatten().any(|consumer| consumer.delivered.stream_sequence == 70)
        })
        .await;
        assert_eq!(tally.door.log().cursor("tally", "till").await.unwrap(), None, "{}", stage.name);
        stage.owner.send_replace(Some(till.door.log()));
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_deleted_stream_is_rebuilt_while_all_run() {
    for stage in Stage::with_nats().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(200).await;
        tally.books_all(&stage, &till).await;
        stage.jetstream().await.delete_stream(stage.stream()).await.unwrap();
        till.ring(100).await;
        tally.books_all(&stage, &till).await;
        till.is_in_stream(&stage).await;
        let info = stage.jetstream().await.get_stream(stage.stream()).await.unwrap().cached_info().clone();
        assert_eq!((info.state.first_sequence, info.state.messages), (1, 300), "{}: the whole history", stage.name);
    }
}

#[tokio::test]
async fn a_stream_that_lost_its_tail_gets_it_again() {
    for stage in Stage::with_nats().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(80).await;
        till.is_in_stream(&stage).await;
        tally.books_all(&stage, &till).await;
        till.bus.stop().await;
        keep_only(&stage, 30).await;
        // The consumer ran all the time, and a new one reads what the relay puts there again.
        let till = till.on(stage.bus().await);
        till.ring(40).await;
        till.is_in_stream(&stage).await;
        tally.books_all(&stage, &till).await;
    }
}

/// Makes the stream anew with its first `count` messages, as a server that lost a tail would have it.
async fn keep_only(stage: &Stage, count: u64) {
    let jetstream = stage.jetstream().await;
    let stream = jetstream.get_stream(stage.stream()).await.unwrap();
    let mut kept = Vec::new();
    for seq in 1..=count {
        kept.push(stream.get_raw_message(seq).await.unwrap());
    }
    let config = stream.cached_info().config.clone();
    jetstream.delete_stream(stage.stream()).await.unwrap();
    jetstream.create_stream(config).await.unwrap();
    for message in kept {
        let headers: HeaderMap = message
            .headers
            .iter()
            .filter(|(name, _)| !name.to_string().starts_with("Nats-"))
            .map(|(name, values)| (name.clone(), values[0].clone()))
            .collect();
        jetstream.publish_with_headers(message.subject, headers, message.payload).await.unwrap().await.unwrap();
    }
}

#[tokio::test]
async fn writers_do_not_wait_for_a_broker_that_is_away() {
    for stage in Stage::with_nats().await {
        let nats = stage.nats.as_ref().unwrap();
        nats.kill();
        // Nobody has seen the broker yet.
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(50).await;
        // The owner answers though the broker does not.
        tally.books_all(&stage, &till).await;
        nats.restart_same_store().await;
        till.is_in_stream(&stage).await;
        nats.kill();
        till.ring(700).await;
        nats.restart_same_store().await;
        till.is_in_stream(&stage).await;
        tally.books_all(&stage, &till).await;
        // All that the broker kept is lost: the log has it.
        nats.kill();
        till.ring(30).await;
        nats.restart_empty_store().await;
        till.is_in_stream(&stage).await;
        till.ring(30).await;
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_broker_that_hangs_is_outwaited() {
    for stage in Stage::with_nats().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(20).await;
        tally.books_all(&stage, &till).await;
        stage.nats.as_ref().unwrap().pause();
        till.ring(200).await;
        stage.nats.as_ref().unwrap().resume();
        tally.books_all(&stage, &till).await;
        till.is_in_stream(&stage).await;
    }
}

#[tokio::test]
async fn a_database_that_comes_back_is_gone_on_with() {
    let stage = Stage::durable().await;
    let postgres = stage.postgres.as_ref().unwrap();
    let (till, tally) = (stage.till().await, stage.tally().await);
    till.ring(100).await;
    tally.books_all(&stage, &till).await;
    for _ in 0..2 {
        // In the middle of work: what is not acknowledged is repeated by its caller.
        let ringing = till.ring(300);
        let outage = async {
            postgres.kill();
            postgres.restart().await;
        };
        tokio::join!(ringing, outage);
        till.is_in_stream(&stage).await;
        tally.books_all(&stage, &till).await;
    }
    assert_eq!(till.events().await.len(), 700);
}

#[tokio::test]
async fn two_replicas_keep_one_chain() {
    for stage in Stage::with_nats().await {
        let (one, two, tally) = (stage.till().await, stage.till().await, stage.tally().await);
        for _ in 0..10 {
            tokio::join!(one.ring(50), two.ring(50));
        }
        one.is_in_stream(&stage).await;
        tally.books_all(&stage, &one).await;
        assert_eq!(one.events().await.len(), 1_000, "{}", stage.name);
        // Whichever leads: the other one takes over.
        let leads = |till: &TillApp| till.relay.borrow().phase == RelayPhase::Leading;
        let (leader, heir) = if leads(&one) { (one, two) } else { (two, one) };
        leader.end().await;
        heir.ring(50).await;
        heir.is_in_stream(&stage).await;
        tally.books_all(&stage, &heir).await;
    }
}

#[tokio::test]
async fn a_database_that_lost_events_halts_the_relay() {
    for stage in Stage::with_nats().await {
        let till = stage.till().await;
        till.ring(40).await;
        till.is_in_stream(&stage).await;
        till.end().await;
        // An older state was restored: the stream knows more.
        let restored = stage.till_on("restored", 1).await;
        restored.ring(5).await;
        forks(&stage, &restored, "the log only at").await;
        // It writes on, past the stream: the events differ, and nothing heals by itself.
        restored.ring(60).await;
        let jetstream = stage.jetstream().await;
        assert_eq!(jetstream.get_stream(stage.stream()).await.unwrap().cached_info().state.last_sequence, 40);
        restored.end().await;
        let restored = stage.till_on("restored", 1).await;
        forks(&stage, &restored, "in the log it is").await;
        assert_eq!(jetstream.get_stream(stage.stream()).await.unwrap().cached_info().state.last_sequence, 40);
        // The operator decides for the database: a new epoch, and the stream goes.
        set_epoch(&restored.db, 2).await;
        jetstream.delete_stream(stage.stream()).await.unwrap();
        restored.is_in_stream(&stage).await;
        assert!(matches!(restored.relay.borrow().phase, RelayPhase::Leading), "{}", stage.name);
    }
}

async fn forks(stage: &Stage, till: &TillApp, why: &str) {
    assert_eventually(SOON, || async {
        let state = till.relay.borrow().clone();
        match &state.phase {
            RelayPhase::Forked { reason } if reason.contains(why) => Ok(()),
            _ => Err(format!("{}: {state:?}", stage.name)),
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_stranger_puts_into_the_stream_is_not_applied() {
    for stage in Stage::with_nats().await {
        let (till, tally) = (stage.till().await, stage.tally().await);
        till.ring(10).await;
        tally.books_all(&stage, &till).await;
        till.is_in_stream(&stage).await;
        let forged = till.events().await.into_iter().find(|event| booking(event).is_some()).unwrap();
        let subject = stage.names().subject("till", &forged);
        let jetstream = stage.jetstream().await;
        let message = PublishMessage::build().payload(forged.payload.clone());
        jetstream.send_publish(subject, message).await.unwrap().await.unwrap();
        till.ring(10).await;
        forks(&stage, &till, "").await;
        // The tally goes on with what the owner says, and books nothing that he did not write.
        tally.books_all(&stage, &till).await;
    }
}

#[tokio::test]
async fn a_log_that_forgot_its_beginning_goes_on_at_its_floor() {
    let floors = HashMap::from([("newest NATS", 21), ("oldest NATS", 1)]);
    for stage in Stage::with_nats().await {
        let till = stage.till().await;
        till.bus.stop().await;
        till.ring(50).await;
        till.set_floor(floors[stage.name]).await;
        let till = till.on(stage.bus().await);
        till.is_in_stream(&stage).await;
        let info = stage.jetstream().await.get_stream(stage.stream()).await.unwrap().cached_info().clone();
        assert_eq!(info.state.first_sequence, floors[stage.name].unsigned_abs());
        // A consumer that needs what is gone says so.
        if floors[stage.name] > 1 {
            let tally = stage.tally().await;
            assert_eventually(SOON, || async { matches!(tally.progress.borrow().phase, Phase::Halted { .. }) }).await;
        }
    }
}
