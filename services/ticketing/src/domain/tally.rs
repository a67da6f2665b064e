//! Tallies: what one customer got, and what one person promised, over the last year. Loaded by key, so that a
//! limit over a period needs no query.

use commit::{Missing, Slot};
use kernel::DAY_US;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mandate::Unit;
use super::{CompensationId, CustomerId};

/// Longer than any period of a rule; what is older is forgotten.
const KEPT_DAYS: i64 = 400;
/// Most lines kept: the oldest make room.
const KEPT_LINES: usize = 2_000;

/// Whose tally it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose<'a> {
    /// What this customer got.
    Customer(CustomerId),
    /// What this person promised: the subject of the caller.
    Agent(&'a str),
}

/// One compensation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which one.
    pub compensation: CompensationId,
    /// How much of it.
    pub amount: i64,
    /// When it was agreed.
    pub at_us: i64,
}

/// What somebody got or promised, in one unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Made from whose it is and the unit.
    pub id: Uuid,
    /// Counts up with every change.
    pub version: i64,
    /// The compensations, oldest first.
    pub lines: Vec<Line>,
}

impl Tally {
    /// The id of a tally.
    pub fn id_of(whose: Whose<'_>, unit: Unit) -> Uuid {
        match whose {
            Whose::Customer(customer) => {
                commit::key(&[b"tally of customer", customer.uuid().as_bytes(), unit.code().as_bytes()])
            }
            Whose::Agent(subject) => commit::key(&[b"tally of agent", subject.as_bytes(), unit.code().as_bytes()]),
        }
    }

    /// The sum since `since_us`.
    pub fn since(tallies: &mut Slot<Self>, whose: Whose<'_>, unit: Unit, since_us: i64) -> Result<i64, Missing> {
        let Some(tally) = tallies.get(Self::id_of(whose, unit))? else { return Ok(0) };
        let lines = tally.lines.iter().filter(|line| line.at_us >= since_us);
        Ok(lines.fold(0, |sum, line| sum.saturating_add(line.amount)))
    }

    /// Adds a compensation.
    pub fn add(tallies: &mut Slot<Self>, whose: Whose<'_>, unit: Unit, line: Line) -> Result<(), Missing> {
        let id = Self::id_of(whose, unit);
        let known = tallies.get(id)?.cloned();
        let mut tally = known.unwrap_or_else(|| Self { id, version: 0, lines: Vec::new() });
        tally.lines.retain(|old| old.at_us >= line.at_us.saturating_sub(KEPT_DAYS * DAY_US));
        if tally.lines.len() >= KEPT_LINES {
            tally.lines.remove(0);
        }
        tally.lines.push(line);
        tallies.insert(tally);
        Ok(())
    }

    /// Takes a compensation out that was not given after all.
    pub fn take_out(
        tallies: &mut Slot<Self>,
        whose: Whose<'_>,
        unit: Unit,
        compensation: CompensationId,
    ) -> Result<(), Missing> {
        if let Some(tally) = tallies.edit(Self::id_of(whose, unit))? {
            tally.lines.retain(|line| line.compensation != compensation);
        }
        Ok(())
    }
}
