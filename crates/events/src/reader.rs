//! Readers: the events of one log from a position on, in order, each once, for ever. What a reader cannot get
//! now it waits for; what is gone it says, and never passes over.

use std::sync::Arc;
use std::time::Duration;

use commit::{EventLog, LogBounds};
use tokio::sync::watch;

use crate::source::Page;
use crate::stream::StreamReader;

/// Most events of one page.
pub(crate) const PAGE_EVENTS: usize = 500;
/// A missed wake-up costs no more than this.
const POLL: Duration = Duration::from_secs(1);

/// Why a reader cannot go on from where it stands, however long it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The next event is no longer kept.
    #[error("events up to {floor_seq} are no longer kept")]
    Expired {
        /// The oldest event that is still kept.
        floor_seq: i64,
    },
}

/// Reads one log. [`Reader::next`] may be dropped at any await and called again.
pub struct Reader(Kind);

enum Kind {
    Local(LocalReader),
    Stream(Box<StreamReader>),
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("after", &self.after()).finish()
    }
}

impl Reader {
    pub(crate) fn local(reader: LocalReader) -> Self {
        Self(Kind::Local(reader))
    }

    pub(crate) fn stream(reader: StreamReader) -> Self {
        Self(Kind::Stream(Box::new(reader)))
    }

    /// The last event given, or where the reader was set to begin.
    pub fn after(&self) -> i64 {
        match &self.0 {
            Kind::Local(reader) => reader.after,
            Kind::Stream(reader) => reader.after(),
        }
    }

    /// The next events, at least one, the first being `after() + 1`; waits as long as it takes.
    pub async fn next(&mut self) -> Result<Page, Lost> {
        match &mut self.0 {
            Kind::Local(reader) => reader.next().await,
            Kind::Stream(reader) => reader.next().await,
        }
    }

    /// Goes on with event `after + 1` instead.
    pub fn seek(&mut self, after: i64) {
        match &mut self.0 {
            Kind::Local(reader) => reader.after = after,
            Kind::Stream(reader) => reader.seek(after),
        }
    }
}

/// Reads a log of this process: from memory or its table, woken by its head.
pub(crate) struct LocalReader {
    name: Arc<str>,
    log: watch::Receiver<Option<EventLog>>,
    open: Option<Open>,
    after: i64,
}

struct Open {
    log: EventLog,
    head: watch::Receiver<i64>,
    bounds: LogBounds,
    /// The table is asked at least once, whatever the head says.
    asked: bool,
}

impl LocalReader {
    pub(crate) fn new(name: Arc<str>, log: watch::Receiver<Option<EventLog>>, after: i64) -> Self {
        Self { name, log, open: None, after }
    }

    async fn next(&mut self) -> Result<Page, Lost> {
        loop {
            match self.try_next().await {
                Ok(Some(page)) => return page,
                Ok(None) => self.wait().await,
                Err(error) => {
                    tracing::warn!(log = &*self.name, error = &error as &dyn std::error::Error, "reading a log failed");
                    self.open = None;
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    async fn try_next(&mut self) -> store::Result<Option<Result<Page, Lost>>> {
        if self.log.has_changed().unwrap_or(false) {
            self.open = None;
        }
        if self.open.is_none() {
            let Some(log) = self.log.borrow_and_update().clone() else { return Ok(None) };
            let bounds = log.bounds().await?;
            self.open = Some(Open { head: log.head(), log, bounds, asked: false });
        }
        let Some(open) = &mut self.open else { return Ok(None) };
        let head_seq = *open.head.borrow_and_update();
        if open.asked && head_seq <= self.after {
            return Ok(None);
        }
        open.asked = true;
        let events = open.log.read(self.after, PAGE_EVENTS).await?;
        let Some((first, last)) = events.first().zip(events.last()).map(|(first, last)| (first.seq, last.seq)) else {
            return Ok(None);
        };
        if first != self.after + 1 {
            open.bounds = open.log.bounds().await?;
            return Ok(Some(Err(Lost::Expired { floor_seq: open.bounds.floor_seq })));
        }
        self.after = last;
        let LogBounds { epoch, floor_seq, .. } = open.bounds;
        Ok(Some(Ok(Page { epoch, floor_seq, head_seq: head_seq.max(last), events })))
    }

    async fn wait(&mut self) {
        let registry = async {
            // A registry that is gone brings no other log any more.
            if self.log.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let Some(open) = &mut self.open else { return registry.await };
        tokio::select! {
            biased;
            changed = open.head.changed() => if changed.is_err() { tokio::time::sleep(POLL).await },
            () = registry => self.open = None,
            () = tokio::time::sleep(POLL) => open.asked = false,
        }
    }
}
