//! What the write path must know of a thing that it loads and saves: its table, its row and its version.

use store::{Record, Rows, Table};
use uuid::Uuid;

/// A stored row that no longer makes sense, such as a state this program does not know.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a stored row is corrupt: {0}")]
pub struct Corrupt(pub String);

/// A thing with an id and a version, changed as a whole under the write path.
pub trait Aggregate: Clone + Send + Sync + 'static {
    /// Where it is stored; the first column is its id.
    const TABLE: &'static Table;
    /// Its name in events, such as `complaint`.
    const TYPE: &'static str;
    /// The row as read.
    type Row: Record;

    /// Makes the thing from its row.
    fn from_row(row: Self::Row) -> Result<Self, Corrupt>;
    /// Gives the values of its row, in the order of the columns.
    fn to_row(&self, row: &mut Rows);
    /// Its id.
    fn id(&self) -> Uuid;
    /// Its version: 0 when made, then one up for each event about it (or each change without an event).
    fn version(&self) -> i64;
    /// The version, to be counted up by the write path.
    fn version_mut(&mut self) -> &mut i64;
    /// The branch it belongs to, which events carry for routing and scope.
    fn branch(&self) -> Option<Uuid> {
        None
    }
    /// The customer it is about, if any.
    fn customer(&self) -> Option<Uuid> {
        None
    }
}

/// A row that is only ever added: history, ledger entries.
pub trait Append: Send + Sync + 'static {
    /// Where it is stored.
    const TABLE: &'static Table;
    /// Gives the values of its row, in the order of the columns.
    fn to_row(&self, row: &mut Rows);
}
