//! The bus as a service sees it: publish my log, consume the logs of the others, tail one. The same face over
//! the logs of one process and over NATS.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use commit::{Door, Effect, EventLog, LogEvent, Service};
use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chance::Chance;
use crate::consumer::{ConsumerOptions, Poison, React, Runner};
use crate::link::Link;
use crate::names::Names;
use crate::nats::{ConnectError, Connection, NatsOptions};
use crate::progress::Progress;
use crate::reader::Lost;
use crate::relay::{Relay, RelayPhase, RelayState};
use crate::source::{Backfill, Source};
use crate::stream::StreamSource;

/// Gives the way to the owner of a log by the log's name; `None` when there is none.
pub type BackfillOf = Arc<dyn Fn(&str) -> Option<Backfill> + Send + Sync>;

/// The bus. Cheap to clone; all clones stop together, see [`Bus::scope`].
#[derive(Clone)]
pub struct Bus {
    mode: Mode,
    stop: CancellationToken,
    tasks: TaskTracker,
}

#[derive(Clone)]
enum Mode {
    Local(Arc<Registry>),
    Nats(Arc<Nats>),
}

/// The logs of this process by name; a log may be asked for before it is there.
#[derive(Default)]
struct Registry(Mutex<HashMap<String, watch::Sender<Option<EventLog>>>>);

struct Nats {
    link: Link,
    names: Names,
    options: NatsOptions,
    backfill: BackfillOf,
}

impl std::fmt::Debug for Bus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_local() { "Bus(local)" } else { "Bus(nats)" })
    }
}

impl Bus {
    /// The bus within one process: sources are the logs themselves, resolved by name when they appear.
    pub fn local() -> Self {
        Self::over(Mode::Local(Arc::default()))
    }

    /// The bus over NATS. Does not wait for the server: what is published or read waits for it in the background.
    /// `backfill` leads to the owners of the logs, for what the streams lack.
    pub async fn nats(options: NatsOptions, backfill: BackfillOf) -> Result<Self, ConnectError> {
        let link = Link::Nats(Arc::new(Connection::connect(&options).await?));
        let names = Names::new(options.namespace.as_deref());
        Ok(Self::over(Mode::Nats(Arc::new(Nats { link, names, options, backfill }))))
    }

    fn over(mode: Mode) -> Self {
        Self { mode, stop: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// A part of this bus that can be stopped on its own, such as all that one service does in a suite. It
    /// ends with the whole.
    pub fn scope(&self) -> Self {
        Self { mode: self.mode.clone(), stop: self.stop.child_token(), tasks: TaskTracker::new() }
    }

    /// Whether this is the bus within one process.
    pub const fn is_local(&self) -> bool {
        matches!(self.mode, Mode::Local(_))
    }

    /// Whether the bus is connected; always so within one process. Readiness must not hang on it.
    pub fn is_connected(&self) -> bool {
        match &self.mode {
            Mode::Local(_) => true,
            Mode::Nats(nats) => nats.link.is_connected(),
        }
    }

    /// Makes `log` readable for the others, until the bus stops: starts its relay, or registers it by its
    /// name. Call it once for each log. The state tells how the relay does.
    pub fn publish(&self, log: EventLog) -> watch::Receiver<RelayState> {
        match &self.mode {
            Mode::Local(registry) => {
                let name = log.name();
                registry.set(name, Some(log));
                let (registry, stop) = (registry.clone(), self.stop.clone());
                self.tasks.spawn(async move {
                    stop.cancelled().await;
                    registry.set(name, None);
                });
                watch::channel(RelayState::new(RelayPhase::Local)).1
            }
            Mode::Nats(nats) => {
                let (state, watcher) = watch::channel(RelayState::new(RelayPhase::Resyncing));
                let relay = Relay {
                    stream: nats.names.stream(log.name()),
                    log,
                    names: nats.names.clone(),
                    link: nats.link.clone(),
                    replicas: nats.options.replicas,
                    max_age: nats.options.max_age,
                    state,
                    stop: self.stop.clone(),
                };
                self.tasks.spawn(relay.run());
                watcher
            }
        }
    }

    /// The log called `name`, such as `ticketing`.
    pub fn source(&self, name: &str) -> Source {
        match &self.mode {
            Mode::Local(registry) => Source::local(name, registry.watch(name)),
            Mode::Nats(nats) => Source::stream(
                name,
                StreamSource {
                    log: name.to_owned(),
                    stream: nats.names.stream(name),
                    link: nats.link.clone(),
                    owner: (nats.backfill)(name),
                },
            ),
        }
    }

    /// Runs `consumer` over each of `sources` until the bus stops: every event goes through `react`, and what
    /// it gives takes effect exactly once, in order for each source. The states stand in the order of `sources`.
    ///
    /// ```ignore
    /// let react: React<Loyalty> = Arc::new(events::react);
    /// bus.consume("loyalty", &["customer-profile", "ticketing"], door.clone(), react.clone());
    /// let dead_letters = Redrive::new("loyalty", DeadLetters::new(db), door, react);
    /// ```
    pub fn consume<S: Service>(
        &self,
        consumer: &'static str,
        sources: &[&str],
        door: Door<S>,
        react: React<S>,
    ) -> Vec<watch::Receiver<Progress>> {
        self.consume_with(ConsumerOptions::default(), consumer, sources, door, react)
    }

    /// [`Bus::consume`] with options of one's own.
    pub fn consume_with<S: Service>(
        &self,
        options: ConsumerOptions,
        consumer: &'static str,
        sources: &[&str],
        door: Door<S>,
        react: React<S>,
    ) -> Vec<watch::Receiver<Progress>> {
        let run = |name: &&str| {
            let (progress, watcher) = watch::channel(Progress::new(consumer, name));
            let source = self.source(name);
            let (door, react, chance) = (door.clone(), react.clone(), Chance::Thread);
            let runner = Runner { consumer, source, door, react, options, progress, chance };
            self.tasks.spawn(runner.run(self.stop.clone()));
            watcher
        };
        sources.iter().map(run).collect()
    }

    /// The events of a log behind `after`, for ever and in order, without a database: for subscriptions. Ends
    /// with an error when the next event is no longer kept. Whoever needs epochs or batches takes
    /// `bus.source(name).reader(after)`.
    pub fn tail(&self, name: &str, after: i64) -> impl Stream<Item = Result<Arc<LogEvent>, Lost>> + Send + use<> {
        let reader = self.source(name).reader(after);
        stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await {
                Ok(page) => Some((stream::iter(page.events.into_iter().map(Ok).collect::<Vec<_>>()), Some(reader))),
                Err(lost) => Some((stream::iter(vec![Err(lost)]), None)),
            }
        })
        .flatten()
    }

    /// Stops all that was started on this bus or this scope, and waits for its end. What was on its way into
    /// the database ends there or is done again after the next start.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Registry {
    fn set(&self, name: &str, log: Option<EventLog>) {
        self.with(name, |sender| sender.send_replace(log));
    }

    fn watch(&self, name: &str) -> watch::Receiver<Option<EventLog>> {
        self.with(name, |sender| {
            let mut watcher = sender.subscribe();
            watcher.mark_changed();
            watcher
        })
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&watch::Sender<Option<EventLog>>) -> T) -> T {
        let mut logs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(logs.entry(name.to_owned()).or_insert_with(|| watch::channel(None).0))
    }
}

/// For callers that have a plain function: `react(events::react)`.
pub fn react<S: Service>(
    function: impl Fn(&LogEvent) -> Result<Option<Effect<S>>, Poison> + Send + Sync + 'static,
) -> React<S> {
    Arc::new(function)
}
