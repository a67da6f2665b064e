//! Reading a stream of JetStream: an ephemeral pull consumer from the position on, without acks, because the
//! position is kept by the reader's own database. The stream is a copy: what it lacks is fetched from the
//! owner of the log, and what it has that does not belong there is left out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use commit::{LogBounds, LogEvent};
use futures_util::FutureExt;
use tokio::time::Instant;

use crate::envelope::Envelope;
use crate::link::{Incoming, Link, Messages, Reconnects};
use crate::reader::{Lost, PAGE_EVENTS};
use crate::source::{Backfill, BoxError, Page};

/// A quiet reader compares itself with the stream this often.
const AUDIT: Duration = Duration::from_secs(2);
/// The first comparison after opening, when what was missed before shows itself.
const FIRST_AUDIT: Duration = Duration::from_millis(200);
/// First and longest pause before a stream that is away is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// Longest wait for the owner of a log.
const BACKFILL_TIMEOUT: Duration = Duration::from_secs(10);

/// The stream of one log, and its owner.
pub(crate) struct StreamSource {
    pub(crate) log: String,
    pub(crate) stream: String,
    pub(crate) link: Link,
    pub(crate) owner: Option<Backfill>,
}

/// What an audit of the stream found.
enum Audit {
    /// Nothing that the reader should have.
    Even,
    /// The stream, or its owner, has more than arrived.
    Behind,
}

impl StreamSource {
    /// Asks the owner of the log.
    pub(crate) async fn backfill(&self, after: i64, max: usize) -> Result<Page, BoxError> {
        let owner = self.owner.as_ref().ok_or("no way to the owner of the log is known")?;
        let mut page = tokio::time::timeout(BACKFILL_TIMEOUT, owner(after, max))
            .await
            .map_err(|_| "the owner of the log did not answer in time")??;
        // What follows a hole is not ours to give.
        let first = page.events.first().map_or(after + 1, |event| event.seq);
        let fits = page.events.iter().zip(first..).take_while(|(event, seq)| event.seq == *seq).count();
        page.events.truncate(fits);
        Ok(page)
    }

    pub(crate) async fn bounds(&self) -> Result<LogBounds, BoxError> {
        if self.owner.is_some() {
            match self.backfill(i64::MAX - 1, 1).await {
                Ok(Page { epoch, floor_seq, head_seq, .. }) => {
                    return Ok(LogBounds { epoch, floor_seq, last_seq: head_seq });
                }
                Err(error) => tracing::debug!(log = self.log, error = &*error as &dyn std::error::Error, "no owner"),
            }
        }
        let stream = self.link.find_stream(&self.stream).await?.ok_or("the stream is not there yet")?;
        let (last_seq, floor_seq) = (stream.last_seq, stream.first_seq.max(1));
        let epoch = if stream.messages == 0 {
            0
        } else {
            let newest = self.link.message(&self.stream, last_seq).await?;
            let (headers, payload) = newest.ok_or("the newest message of the stream is gone")?;
            Envelope::from_message(&headers, payload)?.epoch
        };
        Ok(LogBounds { epoch, floor_seq, last_seq })
    }

    async fn open(&self, after: i64) -> Result<Messages, BoxError> {
        if !self.link.is_connected() {
            // Asked, the client would wait for the connection; meanwhile there may be something at the owner.
            return Err("NATS is away".into());
        }
        self.link.open(&self.stream, after).await
    }

    async fn audit(&self, after: i64) -> Result<Audit, BoxError> {
        let stream = self.link.find_stream(&self.stream).await?.ok_or("the stream is not there")?;
        Ok(if stream.last_seq > after { Audit::Behind } else { Audit::Even })
    }
}

/// Reads one stream in order; see [`crate::Reader`].
pub(crate) struct StreamReader {
    source: Arc<StreamSource>,
    after: i64,
    head_seq: i64,
    messages: Option<(Messages, Reconnects)>,
    /// Taken from the stream and not given yet, with their epochs.
    held: VecDeque<(i64, Arc<LogEvent>)>,
    audit_at: Instant,
    pause: Duration,
}

impl StreamReader {
    pub(crate) fn new(source: Arc<StreamSource>, after: i64) -> Self {
        Self {
            source,
            after,
            head_seq: after,
            messages: None,
            held: VecDeque::new(),
            audit_at: Instant::now() + FIRST_AUDIT,
            pause: BACKOFF.0,
        }
    }

    pub(crate) const fn after(&self) -> i64 {
        self.after
    }

    pub(crate) fn seek(&mut self, after: i64) {
        self.after = after;
        self.close();
    }

    pub(crate) async fn next(&mut self) -> Result<Page, Lost> {
        loop {
            if let Some(page) = self.give() {
                return Ok(page);
            }
            if !self.held.is_empty() {
                // A hole, and what comes behind it is at hand.
                if let Some(page) = self.ask_owner().await? {
                    return Ok(page);
                }
                self.rest("a hole in the stream waits for the owner of the log").await;
                continue;
            }
            if self.messages.is_none() {
                let reconnects = self.source.link.reconnects();
                match self.source.open(self.after).await {
                    Ok(messages) => {
                        self.messages = Some((messages, reconnects));
                        self.audit_at = Instant::now() + FIRST_AUDIT;
                    }
                    Err(error) => {
                        tracing::debug!(
                            log = self.source.log,
                            error = &*error as &dyn std::error::Error,
                            "the stream cannot be opened"
                        );
                        // The owner may be there though the bus is away.
                        if let Some(page) = self.ask_owner().await? {
                            return Ok(page);
                        }
                        self.rest("the stream is away").await;
                        continue;
                    }
                }
            }
            if let Some(page) = self.receive().await? {
                return Ok(page);
            }
        }
    }

    /// Takes what the stream has ready, at least one message; or finds out why none comes.
    async fn receive(&mut self) -> Result<Option<Page>, Lost> {
        let Some((messages, reconnects)) = &mut self.messages else { return Ok(None) };
        let message = async {
            tokio::select! {
                biased;
                message = messages.next() => Some(message),
                () = reconnects.next() => None,
            }
        };
        match tokio::time::timeout_at(self.audit_at, message).await {
            // The consumer may be gone with the server that had it.
            Ok(None) => {
                self.close();
                Ok(None)
            }
            Ok(Some(Some(Ok(message)))) => {
                self.take(message);
                while self.held.len() < PAGE_EVENTS {
                    let Some((messages, _)) = &mut self.messages else { break };
                    let Some(Some(Ok(message))) = messages.next().now_or_never() else { break };
                    self.take(message);
                }
                self.audit_at = Instant::now() + AUDIT;
                Ok(None)
            }
            Ok(Some(broken)) => {
                if let Some(Err(error)) = broken {
                    tracing::debug!(
                        log = self.source.log,
                        error = &*error as &dyn std::error::Error,
                        "the stream broke off"
                    );
                }
                self.close();
                self.rest("the stream broke off").await;
                Ok(None)
            }
            Err(_) => {
                self.audit_at = Instant::now() + AUDIT;
                match self.source.audit(self.after).await {
                    Ok(Audit::Even) => Ok(None),
                    Ok(Audit::Behind) => {
                        // Either it is on its way, or it was lost from the stream: the owner knows.
                        let page = self.ask_owner().await?;
                        if page.is_some() {
                            self.close();
                        }
                        Ok(page)
                    }
                    Err(_) => {
                        self.close();
                        Ok(None)
                    }
                }
            }
        }
    }

    /// Keeps a message if it is one that is still wanted.
    fn take(&mut self, message: Incoming) {
        let Incoming { seq, pending, headers, payload } = message;
        self.head_seq = self.head_seq.max(seq.saturating_add(pending));
        let newest = self.held.back().map_or(self.after, |(_, event)| event.seq);
        if seq <= newest {
            return;
        }
        match Envelope::from_message(&headers, payload) {
            Ok(envelope) if envelope.log == self.source.log && envelope.event.seq == seq => {
                self.held.push_back((envelope.epoch, Arc::new(envelope.event)));
            }
            // Left out, so that it shows as a hole and is fetched from the owner.
            Ok(_) => tracing::error!(log = self.source.log, seq, "a message of the stream is not of this log"),
            Err(error) => {
                tracing::error!(log = self.source.log, seq, %error, "a message of the stream is no event");
            }
        }
    }

    /// What is held and follows without a hole, of one epoch.
    fn give(&mut self) -> Option<Page> {
        while self.held.front().is_some_and(|(_, event)| event.seq <= self.after) {
            self.held.pop_front();
        }
        let epoch = self.held.front()?.0;
        let after = self.after;
        let fits = self.held.iter().zip(after + 1..);
        let fits = fits.take_while(|((of, event), seq)| *of == epoch && event.seq == *seq).count();
        if fits == 0 {
            return None;
        }
        let events: Vec<_> = self.held.drain(..fits).map(|(_, event)| event).collect();
        Some(self.page(epoch, 0, events))
    }

    fn page(&mut self, epoch: i64, floor_seq: i64, events: Vec<Arc<LogEvent>>) -> Page {
        self.after += events.len() as i64;
        self.head_seq = self.head_seq.max(self.after);
        self.pause = BACKOFF.0;
        Page { epoch, floor_seq, head_seq: self.head_seq, events }
    }

    /// What the owner has behind our position; `None` when it has nothing or does not answer.
    async fn ask_owner(&mut self) -> Result<Option<Page>, Lost> {
        match self.source.backfill(self.after, PAGE_EVENTS).await {
            Ok(Page { epoch, floor_seq, head_seq, events }) => {
                if floor_seq > self.after + 1 {
                    return Err(Lost::Expired { floor_seq });
                }
                self.head_seq = self.head_seq.max(head_seq);
                if events.first().is_none_or(|first| first.seq != self.after + 1) {
                    return Ok(None);
                }
                Ok(Some(self.page(epoch, floor_seq, events)))
            }
            Err(error) => {
                tracing::debug!(
                    log = self.source.log,
                    error = &*error as &dyn std::error::Error,
                    "the owner of a log does not answer"
                );
                Ok(None)
            }
        }
    }

    fn close(&mut self) {
        self.messages = None;
        self.held.clear();
    }

    async fn rest(&mut self, why: &str) {
        let pause = self.pause;
        self.pause = (self.pause * 2).min(BACKOFF.1);
        tracing::debug!(log = self.source.log, after = self.after, ?pause, why, "a reader waits");
        self.source.link.rest(pause).await;
    }
}
