//! A service's log as its peers read it, and its dead letters as operators treat them: over a real write path.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use commit::{
    Advance, Aggregate, Corrupt, Cx, DeadLetters, DomainEvent, Door, Effect, LogEvent, Slot, Submission, Verb,
};
use events::{Poison, React, Redrive};
use kernel::{BranchScope, Clock};
use proto::Permission;
use proto::karibu::events::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::karibu::events::v1::log_service_client::LogServiceClient;
use proto::karibu::events::v1::{
    DeadLetterState, DiscardDeadLettersRequest, ListDeadLettersRequest, ReadLogRequest, RedriveDeadLettersRequest,
};
use server::auth::{Kind, PermissionSet, Principal};
use server::hop::Acting;
use server::{House, Process, Stop};
use store::{Conn, Db, Migration, Migrations, OnConflict, Rows, Table, Uuid};
use tonic::Code;
use tonic_types::StatusExt;

use crate::fixture::{dial_to, settings};

const TABLES: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_jar",
        postgres: "create table jar (id uuid primary key, version bigint not null);",
        sqlite: "create table jar (id blob primary key, version integer not null) strict;",
    }],
};

/// A jar that notes each cookie.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Jar {
    id: Uuid,
    version: i64,
}

static JAR: Table =
    Table::new("jar", 1, &[("id", store::Kind::Uuid), ("version", store::Kind::Int)], OnConflict::Update);

impl Aggregate for Jar {
    const TABLE: &'static Table = &JAR;
    const TYPE: &'static str = "jar";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version);
    }
    commit::identity!(id, version);
}

commit::world! { pub struct Pantry { pub jars: Slot<Jar> } }

struct CookieAdded;

impl DomainEvent for CookieAdded {
    fn kind(&self) -> &'static str {
        "cookie.added"
    }
    fn encode(&self) -> Vec<u8> {
        vec![7; 100]
    }
}

struct Kitchen;

impl commit::Service for Kitchen {
    const NAME: &'static str = "kitchen";
    type World = Pantry;
    type Event = CookieAdded;
    type Refusal = ();
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

struct AddCookie(Uuid);

impl Verb<Kitchen> for AddCookie {
    type Reply = ();
    fn decide(&self, world: &mut Pantry, cx: &mut Cx<'_, Kitchen>) -> Result<(), commit::Stop<()>> {
        if world.jars.get(self.0)?.is_none() {
            world.jars.insert(Jar { id: self.0, version: 0 });
        }
        if let Some(jar) = world.jars.edit(self.0)? {
            cx.emit(jar, CookieAdded);
        }
        Ok(())
    }
}

async fn add(door: &Door<Kitchen>, jar: Uuid) {
    let until = Instant::now() + Duration::from_secs(30);
    let submission =
        Submission { key: Uuid::now_v7(), fingerprint: 0, until, by: "test".into(), trace: None, cause: None };
    door.submit(submission, AddCookie(jar)).await.unwrap();
}

/// A kitchen in a process, and the ways to it.
struct Running {
    door: Door<Kitchen>,
    house: House,
    address: std::net::SocketAddr,
    healed: Arc<AtomicBool>,
    leave: Stop,
    served: tokio::task::JoinHandle<server::Drained>,
    _folder: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let house = House::embedded(Clock::system()).unwrap();
        let kit = house.kit("kitchen", format!("sqlite:{}", folder.path().join("kitchen.db").display()));
        let db: Db = kit.open_database().await.unwrap();
        db.migrate(&[commit::MIGRATIONS, TABLES]).await.unwrap();
        let door = commit::start::<Kitchen>(db.clone(), kit.clock.clone(), commit::Options::default()).await.unwrap();
        kit.publish(&door);
        let healed = Arc::new(AtomicBool::new(false));
        let well = healed.clone();
        let react: React<Kitchen> = Arc::new(move |event: &LogEvent| {
            if well.load(Ordering::SeqCst) {
                Ok(Some(Effect::of(AddCookie(event.aggregate_id))))
            } else {
                Err(Poison::new("does not taste"))
            }
        });
        let redrive = Redrive::new("kitchen", DeadLetters::new(db), door.clone(), react);
        let started = kit
            .routes()
            .with(server::log_service(door.log()))
            .with(server::dead_letter_service("kitchen", &["farm", "mill"], redrive))
            .started(|| async { Ok(()) });
        let scrape = server::telemetry::Scrape::default();
        let process = Process::bind(&settings(&[]), house.clone(), scrape).await.unwrap();
        let (address, leave) = (process.address, Stop::new());
        let served = tokio::spawn(process.serve(vec![started], leave.clone().cancelled_owned()));
        Self { door, house, address, healed, leave, served, _folder: folder }
    }

    fn acting_as(&self, principal: Principal) -> Acting {
        let minter = self.house.minter.clone().unwrap();
        dial_to(&self.house, "kitchen", self.address).acting_as(principal, minter, "kitchen")
    }

    fn logs(&self) -> LogServiceClient<Acting> {
        LogServiceClient::new(self.acting_as(Principal::system("reader")))
    }

    fn operator(&self) -> DeadLetterServiceClient<Acting> {
        let permissions = PermissionSet::from_iter([Permission::EventAdmin]);
        let operator = Principal { subject: "staff-9".into(), kind: Kind::Staff, permissions, scope: BranchScope::All };
        DeadLetterServiceClient::new(self.acting_as(operator))
    }

    /// Parks `events` of `jar` as they would come from the log `source`.
    async fn park(&self, source: &str, jar: Uuid, seqs: std::ops::RangeInclusive<i64>) {
        for seq in seqs {
            let advance =
                Advance { consumer: "kitchen", source_log: source.to_owned(), epoch: 1, from_seq: seq, to_seq: seq };
            let event = LogEvent {
                seq,
                event_id: Uuid::now_v7(),
                kind: format!("karibu.{source}.egg.laid.v1"),
                aggregate_type: "hen".to_owned(),
                aggregate_id: jar,
                aggregate_version: seq,
                branch_id: None,
                customer_id: None,
                occurred_at_us: 1,
                recorded_at_us: 2,
                trace_context: None,
                payload: vec![1].into(),
            };
            self.door.park(advance, Arc::new(event), "does not taste".to_owned()).await.unwrap();
        }
    }

    async fn end(self) {
        self.leave.cancel();
        self.served.await.unwrap();
    }
}

#[tokio::test]
async fn a_peer_reads_the_whole_log_in_order_page_by_page() {
    let running = Running::start().await;
    let jar = Uuid::from_u128(1);
    for _ in 0..25 {
        add(&running.door, jar).await;
    }
    let mut logs = running.logs();
    let mut seqs = Vec::new();
    loop {
        let after_seq = seqs.last().copied().unwrap_or_default();
        let ask = ReadLogRequest { after_seq, max_events: 10, epoch: 1, ..Default::default() };
        let page = logs.read_log(ask).await.unwrap().into_inner();
        assert_eq!((page.head_seq, page.floor_seq, page.epoch, page.log_id.as_str()), (25, 1, 1, "kitchen"));
        if page.events.is_empty() {
            break;
        }
        assert_eq!(page.events[0].r#type, "karibu.kitchen.cookie.added.v1");
        assert_eq!(page.events[0].payload.as_ref(), [7; 100]);
        seqs.extend(page.events.iter().map(|event| event.seq));
    }
    assert_eq!(seqs, (1..=25).collect::<Vec<_>>());

    let refused = |ask| {
        let mut logs = logs.clone();
        async move { logs.read_log(ask).await.unwrap_err() }
    };
    let wrong_epoch = refused(ReadLogRequest { epoch: 9, ..Default::default() }).await;
    assert_eq!(wrong_epoch.code(), Code::FailedPrecondition);
    assert_eq!(wrong_epoch.get_details_error_info().unwrap().reason, "LOG_EPOCH_CHANGED");
    assert_eq!(refused(ReadLogRequest { log_id: "pantry".into(), ..Default::default() }).await.code(), Code::NotFound);
    let negative = refused(ReadLogRequest { after_seq: -1, ..Default::default() }).await;
    assert_eq!(negative.code(), Code::InvalidArgument);
    assert_eq!(negative.get_details_bad_request().unwrap().field_violations[0].field, "after_seq");

    let almighty = Principal { kind: Kind::Key, ..Principal::system("thief") };
    let mut stranger = LogServiceClient::new(running.acting_as(almighty));
    assert_eq!(stranger.read_log(ReadLogRequest::default()).await.unwrap_err().code(), Code::PermissionDenied);
    running.end().await;
}

#[tokio::test]
async fn a_peer_can_wait_for_the_next_event() {
    let running = Running::start().await;
    let jar = Uuid::from_u128(1);
    add(&running.door, jar).await;
    let ask = ReadLogRequest { after_seq: 1, wait_ms: 30_000, ..Default::default() };
    let mut logs = running.logs();
    let waiting = tokio::spawn(async move { logs.read_log(ask).await });
    add(&running.door, jar).await;
    let page = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(page.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [2]);
    // Waiting ends in time for an empty answer, before the deadline of the call.
    let mut request = tonic::Request::new(ReadLogRequest { after_seq: 2, wait_ms: 30_000, ..Default::default() });
    request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    assert!(running.logs().read_log(request).await.unwrap().into_inner().events.is_empty());
    running.end().await;
}

#[tokio::test]
async fn an_operator_lists_redrives_and_discards_dead_letters() {
    let running = Running::start().await;
    let (first, second) = (Uuid::from_u128(11), Uuid::from_u128(12));
    running.park("farm", first, 1..=3).await;
    running.park("mill", second, 1..=2).await;
    let mut operator = running.operator();

    let list = async |page_size, page_token: &str, source: &str| {
        let ask = ListDeadLettersRequest {
            service: "kitchen".into(),
            source_log: source.into(),
            page_size,
            page_token: page_token.into(),
            ..Default::default()
        };
        running.operator().list_dead_letters(ask).await
    };
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = list(2, &token, "").await.unwrap().into_inner();
        seen.extend(page.dead_letters.iter().map(|letter| (letter.source_log.clone(), letter.seq)));
        let letter = &page.dead_letters[0];
        assert_eq!((letter.service.as_str(), letter.state()), ("kitchen", DeadLetterState::Parked));
        assert_eq!((letter.reason.as_str(), letter.detail.as_str()), ("EVENT_NOT_APPLIED", "does not taste"));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let all = [("farm", 1), ("farm", 2), ("farm", 3), ("mill", 1), ("mill", 2)];
    assert_eq!(seen, all.map(|(source, seq)| (source.to_owned(), seq)));
    assert_eq!(list(0, "", "mill").await.unwrap().into_inner().dead_letters.len(), 2);
    let token = list(1, "", "mill").await.unwrap().into_inner().next_page_token;
    assert_eq!(list(1, &token, "farm").await.unwrap_err().code(), Code::InvalidArgument, "a token of another list");

    let redrive = |aggregate: Uuid| RedriveDeadLettersRequest {
        request_id: String::new(),
        service: "kitchen".into(),
        source_log: "farm".into(),
        aggregate_id: aggregate.to_string(),
    };
    let still = operator.redrive_dead_letters(redrive(first)).await.unwrap().into_inner();
    assert_eq!((still.redriven_count, still.remaining_count), (0, 3));
    running.healed.store(true, Ordering::SeqCst);
    let done = operator.redrive_dead_letters(redrive(first)).await.unwrap().into_inner();
    assert_eq!((done.redriven_count, done.remaining_count), (3, 0));
    assert_eq!(running.door.log().bounds().await.unwrap().last_seq, 3, "each took effect once");

    let discard = DiscardDeadLettersRequest {
        request_id: String::new(),
        service: "kitchen".into(),
        source_log: "mill".into(),
        aggregate_id: second.to_string(),
        reason: "stale".into(),
    };
    assert_eq!(operator.discard_dead_letters(discard).await.unwrap().into_inner().discarded_count, 2);
    assert!(list(0, "", "").await.unwrap().into_inner().dead_letters.is_empty());
    running.end().await;
}
