//! The services of the simulation: a till that rings amounts up and reminds, and a tally that books what the till told.

use std::time::Duration;

use commit::{
    Aggregate, Answer, Append, Corrupt, Cx, DomainEvent, Effect, Log, LogEvent, Missing, Room, Service, Slot, Stop,
    Verb,
};
use store::{Conn, Kind, Migration, Migrations, OnConflict, Rows, Table, Uuid};

use crate::consumer::{Poison, React};

pub(crate) const TILL_MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_till",
        postgres: "",
        sqlite: "create table basket (id blob primary key, version integer not null, amount integer not null) strict;
                 create table reminder (id blob primary key, version integer not null, due_at_us integer not null,
                     fired integer not null) strict;",
    }],
};

pub(crate) const TALLY_MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_tally",
        postgres: "",
        sqlite: "create table total (id blob primary key, version integer not null, amount integer not null,
                     seen integer not null) strict;
                 create table entry (id blob primary key, seq integer not null, amount integer not null) strict;",
    }],
};

/// A room that holds the transaction open for a while, as slow statements do.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    asked_ms: Option<u64>,
    passed: bool,
}

impl Pace {
    fn pass(&mut self, ms: u64) -> Result<(), Missing> {
        if self.passed || ms == 0 {
            return Ok(());
        }
        self.asked_ms = Some(ms.max(self.asked_ms.unwrap_or_default()));
        Err(Missing)
    }
}

impl Room for Pace {
    fn is_missing(&self) -> bool {
        self.asked_ms.is_some()
    }
    async fn load(&mut self, _: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        if let Some(ms) = self.asked_ms.take() {
            super::port::pass(Duration::from_millis(ms)).await;
            self.passed = true;
        }
        Ok(Ok(()))
    }
    fn settle(&mut self) {
        *self = Self::default();
    }
    fn keep(&mut self) {}
    fn drop_drafts(&mut self) {}
    fn forgo(&mut self) {
        self.asked_ms = None;
    }
    fn rows(&self, _: &mut Vec<Rows>) {}
}

/// What was rung up in one basket.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Basket {
    id: Uuid,
    version: i64,
    amount: i64,
}

static BASKET: Table =
    Table::new("basket", 1, &[("id", Kind::Uuid), ("version", Kind::Int), ("amount", Kind::Int)], OnConflict::Update);

impl Aggregate for Basket {
    const TABLE: &'static Table = &BASKET;
    const TYPE: &'static str = "basket";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.amount);
    }
    commit::identity!(id, version);
}

/// Something that falls due once.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Reminder {
    id: Uuid,
    version: i64,
    due_at_us: i64,
    fired: i64,
}

static REMINDER: Table = Table::new(
    "reminder",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("due_at_us", Kind::Int), ("fired", Kind::Int)],
    OnConflict::Update,
);

impl Aggregate for Reminder {
    const TABLE: &'static Table = &REMINDER;
    const TYPE: &'static str = "reminder";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.due_at_us).int(self.fired);
    }
    commit::identity!(id, version);
}

commit::world! {
    /// What the till knows.
    pub(crate) struct Counter {
        pub(crate) pace: Pace,
        pub(crate) baskets: Slot<Basket>,
        pub(crate) reminders: Slot<Reminder>,
    }
}

/// What the till tells.
pub(crate) enum TillEvent {
    /// An amount, and which command of the plan rang it up.
    Rung {
        amount: i64,
        command: u64,
    },
    /// Means nothing to the tally.
    Set,
    Fired,
}

impl DomainEvent for TillEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Rung { .. } => RUNG,
            Self::Set => "reminder.set",
            Self::Fired => "reminder.fired",
        }
    }
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Rung { amount, command } => [amount.to_be_bytes(), command.to_be_bytes()].concat(),
            Self::Set | Self::Fired => Vec::new(),
        }
    }
}

const RUNG: &str = "basket.rung";
/// The full type of what is booked.
pub(crate) const RUNG_KIND: &str = "karibu.till.basket.rung.v1";
/// The full type of a reminder that has fired.
pub(crate) const FIRED_KIND: &str = "karibu.till.reminder.fired.v1";

#[derive(Debug)]
pub(crate) struct Till;

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

/// The amount in a basket, as the caller is told.
pub(crate) struct Standing(i64);

impl Answer for Standing {
    type Wire = i64;
    fn to_wire(&self) -> i64 {
        self.0
    }
}

/// Rings an amount up. A negative amount that the basket does not hold is refused.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    pub(crate) basket: Uuid,
    pub(crate) amount: i64,
    pub(crate) command: u64,
    pub(crate) takes_ms: u64,
}

impl Verb<Till> for Ring {
    type Reply = Standing;
    fn decide(&self, w: &mut Counter, cx: &mut Cx<'_, Till>) -> Result<Standing, Stop<()>> {
        w.pace.pass(self.takes_ms)?;
        if w.baskets.get(self.basket)?.is_none() {
            w.baskets.insert(Basket { id: self.basket, version: 0, amount: 0 });
        }
        let Some(basket) = w.baskets.edit(self.basket)? else { return Err(Stop::Refused(())) };
        commit::ensure!(basket.amount + self.amount >= 0, ());
        basket.amount += self.amount;
        let standing = Standing(basket.amount);
        cx.emit(basket, TillEvent::Rung { amount: self.amount, command: self.command });
        Ok(standing)
    }
}

/// Sets a reminder.
#[derive(Clone, Debug)]
pub(crate) struct SetReminder {
    pub(crate) id: Uuid,
    pub(crate) due_at_us: i64,
}

impl Verb<Till> for SetReminder {
    type Reply = Standing;
    fn decide(&self, w: &mut Counter, cx: &mut Cx<'_, Till>) -> Result<Standing, Stop<()>> {
        let mut reminder = Reminder { id: self.id, version: 0, due_at_us: self.due_at_us, fired: 0 };
        cx.emit(&mut reminder, TillEvent::Set);
        w.reminders.insert(reminder);
        Ok(Standing(self.due_at_us))
    }
}

/// What the timer asks for; the verb finds out whether anything is still due.
#[derive(Clone, Debug)]
pub(crate) struct Remind {
    pub(crate) id: Uuid,
    /// Sabotage: it does not look.
    pub(crate) blindly: bool,
}

impl Verb<Till> for Remind {
    type Reply = ();
    fn decide(&self, w: &mut Counter, cx: &mut Cx<'_, Till>) -> Result<(), Stop<()>> {
        let Some(reminder) = w.reminders.edit(self.id)? else { return Ok(()) };
        if self.blindly || reminder.fired == 0 && reminder.due_at_us <= cx.now_us {
            reminder.fired = 1;
            cx.emit(reminder, TillEvent::Fired);
        }
        Ok(())
    }
}

/// What is booked for a basket; `seen` = the version of the last event that was booked.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(crate) struct Total {
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

/// One booking. Its key is its own, so that nothing but the cursor keeps an event from being booked twice.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    id: Uuid,
    seq: i64,
    amount: i64,
}

static ENTRY: Table =
    Table::new("entry", 1, &[("id", Kind::Uuid), ("seq", Kind::Int), ("amount", Kind::Int)], OnConflict::Fail);

impl Append for Entry {
    const TABLE: &'static Table = &ENTRY;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.seq).int(self.amount);
    }
}

commit::world! {
    /// What the tally knows.
    pub(crate) struct Book {
        pub(crate) pace: Pace,
        pub(crate) totals: Slot<Total>,
        pub(crate) entries: Log<Entry>,
    }
}

/// The tally tells nothing.
pub(crate) enum TallyEvent {}

impl DomainEvent for TallyEvent {
    fn kind(&self) -> &'static str {
        match *self {}
    }
    fn encode(&self) -> Vec<u8> {
        match *self {}
    }
}

#[derive(Debug)]
pub(crate) struct Tally;

impl Service for Tally {
    const NAME: &'static str = "tally";
    type World = Book;
    type Event = TallyEvent;
    type Refusal = ();
    type Settings = ();
    async fn settings(_: &mut Conn) -> store::Result<()> {
        Ok(())
    }
}

/// Books one event; it takes its sequence modulo so many milliseconds.
struct Booking {
    seq: i64,
    basket: Uuid,
    version: i64,
    amount: i64,
}

/// A booking takes up to so many milliseconds.
const SLOWEST_MS: u64 = 4;

impl Verb<Tally> for Booking {
    type Reply = ();
    fn decide(&self, w: &mut Book, cx: &mut Cx<'_, Tally>) -> Result<(), Stop<()>> {
        w.pace.pass(self.seq.unsigned_abs() % SLOWEST_MS)?;
        if w.totals.get(self.basket)?.is_none() {
            w.totals.insert(Total { id: self.basket, version: 0, amount: 0, seen: 0 });
        }
        let Some(total) = w.totals.edit(self.basket)? else { return Err(Stop::Refused(())) };
        (total.seen, total.amount) = (self.version, total.amount + self.amount);
        w.entries.push(Entry { id: cx.new_id(), seq: self.seq, amount: self.amount });
        Ok(())
    }
}

/// The handler of the tally; a sabotaged one leaves out one event in eight.
pub(crate) fn react(leaves_out: bool) -> React<Tally> {
    std::sync::Arc::new(move |event: &LogEvent| {
        if event.kind != RUNG_KIND || leaves_out && event.seq % 8 == 0 {
            return Ok(None);
        }
        let (amount, _) = rung(event).ok_or_else(|| Poison::new("the payload does not decode"))?;
        let (seq, basket, version) = (event.seq, event.aggregate_id, event.aggregate_version);
        Ok(Some(Effect::of(Booking { seq, basket, version, amount })))
    })
}

/// The amount that an event is about, and the command of the plan behind it.
pub(crate) fn rung(event: &LogEvent) -> Option<(i64, u64)> {
    let (amount, command) = event.payload.split_at_checked(8)?;
    Some((i64::from_be_bytes(amount.try_into().ok()?), u64::from_be_bytes(command.try_into().ok()?)))
}
