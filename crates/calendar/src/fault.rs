//! What can be wrong with a calendar, and where.

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The IANA database does not know the zone.
    #[error("must be a zone of the IANA database")]
    UnknownTimeZone,
    /// A shift begins outside of its day.
    #[error("must begin before the midnight that ends its day")]
    OpensOutOfDay,
    /// A shift ends before it begins, or too late.
    #[error("must end after its beginning and before the end of the next day")]
    ClosesOutOfDay,
    /// More shifts in a day than there may be.
    #[error("has too many parts")]
    TooManyShifts,
    /// More dates than there may be.
    #[error("has too many dates")]
    TooManyDates,
    /// There is no such day in any year.
    #[error("must be a day of the calendar")]
    NoSuchDay,
    /// A day or date has its hours twice.
    #[error("must not be given twice")]
    Twice,
    /// It stays closed for more than a year.
    #[error("does not open within the next 370 days")]
    NeverOpens,
}

/// A problem of a calendar and the field that has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Fault {
    /// Path of the field, such as `weekly[0].intervals[1]`; empty for the calendar as a whole.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

impl Fault {
    /// `problem` at `field`.
    pub fn at(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }
}
