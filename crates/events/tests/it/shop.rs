//! The two services of these tests: a till that rings up baskets, and a tally that books them exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use commit::{
    Aggregate, Append, Corrupt, Cx, DomainEvent, Effect, Log, LogEvent, Service, Slot, Stop, Submission, Verb, ensure,
};
use events::{Poison, React};
use store::{Conn, Db, Kind, Migration, Migrations, OnConflict, Rows, Sql, Table, Uuid};

pub const TILL_MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_till",
        postgres: "create table basket (id uuid primary key, version bigint not null);",
        sqlite: "create table basket (id blob primary key, version integer not null) strict;",
    }],
};

pub const TALLY_MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_tally",
        postgres: "create table total (id uuid primary key, version bigint not null, amount bigint not null,
                     seen bigint not null);
                   create table entry (seq bigint primary key, basket uuid not null, amount bigint not null);",
        sqlite: "create table total (id blob primary key, version integer not null, amount integer not null,
                     seen integer not null) strict;
                 create table entry (seq integer primary key, basket blob not null, amount integer not null) strict;",
    }],
};

/// Rings an amount up: this amount the tally always refuses,
pub const UNLUCKY: i64 = 13;
/// this one it panics at,
pub const PANICS: i64 = 666;
/// and this one its handler takes for poison, until the shop is healed.
pub const POISON: i64 = 999;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Basket {
    id: Uuid,
    version: i64,
}

static BASKET: Table = Table::new("basket", 1, &[("id", Kind::Uuid), ("version", Kind::Int)], OnConflict::Update);

impl Aggregate for Basket {
    const TABLE: &'static Table = &BASKET;
    const TYPE: &'static str = "basket";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version);
    }
    commit::identity!(id, version);
    fn branch(&self) -> Option<Uuid> {
        Some(Uuid::from_u128(0xb))
    }
}

commit::world! { pub struct Counter { pub baskets: Slot<Basket> } }

pub enum TillEvent {
    Rung(i64),
    Looked,
}

impl DomainEvent for TillEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Rung(_) => "basket.rung",
            Self::Looked => "basket.looked",
        }
    }
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Rung(amount) => amount.to_be_bytes().to_vec(),
            Self::Looked => Vec::new(),
        }
    }
}

pub struct Till;

impl Service for Till {
    const NAME: &'static str = "till";
    type World = Counter;
    type Event = TillEvent;
    type Refusal = ();
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

/// Rings an amount up in a basket; no amount: only looks, which means nothing to the tally.
pub struct Ring(pub Uuid, pub Option<i64>);

impl Verb<Till> for Ring {
    type Reply = ();
    fn decide(&self, w: &mut Counter, cx: &mut Cx<'_, Till>) -> Result<(), Stop<()>> {
        if w.baskets.get(self.0)?.is_none() {
            w.baskets.insert(Basket { id: self.0, version: 0 });
        }
        if let Some(basket) = w.baskets.edit(self.0)? {
            cx.emit(basket, self.1.map_or(TillEvent::Looked, TillEvent::Rung));
        }
        Ok(())
    }
}

/// What is booked for a basket; `seen` = the version of the last event that was booked.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Total {
    id: Uuid,
    version: i64,
    amount: i64,
    seen: i64,
}

static TOTAL: Table = Table::new(
    "total",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("amount", Kind::Int), ("seen", Kind::Int)],
    OnConflict::Update,
);

impl Aggregate for Total {
    const TABLE: &'static Table = &TOTAL;
    const TYPE: &'static str = "total";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.amount).int(self.seen);
    }
    commit::identity!(id, version);
}

/// One booking. Its key is the event, so that a second effect of one event fails loudly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Entry {
    pub seq: i64,
    pub basket: Uuid,
    pub amount: i64,
}

static ENTRY: Table =
    Table::new("entry", 1, &[("seq", Kind::Int), ("basket", Kind::Uuid), ("amount", Kind::Int)], OnConflict::Fail);

impl Append for Entry {
    const TABLE: &'static Table = &ENTRY;
    fn to_row(&self, row: &mut Rows) {
        row.int(self.seq).uuid(self.basket).int(self.amount);
    }
}

commit::world! { pub struct Book { pub totals: Slot<Total>, pub entries: Log<Entry> } }

pub enum TallyEvent {}

impl DomainEvent for TallyEvent {
    fn kind(&self) -> &'static str {
        match *self {}
    }
    fn encode(&self) -> Vec<u8> {
        match *self {}
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    Unlucky,
    /// A later event of the basket was booked before.
    OutOfOrder,
}

pub struct Tally;

impl Service for Tally {
    const NAME: &'static str = "tally";
    type World = Book;
    type Event = TallyEvent;
    type Refusal = Refusal;
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

/// Books one event.
pub struct BookIt {
    entry: Entry,
    version: i64,
    healed: bool,
}

impl Verb<Tally> for BookIt {
    type Reply = ();
    fn decide(&self, w: &mut Book, _: &mut Cx<'_, Tally>) -> Result<(), Stop<Refusal>> {
        let Entry { basket, amount, .. } = self.entry;
        ensure!(self.healed || amount != UNLUCKY, Refusal::Unlucky);
        assert!(self.healed || amount != PANICS, "a defect in a verb");
        if w.totals.get(basket)?.is_none() {
            w.totals.insert(Total { id: basket, version: 0, amount: 0, seen: 0 });
        }
        if let Some(total) = w.totals.edit(basket)? {
            ensure!(self.version > total.seen, Refusal::OutOfOrder);
            (total.seen, total.amount) = (self.version, total.amount + amount);
        }
        w.entries.push(self.entry.clone());
        Ok(())
    }
}

/// The handler of the tally; `healed` says that the defects are mended.
pub fn react(healed: Arc<AtomicBool>) -> React<Tally> {
    events::react(move |event: &LogEvent| {
        if event.kind != "karibu.till.basket.rung.v1" {
            return Ok(None);
        }
        let healed = healed.load(Ordering::SeqCst);
        let entry = booking(event).ok_or_else(|| Poison::new("the payload does not decode"))?;
        if entry.amount == POISON && !healed {
            return Err(Poison::new("an amount that nobody understands"));
        }
        Ok(Some(Effect::of(BookIt { entry, version: event.aggregate_version, healed })))
    })
}

/// What the tally should book for an event.
pub fn booking(event: &LogEvent) -> Option<Entry> {
    let amount = i64::from_be_bytes(event.payload.as_ref().try_into().ok()?);
    Some(Entry { seq: event.seq, basket: event.aggregate_id, amount })
}

/// Everything that is booked, in the order of events.
pub async fn entries(db: &Db) -> store::Result<Vec<Entry>> {
    db.fetch_all(Sql::same("select seq, basket, amount from entry order by seq"), &[]).await
}

/// Every total: basket, version, amount and the last version seen.
pub async fn totals(db: &Db) -> Vec<(Uuid, i64, i64, i64)> {
    db.fetch_all(Sql::same("select id, version, amount, seen from total order by id"), &[]).await.unwrap()
}

pub fn fresh() -> Submission {
    Submission {
        key: Uuid::now_v7(),
        fingerprint: 0,
        until: Instant::now() + Duration::from_secs(60),
        by: Arc::from("tester"),
        trace: Some(Arc::from("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")),
        cause: None,
    }
}
