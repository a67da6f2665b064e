//! The stages on which each behaviour is shown: one process on SQLite, and PostgreSQL with a NATS server of its
//! own, of the newest and of the oldest version that is supported.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::{self, Context};
use commit::{DeadLetters, Door, EventLog, LogEvent, MIGRATIONS, Options};
use events::{Backfill, Bus, Names, NatsOptions, Progress, Redrive, RelayState, Source};
use futures_util::future::join_all;
use kernel::Clock;
use store::{Db, Migrations, Options as DbOptions, Sql, Uuid, args};
use tempfile::TempDir;
use testkit::{Authority, Nats, Postgres, PostgresOptions, assert_eventually};
use tokio::sync::{Mutex, watch};

use crate::shop::{self, Entry, Ring, TALLY_MIGRATIONS, TILL_MIGRATIONS, Tally, Till, fresh};

/// Longest wait for anything that must come.
pub const SOON: Duration = Duration::from_secs(30);

pub struct Stage {
    pub name: &'static str,
    folder: TempDir,
    pub postgres: Option<Postgres>,
    pub nats: Option<Nats>,
    /// Authority, certificate and key for a NATS server that takes nobody without.
    papers: Option<[PathBuf; 3]>,
    local: Bus,
    urls: Mutex<HashMap<String, String>>,
    /// The log that backfills are answered from; none = the owner does not answer.
    pub owner: Arc<watch::Sender<Option<EventLog>>>,
}

impl Stage {
    pub fn embedded() -> Self {
        Self::new("embedded", None, None)
    }

    pub async fn newest() -> Self {
        Self::new("newest NATS", Some(Postgres::start().await), Some(Nats::start().await))
    }

    pub async fn oldest() -> Self {
        let options = testkit::NatsOptions { program: Some(Nats::old_program()), ..Default::default() };
        let nats = Nats::start_with(options).await;
        assert!(nats.version().starts_with("2.9."), "the oldest is {}", nats.version());
        Self::new("oldest NATS", Some(Postgres::start().await), Some(nats))
    }

    /// The newest NATS, and a PostgreSQL of one's own that keeps what it has acknowledged.
    pub async fn durable() -> Self {
        let options = PostgresOptions { durable: true, ..PostgresOptions::default() };
        Self::new("durable", Some(Postgres::start_own(options).await), Some(Nats::start().await))
    }

    /// A NATS server that speaks TLS only, and only with who shows a certificate of its authority.
    pub async fn secured() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new("ours"));
        let root = authority.write(&folder.path().join("authority.pem"));
        let server = authority.issue(&["127.0.0.1", "localhost"]).write(folder.path(), "server");
        let client = authority.issue(&["ticketing"]).write(folder.path(), "client");
        let config = format!(
            "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {root:?}, verify: true }}",
            server.certificate, server.key
        );
        let nats = Nats::start_with(testkit::NatsOptions { config, ..Default::default() }).await;
        let mut stage = Self::new("secured NATS", Some(Postgres::start().await), Some(nats));
        stage.papers = Some([root, client.certificate, client.key]);
        // The files are read at every connection.
        stage.folder = folder;
        stage
    }

    fn new(name: &'static str, postgres: Option<Postgres>, nats: Option<Nats>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            name,
            folder,
            postgres,
            nats,
            papers: None,
            local: Bus::local(),
            urls: Mutex::default(),
            owner: Arc::new(watch::channel(None).0),
        }
    }

    pub async fn all() -> Vec<Self> {
        vec![Self::embedded(), Self::newest().await, Self::oldest().await]
    }

    pub async fn with_nats() -> Vec<Self> {
        vec![Self::newest().await, Self::oldest().await]
    }

    /// The address of a database: empty at the first call, the same at each call with this name.
    async fn database(&self, name: &str) -> String {
        let mut urls = self.urls.lock().await;
        if let Some(url) = urls.get(name) {
            return url.clone();
        }
        let url = match &self.postgres {
            Some(postgres) => postgres.database(name).await,
            None => format!("sqlite:{}", self.folder.path().join(format!("{name}.db")).display()),
        };
        urls.insert(name.to_owned(), url.clone());
        url
    }

    /// A bus as a process of its own would have it.
    pub async fn bus(&self) -> Bus {
        let Some(nats) = &self.nats else { return self.local.scope() };
        let owner = self.owner.subscribe();
        let options = NatsOptions {
            urls: vec![nats.url().to_owned()],
            namespace: Some(nats.namespace().to_owned()),
            root_certificates: self.papers.as_ref().map(|[root, ..]| root.clone()),
            certificate: self.papers.as_ref().map(|[_, certificate, key]| (certificate.clone(), key.clone())),
            ..NatsOptions::default()
        };
        Bus::nats(options, Arc::new(move |_: &str| Some(backfill(owner.clone())))).await.unwrap()
    }

    pub fn names(&self) -> Names {
        Names::new(self.nats.as_ref().map(Nats::namespace))
    }

    /// The stream of the till.
    pub fn stream(&self) -> String {
        self.names().stream("till")
    }

    /// A client that is none of ours.
    pub async fn jetstream(&self) -> Context {
        let mut options = async_nats::ConnectOptions::new();
        if let Some([root, certificate, key]) = self.papers.clone() {
            options = options.add_root_certificates(root).add_client_certificate(certificate, key);
        }
        jetstream::new(options.connect(self.nats.as_ref().unwrap().url()).await.unwrap())
    }

    pub async fn till(&self) -> TillApp {
        self.till_on("till", 1).await
    }

    /// A till on another database, whose history is of this epoch.
    pub async fn till_on(&self, database: &str, epoch: i64) -> TillApp {
        let db = open(&self.database(database).await, TILL_MIGRATIONS).await;
        set_epoch(&db, epoch).await;
        TillApp::start(self, db).await
    }

    pub async fn tally(&self) -> TallyApp {
        self.tally_on("tally").await
    }

    pub async fn tally_on(&self, database: &str) -> TallyApp {
        let db = open(&self.database(database).await, TALLY_MIGRATIONS).await;
        TallyApp::start(self, db).await
    }
}

async fn open(url: &str, migrations: Migrations) -> Db {
    // A process that has just ended may not have let go of its file yet.
    let options = DbOptions::new(url, "events-test");
    let db = assert_eventually(SOON, || Db::open(&options)).await;
    db.migrate(&[MIGRATIONS, migrations]).await.unwrap();
    db
}

/// What an operator does after he has restored a database.
pub async fn set_epoch(db: &Db, epoch: i64) {
    let mut conn = db.writer().await.unwrap();
    conn.execute(Sql::same("update log_head set epoch = $1"), args![epoch]).await.unwrap();
}

/// What `LogService.ReadLog` of the owner will be.
fn backfill(owner: watch::Receiver<Option<EventLog>>) -> Backfill {
    Arc::new(move |after, max| {
        let log = owner.borrow().clone();
        Box::pin(async move { Source::of(log.ok_or("the owner is away")?).read(after, max).await })
    })
}

/// A running till.
pub struct TillApp {
    pub db: Db,
    pub door: Door<Till>,
    pub bus: Bus,
    pub relay: watch::Receiver<RelayState>,
    owner: Arc<watch::Sender<Option<EventLog>>>,
}

impl TillApp {
    async fn start(stage: &Stage, db: Db) -> Self {
        let door = commit::start::<Till>(db.clone(), Clock::system(), Options::default()).await.unwrap();
        let bus = stage.bus().await;
        let relay = bus.publish(door.log());
        stage.owner.send_replace(Some(door.log()));
        Self { db, door, bus, relay, owner: stage.owner.clone() }
    }

    /// Rings up `count` amounts in seven baskets, with looks between them; waits until all are acknowledged.
    pub async fn ring(&self, count: usize) {
        let ring = |n: usize| {
            let amount = (!n.is_multiple_of(3)).then_some(1_000 + n as i64);
            self.door.submit(fresh(), Ring(basket(n % 7), amount))
        };
        for done in join_all((0..count).map(ring)).await {
            done.unwrap();
        }
    }

    /// Rings up one amount.
    pub async fn ring_one(&self, basket: Uuid, amount: i64) {
        self.door.submit(fresh(), Ring(basket, Some(amount))).await.unwrap();
    }

    /// The whole log.
    pub async fn events(&self) -> Vec<Arc<LogEvent>> {
        let (log, mut all) = (self.door.log(), Vec::<Arc<LogEvent>>::new());
        loop {
            let after = all.last().map_or(0, |event| event.seq);
            let page = assert_eventually(SOON, || log.read(after, 1_000)).await;
            if page.is_empty() {
                return all;
            }
            all.extend(page);
        }
    }

    /// What a tally of all events holds.
    pub async fn bookings(&self) -> Vec<Entry> {
        self.events().await.iter().filter_map(|event| shop::booking(event)).collect()
    }

    /// Waits until the stream holds the whole log, and compares both.
    pub async fn is_in_stream(&self, stage: &Stage) {
        let events = self.events().await;
        let jetstream = stage.jetstream().await;
        let last = events.last().map_or(0, |event| event.seq.unsigned_abs());
        let mut stream = assert_eventually(SOON, || async {
            let stream = jetstream.get_stream(stage.stream()).await.map_err(|error| error.to_string())?;
            let at = stream.cached_info().state.last_sequence;
            if at == last { Ok(stream) } else { Err(format!("the stream is at {at} of {last}: {:?}", self.relay)) }
        })
        .await;
        let first = stream.info().await.unwrap().state.first_sequence;
        for event in events.iter().filter(|event| event.seq.unsigned_abs() >= first) {
            let message = stream.get_raw_message(event.seq.unsigned_abs()).await.unwrap();
            let id = message.headers.get("ce-id").unwrap().as_str();
            assert_eq!(id, event.event_id.to_string(), "{}: message {}", stage.name, event.seq);
        }
    }

    /// The same till with a relay of its own on another bus.
    pub fn on(self, bus: Bus) -> Self {
        let relay = bus.publish(self.door.log());
        Self { bus, relay, ..self }
    }

    /// Forgets all events below `floor_seq`.
    pub async fn set_floor(&self, floor_seq: i64) {
        let mut conn = self.db.writer().await.unwrap();
        conn.execute(Sql::same("delete from event_log where seq < $1"), args![floor_seq]).await.unwrap();
        conn.execute(Sql::same("update log_head set floor_seq = $1"), args![floor_seq]).await.unwrap();
    }

    /// Ends it as a whole, as if its process had ended.
    pub async fn end(self) {
        let Self { db, door, bus, owner, .. } = self;
        owner.send_replace(None);
        bus.stop().await;
        drop(door);
        db.close().await;
    }
}

pub fn basket(n: usize) -> Uuid {
    Uuid::from_u128(0xba5_0000 + n as u128)
}

/// A running tally.
pub struct TallyApp {
    pub db: Db,
    pub door: Door<Tally>,
    pub bus: Bus,
    pub healed: Arc<AtomicBool>,
    pub progress: watch::Receiver<Progress>,
}

impl TallyApp {
    async fn start(stage: &Stage, db: Db) -> Self {
        let door = commit::start::<Tally>(db.clone(), Clock::system(), Options::default()).await.unwrap();
        let (bus, healed) = (stage.bus().await, Arc::new(AtomicBool::new(false)));
        let mut progress = bus.consume("tally", &["till"], door.clone(), shop::react(healed.clone()));
        Self { db, door, bus, healed, progress: progress.remove(0) }
    }

    /// Waits until exactly `expected` is booked and the cursor stands at `cursor`.
    pub async fn books(&self, stage: &Stage, expected: &[Entry], cursor: i64) {
        assert_eventually(SOON, || async {
            // A pool meets its dead connections one by one after an outage.
            let at = self.door.log().cursor("tally", "till").await.map_err(|error| error.to_string())?;
            let booked = shop::entries(&self.db).await.map_err(|error| error.to_string())?;
            if at.map(|(_, at)| at) == Some(cursor) && booked == expected {
                return Ok(());
            }
            let (name, many, most) = (stage.name, booked.len(), expected.len());
            Err(format!("{name}: cursor {at:?} of {cursor}, {many} of {most} booked, {:?}", *self.progress.borrow()))
        })
        .await;
    }

    /// Waits until all that the till told is booked.
    pub async fn books_all(&self, stage: &Stage, till: &TillApp) {
        let (expected, last) = (till.bookings().await, till.events().await.last().map_or(0, |event| event.seq));
        self.books(stage, &expected, last).await;
    }

    pub fn redrive(&self) -> Redrive<Tally> {
        let react = shop::react(self.healed.clone());
        Redrive::new("tally", DeadLetters::new(self.db.clone()), self.door.clone(), react)
    }

    pub fn heal(&self) {
        self.healed.store(true, Ordering::SeqCst);
    }

    pub async fn end(self) {
        let Self { db, door, bus, .. } = self;
        bus.stop().await;
        drop(door);
        db.close().await;
    }
}
