//! Counts that a rule needs to know inside of a batch, such as how many administrators can still come in.

use uuid::Uuid;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Keys and people that open every door without end: active keys that act for nobody and never expire, and active
    /// staff with an outer identity, with the administrator's role everywhere.
    Administrators,
    /// Roles that the business made, deleted ones too.
    OwnRoles,
    /// Holiday sets.
    HolidaySets,
}

impl Counted {
    /// The id of its count.
    pub fn id(self) -> Uuid {
        let name: &[u8] = match self {
            Self::Administrators => b"administrators",
            Self::OwnRoles => b"own_roles",
            Self::HolidaySets => b"holiday_sets",
        };
        commit::key(&[b"tally", name])
    }
}

/// How many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Follows from what is counted.
    pub id: Uuid,
    /// The number.
    pub count: i64,
    /// Version of this count; not stored, nobody outside sees it.
    pub version: i64,
}
