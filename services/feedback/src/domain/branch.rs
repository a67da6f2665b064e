//! What feedback knows of branches: that they exist, and what lies above them.

use uuid::Uuid;

/// A branch as seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: Uuid,
    /// The branch above.
    pub parent: Option<Uuid>,
    /// It is closed for good.
    pub closed: bool,
    /// Version of this record; not stored, nobody outside sees it.
    pub version: i64,
}
