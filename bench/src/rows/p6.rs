//! P6, P7 and P8: from COMMIT to a subscriber, the drain after an outage of the broker, a consumer with durable effects.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::{self, stream};
use events::{Bus, Names, NatsOptions, RelayPhase};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use kernel::Clock;
use sqlx::Connection;
use store::{Db, Uuid};
use testkit::Nats;
use tokio::sync::mpsc;

use super::p3::{self, IN_FLIGHT, durable, opens, submission};
use super::{line, quietly};
use crate::Plan;
use crate::desk::Open;
use crate::points::{self, Points};
use crate::result::{Good, Line};
use crate::sql;
use crate::stats::Latencies;
use crate::yard::hand::{PAYLOAD_BYTES, STORY};

/// Events a second of P6.
const RATE: u32 = 200;
/// Events that wait for the broker in P7.
const BACKLOG: i64 = 100_000;
/// Publishes on their way in the yardstick of P7.
const WINDOW: usize = 512;
/// Events that the consumer of P8 reads.
const TO_BOOK: i64 = 60_000;
/// Events in one statement of the yardstick of P8.
const PAGE: i64 = 256;

async fn bus(nats: &Nats) -> anyhow::Result<Bus> {
    let options = NatsOptions {
        urls: vec![nats.url().to_owned()],
        namespace: Some(nats.namespace().to_owned()),
        client_name: "karibu-bench".to_owned(),
        ..NatsOptions::default()
    };
    Ok(Bus::nats(options, Arc::new(|_| None)).await?)
}

async fn raw_stream(nats: &Nats) -> anyhow::Result<(jetstream::Context, stream::Stream)> {
    let jetstream = jetstream::new(async_nats::connect(nats.url()).await?);
    let config = stream::Config { name: "RAW".to_owned(), subjects: vec!["raw.>".to_owned()], ..Default::default() };
    let stream = jetstream.create_stream(config).await?;
    Ok((jetstream, stream))
}

/// Something every 1/200 s for `span`.
async fn at_rate<F: Future<Output = anyhow::Result<()>>>(
    span: Duration,
    mut work: impl FnMut(u32) -> F,
) -> anyhow::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for turn in 0..u32::try_from(span.as_secs())? * RATE {
        ticks.tick().await;
        work(turn).await?;
    }
    Ok(())
}

/// Joins when things were sent with when they were heard.
fn delays<K: std::hash::Hash + Eq>(
    sent: &HashMap<K, Instant>,
    heard: &HashMap<K, Instant>,
) -> anyhow::Result<Latencies> {
    let mut delays = Latencies::default();
    for (key, at) in sent {
        delays.add(heard.get(key).context("an event was never heard")?.saturating_duration_since(*at));
    }
    Ok(delays)
}

async fn gather<K: std::hash::Hash + Eq>(
    count: usize,
    heard: &mut mpsc::UnboundedReceiver<(K, Instant)>,
) -> HashMap<K, Instant> {
    let mut all = HashMap::new();
    while all.len() < count {
        let Ok(Some((key, at))) = tokio::time::timeout(Duration::from_secs(10), heard.recv()).await else { break };
        all.insert(key, at);
    }
    all
}

/// P6.
pub(crate) async fn latency(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let (postgres, nats) = (durable().await, Nats::start().await);
    let (_, door) = p3::open(&postgres.database("desk").await).await?;
    let bus = bus(&nats).await?;
    let mut relay = bus.publish(door.log());
    relay.wait_for(|state| state.phase == RelayPhase::Leading).await?;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let tail = bus.tail("desk", 0);
    tokio::spawn(async move {
        let mut tail = std::pin::pin!(tail);
        while let Some(Ok(event)) = tail.next().await {
            let _ = tell.send((event.aggregate_id, Instant::now()));
        }
    });
    let (jetstream, stream) = raw_stream(&nats).await?;
    let consumer = stream.create_consumer(OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?;
    let (tell, mut raw_heard) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = messages.next().await {
            let _ = tell.send((String::from_utf8_lossy(&message.payload[..36]).into_owned(), Instant::now()));
        }
    });
    let yardstick = "raw JetStream publish to receive";
    let name = "commit to subscriber at 200/s";
    let mut lines = [
        line("P6 p50", &format!("{name}, p50"), yardstick, "ms", Good::Low, (1.5, 1.1)),
        line("P6 p99", &format!("{name}, p99"), yardstick, "ms", Good::Low, (1.5, 1.1)),
    ];
    let salt = Uuid::now_v7().as_u64_pair().0;
    for round in 0..plan.rounds as u64 {
        // A round that is measured again needs keys of its own.
        let tries = std::sync::atomic::AtomicU64::new(0);
        let mut best: Option<(Latencies, Latencies, f64)> = None;
        for _ in 0..3 {
            let attempt = tries.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let reading = crate::cpu::Reading::now();
            let mut sent = HashMap::new();
            let mut replies = Vec::new();
            at_rate(plan.span(), |turn| {
                let open = Open {
                    id: None,
                    branch_id: Uuid::from_u128(1),
                    customer_id: Uuid::from_u128(2),
                    story: STORY.to_owned(),
                };
                let submission = submission(salt ^ (round << 48) ^ (attempt << 44), 0, turn.into());
                let door = door.clone();
                replies.push(tokio::spawn(async move {
                    let receipt = door.submit(submission, open).await?;
                    anyhow::Ok((Uuid::from_slice(&receipt.id)?, Instant::now()))
                }));
                async { Ok(()) }
            })
            .await?;
            for reply in replies {
                let (id, at) = reply.await??;
                sent.insert(id, at);
            }
            let ours = delays(&sent, &gather(sent.len(), &mut heard).await)?;
            let mut raw_sent = HashMap::new();
            at_rate(plan.span(), |_| {
                let id = Uuid::now_v7().to_string();
                let payload = format!("{id}{}", "x".repeat(PAYLOAD_BYTES));
                raw_sent.insert(id, Instant::now());
                let jetstream = jetstream.clone();
                async move {
                    jetstream.publish("raw.event", payload.into()).await?;
                    Ok(())
                }
            })
            .await?;
            let raw = delays(&raw_sent, &gather(raw_sent.len(), &mut raw_heard).await)?;
            let foreign = reading.foreign();
            if best.as_ref().is_none_or(|(_, _, least)| foreign < *least) {
                best = Some((ours, raw, foreign));
            }
            if foreign <= plan.noise() {
                break;
            }
        }
        let (mut ours, mut raw, foreign) = best.context("no round")?;
        for (line, share) in lines.iter_mut().zip([0.5, 0.99]) {
            line.rounds.push((ours.percentile_ms(share), raw.percentile_ms(share)));
            line.foreign.push(foreign);
        }
    }
    bus.stop().await;
    Ok(lines.into())
}

async fn fill(door: &commit::Door<crate::desk::Desk>, until: i64) -> anyhow::Result<()> {
    let head = door.log().head();
    while *head.borrow() < until {
        opens(door, IN_FLIGHT * 4, Duration::from_millis(500)).await?;
    }
    Ok(())
}

/// P7.
pub(crate) async fn drain(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let (postgres, nats) = (durable().await, Nats::start().await);
    let (_, door) = p3::open(&postgres.database("desk").await).await?;
    let bus = bus(&nats).await?;
    let mut relay = bus.publish(door.log());
    relay.wait_for(|state| state.phase == RelayPhase::Leading).await?;
    let mut row = line(
        "P7",
        "drain of 100 000 events after an outage of the broker",
        "the same messages published with 512 on their way",
        "/s",
        Good::High,
        (0.3, 0.6),
    );
    for _ in 0..plan.rounds {
        let before = *door.log().head().borrow();
        nats.stop();
        fill(&door, before + BACKLOG).await?;
        let head = *door.log().head().borrow();
        let reading = crate::cpu::Reading::now();
        nats.restart_same_store().await;
        let back = Instant::now();
        let first = relay.wait_for(|state| state.published_seq > before).await?.published_seq;
        let moving = Instant::now();
        relay.wait_for(|state| state.published_seq >= head).await?;
        let ours = (head - first) as f64 / moving.elapsed().as_secs_f64();
        let took = back.elapsed();
        let yard = republish(&nats, head - before).await?;
        row.foreign.push(reading.foreign());
        row.rounds.push((ours, yard));
        row.notes
            .push(format!("{} events; {took:.1?} from the return of the broker to the last of them", head - before));
    }
    bus.stop().await;
    Ok(vec![row])
}

/// Publishes a message as the relay makes it `count` times, without its conditions; messages a second.
async fn republish(nats: &Nats, count: i64) -> anyhow::Result<f64> {
    let (jetstream, raw) = raw_stream(nats).await?;
    let ours = jetstream.get_stream(Names::new(Some(nats.namespace())).stream("desk")).await?;
    let message = ours.get_raw_message(1).await?;
    let mut headers = async_nats::HeaderMap::new();
    for (name, values) in message.headers.iter() {
        if !name.to_string().starts_with("Nats-") {
            values.iter().for_each(|value| headers.append(name.clone(), value.clone()));
        }
    }
    let mut acks = FuturesOrdered::new();
    let started = Instant::now();
    for _ in 0..count {
        if acks.len() >= WINDOW {
            acks.next().await.transpose()?;
        }
        let sent = jetstream.publish_with_headers("raw.event", headers.clone(), message.payload.clone()).await?;
        acks.push_back(sent.into_future());
    }
    while acks.next().await.transpose()?.is_some() {}
    let rate = count as f64 / started.elapsed().as_secs_f64();
    raw.purge().await?;
    Ok(rate)
}

/// P8.
pub(crate) async fn consumer(plan: &Plan) -> anyhow::Result<Vec<Line>> {
    let postgres = durable().await;
    let url = postgres.database("desk").await;
    let (source, door) = p3::open(&url).await?;
    fill(&door, TO_BOOK).await?;
    let head = *door.log().head().borrow();
    let mut row = line(
        "P8",
        "consumer with durable effects: points booked for events of another service",
        "batched UNNEST by hand, 256 events a statement",
        "/s",
        Good::High,
        (0.4, 0.7),
    );
    for _ in 0..plan.rounds {
        let ((ours, yard, spent), foreign) = quietly(plan, || async {
            let yard = by_hand(&source, &postgres.database("hand").await, head).await?;
            let db = Db::open(&store::Options::new(postgres.database("points").await, "karibu-bench")).await?;
            db.migrate(&[commit::MIGRATIONS, points::MIGRATIONS]).await?;
            let points = commit::start::<Points>(db.clone(), Clock::system(), commit::Options::default()).await?;
            let bus = Bus::local();
            // A log of its own, so that events come from the table as in another process, not from memory.
            let (_, cold) = p3::open(&url).await?;
            bus.publish(cold.log());
            let started = Instant::now();
            let mut progress = bus.consume("points", &["desk"], points.clone(), events::react(points::react)).remove(0);
            progress.wait_for(|progress| progress.cursor >= head).await?;
            let ours = head as f64 / started.elapsed().as_secs_f64();
            bus.stop().await;
            let (bookings, sum): (i64, i64) = db.fetch_one(sql::POINTS_BOOKED, &[]).await?;
            anyhow::ensure!((bookings, sum) == (head, head), "{bookings} bookings of {sum} points, {head} events");
            Ok((ours, yard, points.stats().spent()))
        })
        .await?;
        row.rounds.push((ours, yard));
        row.foreign.push(foreign);
        row.notes.push(spent.to_string());
    }
    Ok(vec![row])
}

async fn by_hand(source: &Db, url: &str, head: i64) -> anyhow::Result<f64> {
    // Read through our pool: what is measured is the booking.
    let mut connection = sqlx::PgConnection::connect(url).await?;
    for text in [sql::POINTS_POSTGRES, sql::HAND_CURSOR] {
        sqlx::raw_sql(text).execute(&mut connection).await?;
    }
    let read = store::Sql::same(sql::HAND_READ);
    let started = Instant::now();
    let mut at = 0;
    while at < head {
        let rows: Vec<(i64, Uuid, Option<Uuid>)> = source.fetch_all(read, store::args![at, PAGE]).await?;
        let customers: Vec<Uuid> = rows.iter().filter_map(|row| row.2).collect();
        let causes: Vec<Uuid> = rows.iter().map(|row| row.1).collect();
        at = rows.last().context("the log ended early")?.0;
        sqlx::query(sql::HAND_BOOK).bind(customers).bind(causes).bind(1_i64).bind(at).execute(&mut connection).await?;
    }
    let rate = head as f64 / started.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(rate)
}
