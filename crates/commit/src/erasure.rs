//! What each service knows of a customer whose personal data goes: that it goes, and when it is gone. The verb that
//! takes up `customer.erased` notes it here; a timer then rewrites the customer's rows a few at a time until none is
//! left, so that no transaction grows with the life of a customer.

use sqlx::FromRow;
use store::{Db, Kind, OnConflict, Rows, Table, args};
use uuid::Uuid;

use crate::aggregate::{Aggregate, Corrupt};
use crate::slot::{Missing, Slot};
use crate::sql;

/// A customer whose personal data goes or is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Who.
    pub customer: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// The id of the erasure in the whole installation.
    pub erasure: Uuid,
    /// When it was asked for, microseconds since the Unix epoch.
    pub requested_at_us: i64,
    /// When the last row was rewritten, microseconds since the Unix epoch; `None` while some are left.
    pub finished_at_us: Option<i64>,
    /// How many records were rewritten.
    pub records: i64,
}

static ERASURE: Table = Table::new(
    "erasure",
    1,
    &[
        ("customer_id", Kind::Uuid),
        ("version", Kind::Int),
        ("erasure_id", Kind::Uuid),
        ("requested_at_us", Kind::Int),
        ("finished_at_us", Kind::Int),
        ("records", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `erasure`.
#[derive(FromRow)]
pub struct ErasureRow {
    customer_id: Uuid,
    version: i64,
    erasure_id: Uuid,
    requested_at_us: i64,
    finished_at_us: Option<i64>,
    records: i64,
}

impl Aggregate for Erasure {
    const TABLE: &'static Table = &ERASURE;
    const TYPE: &'static str = "erasure";
    type Row = ErasureRow;

    fn from_row(row: ErasureRow) -> Result<Self, Corrupt> {
        let ErasureRow { customer_id, version, erasure_id, requested_at_us, finished_at_us, records } = row;
        Ok(Self { customer: customer_id, version, erasure: erasure_id, requested_at_us, finished_at_us, records })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer)
            .int(self.version)
            .uuid(self.erasure)
            .int(self.requested_at_us)
            .int(self.finished_at_us)
            .int(self.records);
    }
    crate::identity!(customer, version);
}

impl Slot<Erasure> {
    /// Notes that the data of `customer` goes; `false` when that was known.
    pub fn begin(&mut self, customer: Uuid, erasure: Uuid, now_us: i64) -> Result<bool, Missing> {
        if self.get(customer)?.is_some() {
            return Ok(false);
        }
        self.insert(Erasure {
            customer,
            version: 0,
            erasure,
            requested_at_us: now_us,
            finished_at_us: None,
            records: 0,
        });
        Ok(true)
    }

    /// Counts `records` that were rewritten; with `last` none is left.
    pub fn go_on(&mut self, customer: Uuid, records: usize, last: bool, now_us: i64) -> Result<(), Missing> {
        if let Some(erasure) = self.edit(customer)? {
            erasure.records = erasure.records.saturating_add(i64::try_from(records).unwrap_or(i64::MAX));
            if last {
                erasure.finished_at_us = erasure.finished_at_us.or(Some(now_us));
            }
        }
        Ok(())
    }
}

/// The erasures of one service, for reads.
#[derive(Clone, Debug)]
pub struct Erasures(Db);

impl Erasures {
    /// Those in `db`.
    pub const fn new(db: Db) -> Self {
        Self(db)
    }

    /// Up to `max` customers whose data is still going, oldest first.
    pub async fn list_open(&self, max: i64) -> store::Result<Vec<Uuid>> {
        let rows: Vec<(Uuid,)> = self.0.fetch_all(sql::OPEN_ERASURES, args![max]).await?;
        Ok(rows.into_iter().map(|(customer,)| customer).collect())
    }

    /// The erasure of a customer, if there is one.
    pub async fn find(&self, customer: Uuid) -> store::Result<Option<Erasure>> {
        let row: Option<ErasureRow> = self.0.fetch_optional(sql::FIND_ERASURE, args![customer]).await?;
        Ok(row.and_then(|row| Erasure::from_row(row).ok()))
    }
}
