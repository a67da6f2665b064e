//! The numbers of complaints for people: branch code, year of the branch, and a count within both, such as
//! `KGL-1-2026-000123`. A number is never used twice; a gap in them means nothing.

use commit::{Missing, Slot};
use uuid::Uuid;

use super::BranchId;
use super::branch::Branch;

/// How many numbers one branch has given in one year.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Made from what is counted, see [`Counter::id_of`].
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// What is counted, such as `KGL-1-2026`.
    pub name: String,
    /// The last number given.
    pub last: i64,
}

impl Counter {
    /// The id of the counter of a branch and year.
    pub fn id_of(branch: BranchId, year: i16) -> Uuid {
        commit::key(&[b"complaint number", branch.uuid().as_bytes(), &year.to_be_bytes()])
    }
}

/// The next number of `branch` in `year`.
pub fn next_number(counters: &mut Slot<Counter>, branch: &Branch, year: i16) -> Result<String, Missing> {
    let id = Counter::id_of(branch.id, year);
    let known = counters.get(id)?.cloned();
    let mut counter =
        known.unwrap_or_else(|| Counter { id, version: 0, name: format!("{}-{year}", branch.code), last: 0 });
    counter.last += 1;
    let number = format!("{}-{:06}", counter.name, counter.last);
    counters.insert(counter);
    Ok(number)
}
