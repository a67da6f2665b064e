//! The service of these tests: accounts with a balance, a name that only one may hold, and a limit as setting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commit::{
    Aggregate, Answer, Append, Claims, Corrupt, Cx, DomainEvent, Erasure, Keys, Log, Service, Slot, Stop, Submission,
    Verb, ensure, refuse,
};
use store::{Conn, Kind, Migration, Migrations, OnConflict, Rows, Sql, Table, Uuid};

use crate::letters::Letter;

pub const MIGRATIONS: Migrations = Migrations {
    base: 1000,
    walls: &[],
    steps: &[Migration {
        name: "0001_bank",
        postgres: "create table account (id uuid primary key, version bigint not null, branch_id uuid not null,
                     balance bigint not null check (balance <> 666), doc jsonb not null);
                   create table entry (id uuid primary key, account_id uuid not null, amount bigint not null);
                   create table letter (id uuid primary key, account_id uuid not null, body bytea not null);
                   create table setting (id uuid primary key, version bigint not null, most bigint not null);
                   insert into setting values ('00000000-0000-0000-0000-000000000001', 1, 1000000);",
        sqlite: "create table account (id blob primary key, version integer not null, branch_id blob not null,
                     balance integer not null check (balance <> 666), doc text not null) strict;
                 create table entry (id blob primary key, account_id blob not null, amount integer not null) strict;
                 create table letter (id blob primary key, account_id blob not null, body blob not null) strict;
                 create table setting (id blob primary key, version integer not null, most integer not null) strict;
                 insert into setting values (x'00000000000000000000000000000001', 1, 1000000);",
    }],
};

#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub id: Uuid,
    pub version: i64,
    pub branch_id: Uuid,
    pub balance: i64,
    pub name: String,
}

#[derive(sqlx::FromRow)]
pub struct AccountRow {
    id: Uuid,
    version: i64,
    branch_id: Uuid,
    balance: i64,
    doc: store::Json<String>,
}

pub static ACCOUNT: Table = Table::new(
    "account",
    1,
    &[
        ("id", Kind::Uuid),
        ("version", Kind::Int),
        ("branch_id", Kind::Uuid),
        ("balance", Kind::Int),
        ("doc", Kind::Json),
    ],
    OnConflict::Update,
);

impl Aggregate for Account {
    const TABLE: &'static Table = &ACCOUNT;
    const TYPE: &'static str = "account";
    type Row = AccountRow;
    fn from_row(row: AccountRow) -> Result<Self, Corrupt> {
        let AccountRow { id, version, branch_id, balance, doc } = row;
        Ok(Self { id, version, branch_id, balance, name: doc.0 })
    }
    fn to_row(&self, row: &mut Rows) {
        let doc = format!("{:?}", self.name);
        row.uuid(self.id).int(self.version).uuid(self.branch_id).int(self.balance).text(doc.as_str());
    }
    commit::identity!(id, version, branch: branch_id);
}

#[derive(Debug)]
pub struct Entry {
    pub id: Uuid,
    pub account_id: Uuid,
    pub amount: i64,
}

static ENTRY: Table =
    Table::new("entry", 1, &[("id", Kind::Uuid), ("account_id", Kind::Uuid), ("amount", Kind::Int)], OnConflict::Fail);

impl Append for Entry {
    const TABLE: &'static Table = &ENTRY;
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).uuid(self.account_id).int(self.amount);
    }
}

/// The one setting: the most that an account may hold.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Setting {
    pub id: Uuid,
    pub version: i64,
    pub most: i64,
}

static SETTING: Table =
    Table::new("setting", 1, &[("id", Kind::Uuid), ("version", Kind::Int), ("most", Kind::Int)], OnConflict::Update);

impl Aggregate for Setting {
    const TABLE: &'static Table = &SETTING;
    const TYPE: &'static str = "setting";
    type Row = Self;
    fn from_row(row: Self) -> Result<Self, Corrupt> {
        Ok(row)
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.most);
    }
    commit::identity!(id, version);
}

pub struct SetLimit(pub i64);

impl Verb<Bank> for SetLimit {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        if let Some(setting) = w.settings.edit(Uuid::from_u128(1))? {
            setting.most = self.0;
            cx.emit(setting, Event::LimitSet);
            cx.settings_changed();
        }
        Ok(())
    }
}

commit::world! {
    pub struct Vault { pub accounts: Slot<Account>, pub entries: Log<Entry>, pub settings: Slot<Setting>, pub claims: Claims,
        pub letters: Log<Letter>, pub keys: Keys, pub erasures: Slot<Erasure> }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchAccount,
    NameTaken,
    TooMuch { most: i64 },
}

#[derive(Debug)]
pub enum Event {
    Opened,
    Moved(i64),
    Noted(usize),
    LimitSet,
}

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::Opened => "account.opened",
            Self::Moved(_) => "account.moved",
            Self::Noted(_) => "account.noted",
            Self::LimitSet => "account.limit_set",
        }
    }
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Moved(amount) => amount.to_be_bytes().to_vec(),
            Self::Noted(bytes) => vec![0; *bytes],
            _ => Vec::new(),
        }
    }
}

pub struct Bank;

const LIMIT: Sql = Sql::same("select most from setting");

impl Service for Bank {
    const NAME: &'static str = "bank";
    type World = Vault;
    type Event = Event;
    type Refusal = Refusal;
    type Settings = i64;
    async fn settings(conn: &mut Conn) -> store::Result<i64> {
        Ok(conn.fetch_all::<(i64,)>(LIMIT, &[]).await?[0].0)
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Receipt {
    #[prost(bytes = "vec", tag = "1")]
    pub account: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub balance: i64,
}

impl Receipt {
    pub fn account(&self) -> Uuid {
        Uuid::from_slice(&self.account).unwrap()
    }
}

impl Answer for Account {
    type Wire = Receipt;
    fn to_wire(&self) -> Receipt {
        Receipt { account: self.id.as_bytes().to_vec(), balance: self.balance }
    }
}

pub struct Open(pub String);

impl Verb<Bank> for Open {
    type Reply = Account;
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<Account, Stop<Refusal>> {
        let id = cx.new_id();
        if w.claims.take("name", self.0.as_bytes(), id)?.is_err() {
            refuse!(Refusal::NameTaken);
        }
        let account =
            w.accounts.insert(Account { id, version: 0, branch_id: Uuid::nil(), balance: 0, name: self.0.clone() });
        cx.emit(account, Event::Opened);
        Ok(account.clone())
    }
}

/// Adds an amount; 666 as a balance violates a constraint of the table, which no rule foresees.
pub struct Pay(pub Uuid, pub i64);

impl Verb<Bank> for Pay {
    type Reply = Account;
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<Account, Stop<Refusal>> {
        let Some(account) = w.accounts.edit(self.0)? else { refuse!(Refusal::NoSuchAccount) };
        account.balance += self.1;
        ensure!(account.balance <= *cx.settings, Refusal::TooMuch { most: *cx.settings });
        cx.emit(account, Event::Moved(self.1));
        let entry = Entry { id: cx.new_id(), account_id: self.0, amount: self.1 };
        w.entries.push(entry);
        Ok(account.clone())
    }
}

/// Tells an event with so many bytes.
pub struct Note(pub Uuid, pub usize);

impl Verb<Bank> for Note {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        let Some(account) = w.accounts.edit(self.0)? else { refuse!(Refusal::NoSuchAccount) };
        account.balance += 1;
        cx.emit(account, Event::Noted(self.1));
        Ok(())
    }
}

pub struct Panics;

impl Verb<Bank> for Panics {
    type Reply = ();
    fn decide(&self, w: &mut Vault, cx: &mut Cx<'_, Bank>) -> Result<(), Stop<Refusal>> {
        let id = cx.new_id();
        w.accounts.insert(Account { id, version: 0, branch_id: Uuid::nil(), balance: 0, name: "ghost".into() });
        panic!("a defect in a verb");
    }
}

pub fn keyed(key: u128, fingerprint: i64) -> Submission {
    Submission {
        key: Uuid::from_u128(key),
        fingerprint,
        until: Instant::now() + Duration::from_secs(30),
        by: Arc::from("tester"),
        trace: None,
        cause: None,
    }
}

pub fn fresh() -> Submission {
    keyed(Uuid::now_v7().as_u128(), 0)
}
