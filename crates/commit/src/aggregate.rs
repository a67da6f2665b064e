//! What the write path must know of a thing that it loads and saves: its table, its row and its version.

use store::{Record, Rows, Table};
use uuid::Uuid;

/// A stored row that no longer makes sense, such as a state this program does not know.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a stored row is corrupt: {0}")]
pub struct Corrupt(pub String);

/// What the code in a column stands for, or that the row of `id` holds one that this program does not know.
pub fn known<T>(found: Option<T>, table: &Table, id: Uuid, column: &str, code: &str) -> Result<T, Corrupt> {
    found.ok_or_else(|| Corrupt(format!("{} {id}: {column} {code}", table.name())))
}

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

/// Writes the part of an `impl Aggregate` that only names fields: the id and the version, then the branch and the
/// customer if it has them, each with a `?` when the field is an option. Ids may be bare UUIDs or newtypes of them:
/// `commit::identity!(id, version, branch: branch, customer?: customer);`
#[macro_export]
macro_rules! identity {
    ($id:ident, $version:ident $(, branch: $branch:ident)? $(, branch?: $maybe_branch:ident)?
        $(, customer: $customer:ident)? $(, customer?: $maybe_customer:ident)?) => {
        fn id(&self) -> $crate::macros::Uuid { self.$id.into() }
        fn version(&self) -> i64 { self.$version }
        fn version_mut(&mut self) -> &mut i64 { &mut self.$version }
        $(fn branch(&self) -> Option<$crate::macros::Uuid> { Some(self.$branch.into()) })?
        $(fn branch(&self) -> Option<$crate::macros::Uuid> { self.$maybe_branch.map(Into::into) })?
        $(fn customer(&self) -> Option<$crate::macros::Uuid> { Some(self.$customer.into()) })?
        $(fn customer(&self) -> Option<$crate::macros::Uuid> { self.$maybe_customer.map(Into::into) })?
    };
}

/// A row that is only ever added: history, ledger entries.
pub trait Append: Send + Sync + 'static {
    /// Where it is stored.
    const TABLE: &'static Table;
    /// Gives the values of its row, in the order of the columns.
    fn to_row(&self, row: &mut Rows);
}
