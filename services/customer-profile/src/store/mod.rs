//! Where the data of this service lives: its tables, and the queries that answer reads. The only room that knows SQL
//! or rows. Every query takes the branch scope of its caller.

mod erasure_rows;
mod rows;
mod sql;

pub use rows::{CustomerView, EntryRow, PurchaseRow};
pub use sql::ALL as STATEMENTS;

use std::sync::Arc;

use ::store::{Db, Json, Loader, Reader, Result, args};
use kernel::{BranchScope, Cursor, PageRequest};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{
    BranchId, Customer, CustomerId, CustomerKind, Favourite, Identifier, Line, Purchase, PurchaseId, PurchaseKind,
    Totals, favourites, identifier_key,
};

/// Newest purchases that the favourites of a customer are counted over.
const FAVOURITE_PURCHASES: i64 = 500;
/// Most favourites shown.
const MAX_FAVOURITES: usize = 5;

/// The queries of this service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    reader: Reader,
    /// Gets by callers who see every branch, answered together.
    customers: Loader<CustomerView>,
}

/// Which customers to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerFilter {
    /// Only those that belong to this branch.
    pub home_branch: Option<BranchId>,
    /// Only those of this kind.
    pub kind: Option<CustomerKind>,
    /// Only those with this tag; empty means all.
    pub tag: String,
}

/// Which purchases to list or count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseFilter {
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those of this branch.
    pub branch: Option<BranchId>,
    /// Only those from this system; empty means all.
    pub source_system: String,
    /// Only those that happened at or after this instant, microseconds since the Unix epoch.
    pub start_at_us: i64,
    /// Only those that happened before this instant, microseconds since the Unix epoch.
    pub end_at_us: i64,
}

/// Purchases in numbers, by kind and currency.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Sums {
    /// `sale` or `return`.
    pub kind: String,
    /// ISO 4217 code.
    pub currency: String,
    /// How many.
    pub purchases: i64,
    /// How many lines they have.
    pub lines: i64,
    /// Their sum, minor units.
    pub total_minor: i64,
}

/// Whose purchases they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromRow)]
pub struct Buyers {
    /// How many different customers.
    pub customers: i64,
    /// How many purchases belong to nobody known.
    pub unknown: i64,
}

/// A customer in numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// First time seen, microseconds since the Unix epoch.
    pub first_seen_at_us: i64,
    /// The running totals.
    pub totals: Totals,
    /// What it buys most.
    pub favourites: Vec<Favourite>,
}

#[derive(FromRow)]
struct TotalsRow {
    first_seen_at_us: i64,
    doc: Json<Totals>,
}

#[derive(FromRow)]
struct LinesRow {
    kind: String,
    lines: Json<Vec<Line>>,
}

impl Reads {
    /// Queries on this database.
    pub fn new(db: Db) -> Self {
        let reader = Reader::from(db);
        let customers = Loader::of(reader.clone(), sql::FIND_CUSTOMERS, |row: &CustomerView| row.id);
        Self { reader, customers }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.ping().await
    }

    /// The customer, if the caller may see it.
    pub async fn find_customer(&self, scope: &BranchScope, id: CustomerId) -> Result<Option<CustomerView>> {
        if scope.is_all() {
            return Ok(self.customers.get(id.uuid(), scope).await?.map(Arc::unwrap_or_clone));
        }
        self.reader
            .within(scope)
            .fetch_optional(sql::FIND_CUSTOMER, args![scope.is_all(), scope.branches(), id.uuid()])
            .await
    }

    /// The customer with this handle, if the caller may see it.
    pub async fn find_by_handle(&self, scope: &BranchScope, handle: &Identifier) -> Result<Option<CustomerView>> {
        let key = identifier_key(handle);
        self.reader
            .within(scope)
            .fetch_optional(sql::FIND_BY_HANDLE, args![scope.is_all(), scope.branches(), key])
            .await
    }

    /// A page of customers, newest first, and the token of the next one.
    pub async fn list_customers(
        &self,
        scope: &BranchScope,
        filter: &CustomerFilter,
        page: &PageRequest,
    ) -> Result<(Vec<CustomerView>, String)> {
        let kind = filter.kind.map_or("", CustomerKind::code);
        let before = page.after.map_or(Uuid::max(), |after| after.id);
        let rest = |branch: Uuid| -> [::store::Arg<'_>; 7] {
            let [all, branches] = [scope.is_all().into(), scope.branches().into()];
            [all, branches, kind.into(), (&filter.tag).into(), before.into(), page.limit().into(), branch.into()]
        };
        let mut rows: Vec<CustomerView> = match filter.home_branch {
            Some(branch) => {
                self.reader.within(scope).fetch_all(sql::LIST_CUSTOMERS_OF_BRANCH, &rest(branch.uuid())).await?
            }
            None => self.reader.within(scope).fetch_all(sql::LIST_CUSTOMERS, &rest(Uuid::nil())[..6]).await?,
        };
        let next = page.cut(&mut rows, |row| Cursor { sort: 0, id: row.id });
        Ok((rows, next))
    }

    /// The purchase, if the caller may see its branch.
    pub async fn find_purchase(&self, scope: &BranchScope, id: PurchaseId) -> Result<Option<PurchaseRow>> {
        self.reader
            .within(scope)
            .fetch_optional(sql::FIND_PURCHASE, args![scope.is_all(), scope.branches(), id.uuid()])
            .await
    }

    /// A page of purchases, newest first, and the token of the next one. The filter's system is not looked at.
    pub async fn list_purchases(
        &self,
        scope: &BranchScope,
        filter: &PurchaseFilter,
        page: &PageRequest,
    ) -> Result<(Vec<PurchaseRow>, String)> {
        let after = page.after.unwrap_or(Cursor { sort: i64::MAX, id: Uuid::max() });
        let args = args![
            scope.is_all(),
            scope.branches(),
            filter.start_at_us,
            filter.end_at_us,
            after.sort,
            after.id,
            page.limit(),
            filter.customer.map(CustomerId::uuid),
            filter.branch.map(BranchId::uuid),
        ];
        // One text per access path: with `or $8 is null` no engine could use its index.
        let mut rows: Vec<PurchaseRow> = match (filter.customer, filter.branch) {
            (Some(_), _) => self.reader.within(scope).fetch_all(sql::LIST_PURCHASES_OF_CUSTOMER, args).await?,
            (None, Some(branch)) => {
                let mut args = args[..8].to_vec();
                args[7] = branch.uuid().into();
                self.reader.within(scope).fetch_all(sql::LIST_PURCHASES_OF_BRANCH, &args).await?
            }
            (None, None) => self.reader.within(scope).fetch_all(sql::LIST_PURCHASES, &args[..7]).await?,
        };
        let next = page.cut(&mut rows, |row| Cursor { sort: row.occurred_at_us, id: row.id });
        Ok((rows, next))
    }

    /// Purchases in numbers. The filter's customer is not looked at.
    pub async fn sum_purchases(&self, scope: &BranchScope, filter: &PurchaseFilter) -> Result<(Vec<Sums>, Buyers)> {
        let args = args![
            scope.is_all(),
            scope.branches(),
            filter.start_at_us,
            filter.end_at_us,
            filter.branch.map(BranchId::uuid),
            &filter.source_system,
        ];
        let sums = self.reader.within(scope).fetch_all(sql::SUM_PURCHASES, args).await?;
        let buyers = self.reader.within(scope).fetch_one(sql::COUNT_BUYERS, args).await?;
        Ok((sums, buyers))
    }

    /// A page of the timeline of a customer, newest first, and the token of the next one. No services means all.
    pub async fn list_timeline(
        &self,
        scope: &BranchScope,
        customer: CustomerId,
        services: &[String],
        page: &PageRequest,
    ) -> Result<(Vec<EntryRow>, String)> {
        let after = page.after.unwrap_or(Cursor { sort: i64::MAX, id: Uuid::max() });
        let args = args![
            scope.is_all(),
            scope.branches(),
            customer.uuid(),
            after.sort,
            after.id,
            page.limit(),
            services.is_empty(),
            services,
        ];
        let mut rows: Vec<EntryRow> = self.reader.within(scope).fetch_all(sql::LIST_TIMELINE, args).await?;
        let next = page.cut(&mut rows, |row| Cursor { sort: row.occurred_at_us, id: row.id });
        Ok((rows, next))
    }

    /// The customer in numbers, if the caller may see it. The numbers are those of the whole business.
    pub async fn find_summary(&self, scope: &BranchScope, id: CustomerId) -> Result<Option<Summary>> {
        let found: Option<TotalsRow> = self
            .reader
            .within(scope)
            .fetch_optional(sql::FIND_TALLY, args![scope.is_all(), scope.branches(), id.uuid()])
            .await?;
        let Some(TotalsRow { first_seen_at_us, doc: Json(totals) }) = found else { return Ok(None) };
        let reader = self.reader.beyond_scope();
        let bought: Vec<LinesRow> = reader.fetch_all(sql::NEWEST_LINES, args![id.uuid(), FAVOURITE_PURCHASES]).await?;
        let bought = bought.iter().filter_map(|row| Some((PurchaseKind::find(&row.kind)?, row.lines.as_slice())));
        let favourites = favourites(bought, MAX_FAVOURITES);
        Ok(Some(Summary { first_seen_at_us, totals, favourites }))
    }
}

impl CustomerView {
    /// The customer and when it was first seen, microseconds since the Unix epoch.
    pub fn into_parts(self) -> Result<(Customer, i64), commit::Corrupt> {
        let first_seen_at_us = self.first_seen_at_us;
        Ok((rows::customer(self)?, first_seen_at_us))
    }
}

impl PurchaseRow {
    /// The purchase.
    pub fn into_purchase(self) -> Result<Purchase, commit::Corrupt> {
        <Purchase as commit::Aggregate>::from_row(self)
    }
}
