//! A consumer with durable effects: one point for every complaint that was opened, on the account of its customer.

use commit::{Aggregate, Append, Corrupt, Cx, DomainEvent, Log, LogEvent, Service, Slot, Stop, Verb};
use store::{Conn, Kind, Migration, Migrations, OnConflict, Rows, Table, Uuid};

use crate::sql;

/// The tables.
pub(crate) const MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration { name: "0001_points", postgres: sql::POINTS_POSTGRES, sqlite: sql::POINTS_POSTGRES }],
};

/// The points of a customer.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Account {
    id: Uuid,
    version: i64,
    balance: i64,
}

static ACCOUNT: Table =
    Table::new("account", 1, &[("id", Kind::Uuid), ("version", Kind::Int), ("balance", Kind::Int)], OnConflict::Update);

impl Aggregate for Account {
    const TABLE: &'static Table = &ACCOUNT;
    const TYPE: &'static str = "account";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.balance);
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
    fn customer(&self) -> Option<Uuid> {
        Some(self.id)
    }
}

/// One booking.
#[derive(Debug)]
pub(crate) struct Booking {
    account_id: Uuid,
    version: i64,
    points: i64,
    cause: Uuid,
    at_us: i64,
}

static BOOKING: Table = Table::new(
    "booking",
    2,
    &[
        ("account_id", Kind::Uuid),
        ("version", Kind::Int),
        ("points", Kind::Int),
        ("cause", Kind::Uuid),
        ("at_us", Kind::Int),
    ],
    OnConflict::Fail,
);

impl Append for Booking {
    const TABLE: &'static Table = &BOOKING;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.account_id).int(self.version).int(self.points).uuid(self.cause).int(self.at_us);
    }
}

commit::world! {
    /// What the verb works on.
    pub(crate) struct World {
        accounts: Slot<Account>,
        bookings: Log<Booking>,
    }
}

/// It tells nobody.
#[derive(Debug)]
pub(crate) enum Event {}

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match *self {}
    }
    fn encode(&self) -> Vec<u8> {
        match *self {}
    }
}

/// The service.
#[derive(Debug)]
pub(crate) struct Points;

impl Service for Points {
    const NAME: &'static str = "points";
    type World = World;
    type Event = Event;
    type Refusal = ();
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

struct Book {
    customer: Uuid,
    cause: Uuid,
}

impl Verb<Points> for Book {
    type Reply = ();
    fn decide(&self, w: &mut World, cx: &mut Cx<'_, Points>) -> Result<(), Stop<()>> {
        let account = match w.accounts.get(self.customer)? {
            Some(_) => w.accounts.edit(self.customer)?.ok_or(Stop::Refused(()))?,
            None => w.accounts.insert(Account { id: self.customer, version: 0, balance: 0 }),
        };
        account.balance += 1;
        let (account_id, version) = (self.customer, account.version + 1);
        w.bookings.push(Booking { account_id, version, points: 1, cause: self.cause, at_us: cx.now_us });
        Ok(())
    }
}

/// From an event of the desk to what it means here.
pub(crate) fn react(event: &LogEvent) -> Result<Option<commit::Effect<Points>>, events::Poison> {
    let book = event.customer_id.map(|customer| Book { customer, cause: event.event_id });
    Ok(book.filter(|_| event.kind == "karibu.desk.complaint.opened.v1").map(commit::Effect::of))
}
