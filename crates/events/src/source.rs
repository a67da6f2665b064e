//! Where the events of one log can be read: straight from the log in this process, or from its stream with
//! the owner of the log behind it.

use std::sync::Arc;

use commit::{EventLog, LogBounds, LogEvent};
use tokio::sync::watch;

use crate::reader::{LocalReader, Reader};
use crate::stream::{StreamReader, StreamSource};

/// Any error of a backfill; it is logged and the read is tried again.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A boxed future.
pub type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// Reads up to `max` events behind `after` from the owner of a log: `backfill(after, max)`. The first event
/// is `after + 1` unless that lies below the floor.
pub type Backfill = Arc<dyn Fn(i64, usize) -> BoxFuture<Result<Page, BoxError>> + Send + Sync>;

/// Events of one log as one read gives them.
#[derive(Clone, Debug)]
pub struct Page {
    /// The epoch of the log that they belong to.
    pub epoch: i64,
    /// The oldest event that the log keeps, as far as the reader knows.
    pub floor_seq: i64,
    /// The newest event of the log that the reader has heard of.
    pub head_seq: i64,
    /// The events, in order and without a gap among them.
    pub events: Vec<Arc<LogEvent>>,
}

/// A log that can be read. Cheap to clone.
#[derive(Clone)]
pub struct Source {
    name: Arc<str>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Local(watch::Receiver<Option<EventLog>>),
    Stream(Arc<StreamSource>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if matches!(self.kind, Kind::Local(_)) { "local" } else { "stream" };
        f.debug_struct("Source").field("name", &self.name).field("kind", &kind).finish()
    }
}

impl Source {
    /// A log of this process, or one that will be.
    pub(crate) fn local(name: &str, log: watch::Receiver<Option<EventLog>>) -> Self {
        Self { name: name.into(), kind: Kind::Local(log) }
    }

    pub(crate) fn stream(name: &str, source: StreamSource) -> Self {
        Self { name: name.into(), kind: Kind::Stream(Arc::new(source)) }
    }

    /// A log in this process, without a bus.
    pub fn of(log: EventLog) -> Self {
        let name = log.name();
        // The receiver keeps the value though the sender is gone.
        Self::local(name, watch::channel(Some(log)).1)
    }

    /// The name of the log, such as `ticketing`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A reader that begins with event `after + 1`.
    pub fn reader(&self, after: i64) -> Reader {
        match &self.kind {
            Kind::Local(log) => Reader::local(LocalReader::new(self.name.clone(), log.clone(), after)),
            Kind::Stream(source) => Reader::stream(StreamReader::new(source.clone(), after)),
        }
    }

    /// Up to `max` events behind `after`, at once; an empty page when there are none. In stream mode this asks the
    /// owner of the log.
    pub async fn read(&self, after: i64, max: usize) -> Result<Page, BoxError> {
        match &self.kind {
            Kind::Local(log) => {
                let log = log.borrow().clone().ok_or("the log is not there yet")?;
                let events = log.read(after, max).await?;
                let LogBounds { epoch, floor_seq, last_seq } = log.bounds().await?;
                Ok(Page { epoch, floor_seq, head_seq: last_seq, events })
            }
            Kind::Stream(source) => source.backfill(after, max).await,
        }
    }

    /// What the log holds now. In stream mode this asks the owner of the log, and the stream when the owner is away
    /// (then the floor is that of the stream).
    pub async fn bounds(&self) -> Result<LogBounds, BoxError> {
        match &self.kind {
            Kind::Local(log) => {
                let log = log.borrow().clone().ok_or("the log is not there yet")?;
                Ok(log.bounds().await?)
            }
            Kind::Stream(source) => source.bounds().await,
        }
    }
}
