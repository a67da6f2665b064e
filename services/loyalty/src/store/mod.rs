//! Reading loyalty: every query, each bound by the scope of who asks. Writing is the write path's alone.

mod ledger;
mod rows;
mod sql;

use std::collections::VecDeque;

use ::store::{Conn, Db, Loader, Reader, Result, args};
use commit::{Aggregate, Corrupt};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use crate::domain::{
    Account, AccountId, Audit, Balances, BranchId, CustomerId, Entry, Program, ProgramId, Programs, Replay, Report,
};
use ledger::EntryRow;
use rows::{ACCOUNT, AccountRow, ProgramRow};

pub use sql::ALL as STATEMENTS;

/// Accounts read at once by an audit.
const AUDIT_ACCOUNTS: usize = 200;
/// Entries read at once by an audit.
const AUDIT_ENTRIES: usize = 2_000;

/// Which accounts to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountFilter {
    /// Only those of this programme.
    pub program: Option<ProgramId>,
    /// Only those at home at this branch.
    pub home_branch: Option<BranchId>,
}

/// A page of a list and the token of the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// A programme in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// How many accounts.
    pub accounts: i64,
    /// How many ledger entries.
    pub entries: i64,
    /// Sum of every ledger account.
    pub totals: Balances,
}

/// The read side of the service. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    reader: Reader,
    accounts: Loader<AccountRow>,
}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reads").field("reader", &self.reader).finish_non_exhaustive()
    }
}

/// All programmes, read inside the transaction of a batch.
pub(crate) async fn load_programs(conn: &mut Conn) -> Result<Programs> {
    let rows: Vec<ProgramRow> = conn.fetch_all(sql::ALL_PROGRAMS, &[]).await?;
    Ok(Programs::new(all(rows)?))
}

impl Reads {
    /// Reads from `db`. Call it inside of the runtime: gets that come together are answered together by a task.
    pub fn new(db: Db) -> Self {
        let reader = Reader::from(db);
        Self { accounts: Loader::start(reader.clone(), &ACCOUNT, |row: &AccountRow| row.id), reader }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.ping().await
    }

    /// The programme with this id. Programmes belong to the business as a whole: everyone sees them.
    pub async fn find_program(&self, id: ProgramId) -> Result<Option<Program>> {
        let reader = self.reader.beyond_scope();
        let row: Option<ProgramRow> = reader.fetch_optional(sql::PROGRAM, args![id.uuid()]).await?;
        row.map(Program::from_row).transpose().map_err(corrupt)
    }

    /// Up to `limit` accounts of a customer that are not erased yet.
    pub async fn list_to_erase(&self, customer: Uuid, limit: i64) -> Result<Vec<AccountId>> {
        let reader = self.reader.beyond_scope();
        let rows: Vec<(Uuid,)> = reader.fetch_all(sql::TO_ERASE, args![customer, limit]).await?;
        Ok(rows.into_iter().map(|(id,)| AccountId(id)).collect())
    }

    /// Programmes by code.
    pub async fn list_programs(&self, show_closed: bool, page: &PageRequest) -> Result<Page<Program>> {
        let after = page.after.map(|place| place.id);
        let reader = self.reader.beyond_scope();
        let rows: Vec<ProgramRow> = reader.fetch_all(sql::PROGRAMS, args![show_closed, after, page.limit()]).await?;
        Ok(cut(all(rows)?, page, |program: &Program| Cursor { sort: 0, id: program.id.uuid() }))
    }

    /// The account with this id, if the scope reaches it.
    pub async fn find_account(&self, id: AccountId, scope: &BranchScope) -> Result<Option<Account>> {
        let Some(row) = self.accounts.get(id.uuid(), scope).await? else { return Ok(None) };
        Account::from_row((*row).clone()).map_err(corrupt).map(Some)
    }

    /// The account of a customer in a programme; without one the oldest.
    pub async fn find_account_of(
        &self,
        customer: CustomerId,
        program: Option<ProgramId>,
        scope: &BranchScope,
    ) -> Result<Option<Account>> {
        let args = args![customer.uuid(), program.map(ProgramId::uuid), scope.is_all(), scope.branches()];
        let row: Option<AccountRow> = self.reader.within(scope).fetch_optional(sql::ACCOUNT_OF_CUSTOMER, args).await?;
        row.map(Account::from_row).transpose().map_err(corrupt)
    }

    /// Accounts, newest first.
    pub async fn list_accounts(
        &self,
        filter: AccountFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Account>> {
        let args = args![
            filter.program.map(ProgramId::uuid),
            filter.home_branch.map(BranchId::uuid),
            scope.is_all(),
            scope.branches(),
            page.after.map(|place| place.id),
            page.limit(),
        ];
        let rows: Vec<AccountRow> = self.reader.within(scope).fetch_all(sql::ACCOUNTS, args).await?;
        Ok(cut(all(rows)?, page, |account: &Account| Cursor { sort: 0, id: account.id.uuid() }))
    }

    /// The ledger entries of an account, newest first. `None` when the scope does not reach it.
    pub async fn list_entries(
        &self,
        account: AccountId,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Option<Page<Entry>>> {
        if self.find_account(account, scope).await?.is_none() {
            return Ok(None);
        }
        let after = page.after.map(|place| place.sort);
        let rows: Vec<EntryRow> =
            self.reader.within(scope).fetch_all(sql::ENTRIES, args![account.uuid(), after, page.limit()]).await?;
        let entries = entries(rows)?;
        Ok(Some(cut(entries, page, |entry: &Entry| Cursor { sort: entry.seq, id: entry.id.uuid() })))
    }

    /// A programme in numbers, over the accounts that the scope reaches.
    pub async fn get_statistics(&self, program: ProgramId, scope: &BranchScope) -> Result<Statistics> {
        let args = args![program.uuid(), scope.is_all(), scope.branches()];
        let row: StatisticsRow = self.reader.within(scope).fetch_one(sql::STATISTICS, args).await?;
        Ok(Statistics { accounts: row.account_count, entries: row.entry_count, totals: row.totals() })
    }

    /// Replays the ledger of a programme, as far as the scope reaches. Writes go on meanwhile: an account is compared
    /// with the entries up to the number that it knew when it was read, and those are there for ever.
    pub async fn audit(&self, program: ProgramId, scope: &BranchScope) -> Result<Report> {
        let mut audit = Audit::default();
        let mut after: Option<Uuid> = None;
        loop {
            let limit = AUDIT_ACCOUNTS as i64;
            let args = args![program.uuid(), scope.is_all(), scope.branches(), after, limit];
            let rows: Vec<AccountRow> = self.reader.within(scope).fetch_all(sql::ACCOUNTS_TO_AUDIT, args).await?;
            let is_last = rows.len() < AUDIT_ACCOUNTS;
            after = rows.last().map(|row| row.id);
            self.audit_some(&mut audit, all(rows)?, scope).await?;
            if is_last {
                return Ok(audit.finish());
            }
        }
    }

    /// Replays some accounts, given in the order of their ids.
    async fn audit_some(&self, audit: &mut Audit, accounts: Vec<Account>, scope: &BranchScope) -> Result<()> {
        let ids: Vec<Uuid> = accounts.iter().map(|account| account.id.uuid()).collect();
        let mut open: VecDeque<Replay> = accounts.into_iter().map(Replay::new).collect();
        let mut after: Option<(Uuid, i64)> = None;
        loop {
            let (account, seq) = (after.map(|place| place.0), after.map(|place| place.1));
            let args = args![&ids, account, seq, AUDIT_ENTRIES as i64];
            let rows: Vec<EntryRow> = self.reader.within(scope).fetch_all(sql::ENTRIES_TO_AUDIT, args).await?;
            let is_last = rows.len() < AUDIT_ENTRIES;
            for entry in entries(rows)? {
                after = Some((entry.account.uuid(), entry.seq));
                while let Some(done) = open.pop_front_if(|replay| replay.account() < entry.account) {
                    audit.end(&done);
                }
                if let Some(replay) = open.front_mut() {
                    audit.feed(replay, &entry);
                }
            }
            if is_last {
                open.iter().for_each(|replay| audit.end(replay));
                return Ok(());
            }
        }
    }
}

#[derive(sqlx::FromRow)]
struct StatisticsRow {
    account_count: i64,
    entry_count: i64,
    issued: i64,
    debt: i64,
    pending: i64,
    available: i64,
    held: i64,
    redeemed: i64,
    expired: i64,
    reversed: i64,
}

impl StatisticsRow {
    const fn totals(&self) -> Balances {
        Balances::stored([
            self.issued,
            self.debt,
            self.pending,
            self.available,
            self.held,
            self.redeemed,
            self.expired,
            self.reversed,
        ])
    }
}

fn all<A: Aggregate>(rows: Vec<A::Row>) -> Result<Vec<A>> {
    rows.into_iter().map(A::from_row).collect::<std::result::Result<_, Corrupt>>().map_err(corrupt)
}

fn entries(rows: Vec<EntryRow>) -> Result<Vec<Entry>> {
    rows.into_iter().map(Entry::try_from).collect::<std::result::Result<_, Corrupt>>().map_err(corrupt)
}

fn cut<T>(mut items: Vec<T>, page: &PageRequest, place: impl Fn(&T) -> Cursor) -> Page<T> {
    let next = page.cut(&mut items, place);
    Page { items, next }
}

fn corrupt(error: Corrupt) -> ::store::Error {
    ::store::Error::Faulty(sqlx::Error::Decode(Box::new(error)))
}
