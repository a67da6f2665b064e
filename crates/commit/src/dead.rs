//! Looking at dead letters; taking them up again or giving them up goes through the door.

use store::{Db, args};
use uuid::Uuid;

use crate::aggregate::Aggregate;
use crate::base::{DeadLetter, DeadRow};
use crate::sql;

pub(crate) const PARKED: &str = "parked";
pub(crate) const REDRIVEN: &str = "redriven";
pub(crate) const DISCARDED: &str = "discarded";

/// The dead letters of one service.
#[derive(Clone, Debug)]
pub struct DeadLetters(Db);

impl DeadLetters {
    /// Those in `db`.
    pub const fn new(db: Db) -> Self {
        Self(db)
    }

    /// Those of `consumer` and `source_log` that wait behind sequence `after`, oldest first.
    pub async fn list(&self, consumer: &str, source_log: &str, after: i64, max: i64) -> store::Result<Vec<DeadLetter>> {
        let rows = self.0.fetch_all(sql::LIST_DEAD, args![consumer, source_log, after, max]).await?;
        Ok(letters(rows))
    }

    /// Those of one aggregate that wait, oldest first.
    pub async fn list_of(
        &self,
        consumer: &str,
        source_log: &str,
        aggregate: Uuid,
        max: i64,
    ) -> store::Result<Vec<DeadLetter>> {
        let rows = self.0.fetch_all(sql::LIST_DEAD_OF, args![consumer, source_log, aggregate, max]).await?;
        Ok(letters(rows))
    }

    /// How many wait.
    pub async fn count(&self) -> store::Result<i64> {
        Ok(self.0.fetch_one::<(i64,)>(sql::COUNT_DEAD, &[]).await?.0)
    }
}

fn letters(rows: Vec<DeadRow>) -> Vec<DeadLetter> {
    rows.into_iter().filter_map(|row| DeadLetter::from_row(row).ok()).collect()
}
