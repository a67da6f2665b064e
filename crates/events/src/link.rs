//! The link to a bus with streams: the few calls that the relay and the readers make, and what these may answer.
//! Behind it stands NATS, or in simulations a model of it; no decision is made here.

use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use tokio::sync::watch;

use crate::chance::Chance;
use crate::nats;
#[cfg(test)]
use crate::sim::port;
use crate::source::{BoxError, BoxFuture};

/// What a stream of ours must be like.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The name of the stream.
    pub(crate) name: String,
    /// The subjects that it takes in.
    pub(crate) subjects: String,
    /// The log that it copies.
    pub(crate) log: &'static str,
    /// Copies of it on different servers.
    pub(crate) replicas: usize,
    /// How long it keeps a message.
    pub(crate) max_age: Duration,
}

/// A stream as it stands.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// Its oldest message; one more than `last_seq` when it is empty.
    pub(crate) first_seq: i64,
    /// Its newest message, even if that is gone by now.
    pub(crate) last_seq: i64,
    /// How many it holds.
    pub(crate) messages: u64,
    /// When it was made: another stream of this name has another one.
    pub(crate) created: String,
}

/// A message on its way into a stream.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) stream: &'a str,
    pub(crate) subject: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
    /// The sequence that it must get: the stream takes it only behind the one before.
    pub(crate) seq: i64,
}

/// What a stream says to a message.
#[derive(Debug)]
pub(crate) enum Ack {
    /// It has it, at this place.
    Stored {
        /// The place.
        seq: u64,
        /// Whether it takes the message for one that it had before.
        duplicate: bool,
    },
    /// It does not take it: its last message is not the one before, or something else forbids it.
    Refused(String),
    /// Nothing is known.
    Unknown(String),
}

/// A message of a stream as a reader gets it.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) seq: i64,
    /// Messages of the stream behind it that were not sent yet.
    pub(crate) pending: i64,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// The link of one bus. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Link {
    Nats(Arc<nats::Connection>),
    #[cfg(test)]
    Model(port::Port),
}

/// Passes a call on to what stands behind the link.
macro_rules! behind {
    ($link:expr, $call:ident ( $($arg:expr),* )) => {
        match $link {
            Self::Nats(nats) => nats.$call($($arg),*).await,
            #[cfg(test)]
            Self::Model(model) => model.$call($($arg),*).await,
        }
    };
}

impl Link {
    /// Whether a server answers right now, as far as is known.
    pub(crate) fn is_connected(&self) -> bool {
        match self {
            Self::Nats(nats) => nats.is_connected(),
            #[cfg(test)]
            Self::Model(model) => model.is_connected(),
        }
    }

    /// The stream with this name, if there is one.
    pub(crate) async fn find_stream(&self, name: &str) -> Result<Option<Stream>, BoxError> {
        behind!(self, find_stream(name))
    }

    /// Finds the stream and sets right what is not as wanted; `None` when there is none.
    pub(crate) async fn correct_stream(&self, wanted: &Wanted) -> Result<Option<Stream>, BoxError> {
        behind!(self, correct_stream(wanted))
    }

    /// Makes the stream, so that its first message will be `first_seq`.
    pub(crate) async fn make_stream(&self, wanted: &Wanted, first_seq: i64) -> Result<Stream, BoxError> {
        behind!(self, make_stream(wanted, first_seq))
    }

    /// Deletes the stream.
    pub(crate) async fn delete_stream(&self, name: &str) -> Result<(), BoxError> {
        behind!(self, delete_stream(name))
    }

    /// Deletes what stands before `seq`.
    pub(crate) async fn purge_before(&self, name: &str, seq: i64) -> Result<(), BoxError> {
        behind!(self, purge_before(name, seq))
    }

    /// The message at `seq`; `None` when there is none.
    pub(crate) async fn message(&self, name: &str, seq: i64) -> Result<Option<(HeaderMap, Bytes)>, BoxError> {
        behind!(self, message(name, seq))
    }

    /// Sends a message; what comes later is its sequence and what the stream says.
    pub(crate) async fn publish(&self, message: Outgoing<'_>) -> Result<BoxFuture<(i64, Ack)>, BoxError> {
        behind!(self, publish(message))
    }

    /// The messages of a stream behind `after`.
    pub(crate) async fn open(&self, name: &str, after: i64) -> Result<Messages, BoxError> {
        match self {
            Self::Nats(nats) => Ok(Messages::Nats(nats.open(name, after).await?)),
            #[cfg(test)]
            Self::Model(model) => Ok(Messages::Model(model.open(name, after).await?)),
        }
    }

    /// Tells whoever listens to `subject`, if it can.
    pub(crate) async fn poke(&self, subject: String) {
        behind!(self, poke(subject));
    }

    /// Listens to `subject`.
    pub(crate) async fn pokes(&self, subject: String) -> Option<Pokes> {
        match self {
            Self::Nats(nats) => nats.pokes(subject).await.map(Pokes::Nats),
            #[cfg(test)]
            Self::Model(model) => Some(Pokes::Model(model.pokes())),
        }
    }

    /// Random numbers for pauses and spot checks.
    pub(crate) fn chance(&self) -> Chance {
        match self {
            Self::Nats(_) => Chance::Thread,
            #[cfg(test)]
            Self::Model(model) => model.chance(),
        }
    }

    /// Waits for `pause`, give or take a half of it, or until the connection is made anew.
    pub(crate) async fn rest(&self, pause: Duration) {
        let pause = pause.mul_f64(self.chance().between(0.5, 1.5));
        let _ = tokio::time::timeout(pause, self.reconnects().next()).await;
    }

    /// Tells from now on when the connection was made anew.
    pub(crate) fn reconnects(&self) -> Reconnects {
        let mut connections = match self {
            Self::Nats(nats) => nats.connections(),
            #[cfg(test)]
            Self::Model(model) => model.connections(),
        };
        connections.mark_unchanged();
        Reconnects(connections)
    }
}

/// The times that the connection is made anew.
pub(crate) struct Reconnects(watch::Receiver<u32>);

impl Reconnects {
    /// Waits for the next time. May be dropped at any await and called again.
    pub(crate) async fn next(&mut self) {
        // A connection that is closed for good is never made again.
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Messages of a stream as they come.
pub(crate) enum Messages {
    Nats(nats::Messages),
    #[cfg(test)]
    Model(port::Messages),
}

impl Messages {
    /// The next one; `None` when no more will come. May be dropped at any await and called again.
    pub(crate) async fn next(&mut self) -> Option<Result<Incoming, BoxError>> {
        behind!(self, next())
    }
}

/// Pokes as they come.
pub(crate) enum Pokes {
    Nats(nats::Pokes),
    #[cfg(test)]
    Model(port::Pokes),
}

impl Pokes {
    /// Waits for one, and takes those that have come as well; `false` when no more will come.
    pub(crate) async fn next(&mut self) -> bool {
        behind!(self, next())
    }
}
