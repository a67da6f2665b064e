//! Services that only write events: real logs, on SQLite, under the names of the contract.

use std::time::{Duration, Instant};

use commit::{Aggregate, Corrupt, Cx, DomainEvent, Door, Service, Slot, Stop, Submission, Verb};
use prost::Message;
use proto::karibu::ticketing::v1::ComplaintOpened;
use store::{Conn, Db, Kind, Migration, Migrations, OnConflict, Rows, Sql, Table, Uuid, args};
use tempfile::TempDir;

const MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_diary",
        postgres: "create table page (id uuid primary key, version bigint not null, branch uuid);",
        sqlite: "create table page (id blob primary key, version integer not null, branch blob) strict;",
    }],
};

#[derive(Clone, Debug)]
pub struct Page {
    id: Uuid,
    version: i64,
    branch: Option<Uuid>,
}

static PAGE: Table =
    Table::new("page", 1, &[("id", Kind::Uuid), ("version", Kind::Int), ("branch", Kind::Uuid)], OnConflict::Update);

impl Aggregate for Page {
    const TABLE: &'static Table = &PAGE;
    const TYPE: &'static str = "complaint";
    type Row = (Uuid, i64, Option<Uuid>);
    fn from_row((id, version, branch): Self::Row) -> Result<Self, Corrupt> {
        Ok(Self { id, version, branch })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).uuid(self.branch);
    }
    fn id(&self) -> Uuid {
        self.id
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
    fn branch(&self) -> Option<Uuid> {
        self.branch
    }
}

commit::world! { pub struct Shelf { pub pages: Slot<Page> } }

pub struct Written(ComplaintOpened);

impl DomainEvent for Written {
    fn kind(&self) -> &'static str {
        "complaint.opened"
    }
    fn encode(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}

/// The writer of one log.
pub struct Diary<const N: usize>;

pub const NAMES: [&str; 5] = ["organization", "profile", "ticketing", "loyalty", "feedback"];

impl<const N: usize> Service for Diary<N> {
    const NAME: &'static str = NAMES[N];
    type World = Shelf;
    type Event = Written;
    type Refusal = ();
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

pub struct Write {
    id: Uuid,
    branch: Option<Uuid>,
}

impl<const N: usize> Verb<Diary<N>> for Write {
    type Reply = ();
    fn decide(&self, w: &mut Shelf, cx: &mut Cx<'_, Diary<N>>) -> Result<(), Stop<()>> {
        w.pages.insert(Page { id: self.id, version: 0, branch: self.branch });
        if let Some(page) = w.pages.edit(self.id)? {
            let opened =
                ComplaintOpened { complaint_id: self.id.to_string(), number: "K-1".into(), ..Default::default() };
            cx.emit(page, Written(opened));
        }
        Ok(())
    }
}

/// One log that can be written.
pub struct Log<const N: usize> {
    pub door: Door<Diary<N>>,
    _folder: TempDir,
}

impl<const N: usize> Log<N> {
    pub async fn open(bus: &events::Bus) -> Self {
        Self::open_at(bus, 1, 1).await
    }

    /// A log in this epoch, of which everything before `floor` is forgotten.
    pub async fn open_at(bus: &events::Bus, epoch: i64, floor: i64) -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("diary.db").display());
        let db = Db::open(&store::Options::new(url, "gateway-test")).await.unwrap();
        db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await.unwrap();
        let mut conn = db.writer().await.unwrap();
        let head = Sql::same("update log_head set epoch = $1, floor_seq = $2, last_seq = $3");
        conn.execute(head, args![epoch, floor, floor - 1]).await.unwrap();
        drop(conn);
        let clock = kernel::Clock::system();
        let door = commit::start::<Diary<N>>(db, clock, commit::Options::default()).await.unwrap();
        bus.publish(door.log());
        Self { door, _folder: folder }
    }

    /// The log as its owner would give it to a peer.
    pub fn backfill(&self) -> events::Backfill {
        let source = events::Source::of(self.door.log());
        std::sync::Arc::new(move |after, max| {
            let source = source.clone();
            Box::pin(async move { source.read(after, max).await })
        })
    }

    /// Writes `count` events of this branch.
    pub async fn write(&self, count: usize, branch: Option<&str>) {
        for _ in 0..count {
            let submission = Submission {
                key: Uuid::now_v7(),
                fingerprint: 0,
                until: Instant::now() + Duration::from_secs(60),
                by: "tester".into(),
                trace: None,
                cause: None,
            };
            let write = Write { id: Uuid::now_v7(), branch: branch.map(|id| id.parse().unwrap()) };
            self.door.submit(submission, write).await.unwrap();
        }
    }
}
