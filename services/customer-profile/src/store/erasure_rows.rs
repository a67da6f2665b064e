//! The row of an erasure that was asked for.

use ::store::{Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Corrupt};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{CustomerId, Forgetting};

static FORGETTING: Table = Table::new(
    "forgetting",
    1,
    &[
        ("customer_id", Kind::Uuid),
        ("version", Kind::Int),
        ("erasure_id", Kind::Uuid),
        ("reason_code", Kind::Text),
        ("requested_at_us", Kind::Int),
        ("completed_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

/// A row of `forgetting`.
#[derive(FromRow)]
pub struct ForgettingRow {
    customer_id: Uuid,
    version: i64,
    erasure_id: Uuid,
    reason_code: String,
    requested_at_us: i64,
    completed_at_us: Option<i64>,
}

impl Aggregate for Forgetting {
    const TABLE: &'static Table = &FORGETTING;
    const TYPE: &'static str = "forgetting";
    type Row = ForgettingRow;

    fn from_row(row: ForgettingRow) -> Result<Self, Corrupt> {
        let ForgettingRow { customer_id, version, erasure_id: erasure, reason_code, requested_at_us, completed_at_us } =
            row;
        Ok(Self { customer: CustomerId(customer_id), version, erasure, reason_code, requested_at_us, completed_at_us })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.customer.uuid())
            .int(self.version)
            .uuid(self.erasure)
            .text(self.reason_code.as_str())
            .int(self.requested_at_us)
            .int(self.completed_at_us);
    }
    commit::identity!(customer, version);
}
