//! Doing to a stream what an operator, a disk or a lost cluster may do to it; and reading it whole.

use std::time::Duration;

use anyhow::Context;
use async_nats::HeaderMap;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{self};
use events::Names;
use futures_util::{StreamExt, TryStreamExt};
use testkit::Nats;

/// Messages that are fetched at the same time.
const AT_ONCE: usize = 64;

/// A connection past the proxies.
pub async fn connect(nats: &Nats) -> anyhow::Result<jetstream::Context> {
    let client = async_nats::ConnectOptions::new()
        .connection_timeout(Duration::from_secs(2))
        .request_timeout(Some(Duration::from_secs(2)))
        .connect(nats.url())
        .await?;
    Ok(jetstream::new(client))
}

fn name(nats: &Nats, log: &str) -> String {
    Names::new(Some(nats.namespace())).stream(log)
}

/// The stream of a log.
pub async fn find(jetstream: &jetstream::Context, nats: &Nats, log: &str) -> anyhow::Result<Stream> {
    Ok(jetstream.get_stream(name(nats, log)).await?)
}

/// Deletes it.
pub async fn delete(nats: &Nats, log: &str) -> anyhow::Result<()> {
    connect(nats).await?.delete_stream(name(nats, log)).await?;
    Ok(())
}

/// Empties it; it goes on at its sequence.
pub async fn purge(nats: &Nats, log: &str) -> anyhow::Result<()> {
    let jetstream = connect(nats).await?;
    find(&jetstream, nats, log).await?.purge().await?;
    Ok(())
}

/// Empties its older half.
pub async fn purge_head(nats: &Nats, log: &str) -> anyhow::Result<()> {
    let jetstream = connect(nats).await?;
    let stream = find(&jetstream, nats, log).await?;
    let state = &stream.cached_info().state;
    let middle = state.first_sequence.midpoint(state.last_sequence).max(1);
    stream.purge().sequence(middle).await?;
    Ok(())
}

/// Makes it anew without its last `by` messages, as a server that lost a tail would have it. The relay may come in between:
/// then it is the relay that goes on.
pub async fn roll_back(nats: &Nats, log: &str, by: u64) -> anyhow::Result<()> {
    let jetstream = connect(nats).await?;
    let stream = find(&jetstream, nats, log).await?;
    let info = stream.cached_info().clone();
    let (first, last) = (info.state.first_sequence.max(1), info.state.last_sequence.saturating_sub(by));
    let kept: Vec<_> = futures_util::stream::iter(first..=last)
        .map(|seq| stream.get_raw_message(seq))
        .buffered(AT_ONCE)
        .try_collect()
        .await
        .context("reading what stays")?;
    let mut config = info.config.clone();
    config.first_sequence = (first > 1).then_some(first);
    jetstream.delete_stream(name(nats, log)).await?;
    jetstream.create_stream(config).await?;
    for (seq, message) in (first..).zip(kept) {
        let own = message.headers.iter().filter(|(name, _)| !name.to_string().starts_with("Nats-"));
        let headers: HeaderMap = own.map(|(name, values)| (name.clone(), values[0].clone())).collect();
        let publish = PublishMessage::build().payload(message.payload).headers(headers).expected_last_sequence(seq - 1);
        jetstream.send_publish(message.subject, publish).await?.await?;
    }
    Ok(())
}

/// Every message that it holds: sequence and `ce-id`. And its last sequence and number of holes.
pub async fn read(nats: &Nats, log: &str) -> anyhow::Result<Held> {
    let jetstream = connect(nats).await?;
    let stream = find(&jetstream, nats, log).await?;
    let state = stream.cached_info().state.clone();
    let first = if state.messages == 0 { state.last_sequence + 1 } else { state.first_sequence };
    let of = &stream;
    let messages: Vec<(u64, String)> = futures_util::stream::iter(first..=state.last_sequence)
        .map(|seq| async move {
            let message = of.get_raw_message(seq).await?;
            let id = message.headers.get("ce-id").map(|id| id.as_str().to_owned()).unwrap_or_default();
            anyhow::Ok((message.sequence, id))
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<anyhow::Result<_>>()?;
    Ok(Held { last: state.last_sequence, messages })
}

/// What a stream holds.
#[derive(Debug)]
pub struct Held {
    /// Its last sequence.
    pub last: u64,
    /// Sequence and `ce-id` of every message, from its first sequence to its last.
    pub messages: Vec<(u64, String)>,
}
