//! The calls of the link on NATS. What JetStream answers is put into words of ours here, and nowhere judged.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull};
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::RawMessageErrorKind;
use async_nats::jetstream::{self, ErrorCode};
use async_nats::{HeaderMap, Subscriber};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};

use crate::link::{Ack, Incoming, Outgoing, Stream};
use crate::nats::Connection;
use crate::source::{BoxError, BoxFuture};

/// Messages that the server may send ahead.
const PULL_MESSAGES: usize = 500;
/// How long one pull request stands.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// The server says this often that it is still there.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The server forgets a consumer that nobody pulls from after this time.
const INACTIVE: Duration = Duration::from_secs(30);

impl Connection {
    pub(crate) async fn find_stream(&self, name: &str) -> Result<Option<Stream>, BoxError> {
        match self.jetstream.get_stream(name).await {
            Ok(stream) => Ok(Some(standing(stream.cached_info())?)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn delete_stream(&self, name: &str) -> Result<(), BoxError> {
        self.jetstream.delete_stream(name).await?;
        Ok(())
    }

    pub(crate) async fn purge_before(&self, name: &str, seq: i64) -> Result<(), BoxError> {
        let stream = self.jetstream.get_stream_no_info(name).await?;
        stream.purge().sequence(u64::try_from(seq)?).await?;
        Ok(())
    }

    pub(crate) async fn message(&self, name: &str, seq: i64) -> Result<Option<(HeaderMap, Bytes)>, BoxError> {
        let stream = self.jetstream.get_stream_no_info(name).await?;
        match stream.get_raw_message(u64::try_from(seq)?).await {
            Ok(message) => Ok(Some((message.headers, message.payload))),
            Err(error) if matches!(error.kind(), RawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn publish(&self, message: Outgoing<'_>) -> Result<BoxFuture<(i64, Ack)>, BoxError> {
        let Outgoing { stream, subject, headers, payload, seq } = message;
        let message = PublishMessage::build()
            .headers(headers)
            .payload(payload)
            .expected_stream(stream)
            .expected_last_sequence((seq - 1).unsigned_abs());
        let ack = self.jetstream.send_publish(subject, message).await?;
        Ok(Box::pin(async move {
            let ack = match ack.await {
                Ok(ack) => Ack::Stored { seq: ack.sequence, duplicate: ack.duplicate },
                // Newer servers say it with codes that the client does not know.
                Err(error) if matches!(error.kind(), PublishErrorKind::WrongLastSequence | PublishErrorKind::Other) => {
                    Ack::Refused(error.to_string())
                }
                Err(error) => Ack::Unknown(error.to_string()),
            };
            (seq, ack)
        }))
    }

    pub(crate) async fn open(&self, name: &str, after: i64) -> Result<Messages, BoxError> {
        let stream = self.jetstream.get_stream_no_info(name).await?;
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: u64::try_from(after + 1)? },
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES)
            .expires(PULL_EXPIRES)
            .heartbeat(HEARTBEAT)
            .messages()
            .await?;
        Ok(Messages(Box::new(messages)))
    }

    pub(crate) async fn poke(&self, subject: String) {
        let _ = self.client.publish(subject, Bytes::new()).await;
    }

    pub(crate) async fn pokes(&self, subject: String) -> Option<Pokes> {
        self.client.subscribe(subject).await.ok().map(Pokes)
    }
}

/// What a pull consumer brings.
pub(crate) struct Messages(Box<pull::Stream>);

impl Messages {
    pub(crate) async fn next(&mut self) -> Option<Result<Incoming, BoxError>> {
        loop {
            match self.0.next().await? {
                Ok(message) => {
                    // Without a place it is none of a stream.
                    let Some((seq, pending)) = place(&message) else { continue };
                    let async_nats::Message { headers, payload, .. } = message.message;
                    return Some(Ok(Incoming { seq, pending, headers: headers.unwrap_or_default(), payload }));
                }
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

fn place(message: &jetstream::Message) -> Option<(i64, i64)> {
    let info = message.info().ok()?;
    Some((i64::try_from(info.stream_sequence).ok()?, i64::try_from(info.pending).ok()?))
}

/// What a subscription brings.
pub(crate) struct Pokes(Subscriber);

impl Pokes {
    pub(crate) async fn next(&mut self) -> bool {
        let poked = self.0.next().await.is_some();
        // One look answers all that came together.
        while self.0.next().now_or_never().flatten().is_some() {}
        poked
    }
}

pub(super) fn standing(info: &jetstream::stream::Info) -> Result<Stream, BoxError> {
    Ok(Stream {
        first_seq: i64::try_from(info.state.first_sequence)?,
        last_seq: i64::try_from(info.state.last_sequence)?,
        messages: info.state.messages,
        created: info.created.to_string(),
    })
}

pub(super) fn is_not_found(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
