//! The main job as a story: a visitor becomes a customer, buys, complains, is heard and comes back. It is
//! told through the gateway over gRPC, the same in the demo and in the tests of both modes.

mod acts;
mod narrate;
mod transcript;
mod view;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use client::Karibu;
use proto::karibu::gateway::v1::{CustomerOverview, StartPosition, SubscribeRequest, subscribe_request};

pub use narrate::{Narrator, Printed, Silent};
pub use transcript::{Transcript, normalise};

/// Longest wait for something that travels between services.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Where the story is told.
pub struct Stage<'a> {
    /// The way through the gateway.
    pub client: Karibu,
    /// The gateway's address, for the customer who has no key.
    pub address: String,
    /// Moves business time forward by so many microseconds, everywhere.
    pub advance: Box<dyn Fn(i64) -> anyhow::Result<()> + Send + Sync + 'a>,
    /// Who tells it.
    pub narrator: Arc<dyn Narrator>,
}

/// What the story leaves behind.
#[derive(Debug)]
pub struct Ending {
    /// Every answer, as JSON, in order.
    pub transcript: Transcript,
    /// Every event: log, sequence, type; ordered by log and sequence.
    pub events: Vec<(String, String, String)>,
    /// The 360° view of the customer.
    pub overview: CustomerOverview,
}

/// Tells the whole story; fails at the first thing that is not as it should be.
pub async fn tell(stage: Stage<'_>) -> anyhow::Result<Ending> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = listen(&stage, heard.clone()).await?;
    let mut telling = Telling {
        client: stage.client,
        advance: stage.advance,
        narrator: stage.narrator,
        lines: Transcript::default(),
    };
    let overview = telling.play(&stage.address).await;
    listener.abort();
    let overview = overview?;
    let mut events = heard.lock().unwrap_or_else(PoisonError::into_inner).clone();
    events.sort();
    Ok(Ending { transcript: telling.lines, events, overview })
}

type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

/// Subscribes to all events, as any user of the suite can.
async fn listen(stage: &Stage<'_>, heard: Heard) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let start = Some(subscribe_request::Start::Position(StartPosition::Earliest.into()));
    let request = SubscribeRequest { start, ..SubscribeRequest::default() };
    let mut stream = stage.client.events().subscribe(request).await?.into_inner();
    let narrator = stage.narrator.clone();
    Ok(tokio::spawn(async move {
        while let Ok(Some(batch)) = stream.message().await {
            for event in batch.events {
                narrator.event(&event);
                let sequence = event.attributes.get("sequence").cloned().unwrap_or_default();
                heard.lock().unwrap_or_else(PoisonError::into_inner).push((event.source, sequence, event.r#type));
            }
        }
    }))
}

/// The story while it is told.
pub(crate) struct Telling<'a> {
    pub(crate) client: Karibu,
    pub(crate) advance: Box<dyn Fn(i64) -> anyhow::Result<()> + Send + Sync + 'a>,
    pub(crate) narrator: Arc<dyn Narrator>,
    pub(crate) lines: Transcript,
}

impl Telling<'_> {
    /// Asks again and again until there is an answer to go on with.
    pub(crate) async fn until<T, F>(&self, what: &str, mut look: impl FnMut() -> F) -> anyhow::Result<T>
    where
        F: Future<Output = Result<Option<T>, tonic::Status>>,
    {
        let started = Instant::now();
        let mut last = None;
        while started.elapsed() < PATIENCE {
            match look().await {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => {}
                Err(status) => last = Some(status),
            }
            tokio::time::sleep(PAUSE).await;
        }
        let reason = last.map(|status| format!("; the last answer was {status:?}")).unwrap_or_default();
        anyhow::bail!("waited {PATIENCE:?} for {what}{reason}")
    }
}
