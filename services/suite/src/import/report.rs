//! What came of an import: counts, and every refused row with its line, column and reason.

use std::io::Write;

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// Line of the file; the header is line 1.
    pub line: u64,
    /// The column at fault; empty when it is the row as a whole.
    pub column: String,
    /// Why, in words.
    pub reason: String,
}

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read, without the header.
    pub rows: u64,
    /// Rows whose purchase or case is stored now, by this run or an earlier one.
    pub taken: u64,
    /// Purchases or cases that this run stored.
    pub stored: u64,
    /// Purchases or cases that were stored before.
    pub already_there: u64,
    /// Customers that this run made.
    pub customers_made: u64,
    /// The rows that were refused, by line.
    pub refused: Vec<Refused>,
}

impl Report {
    pub(super) fn refuse(&mut self, line: u64, column: &str, reason: impl Into<String>) {
        self.refused.push(Refused { line, column: column.to_owned(), reason: reason.into() });
    }

    /// The refused rows as CSV: line, column, reason.
    pub fn write_refused(&self, to: impl Write) -> csv::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(["line", "column", "reason"])?;
        for refused in &self.refused {
            writer.write_record([&refused.line.to_string(), &refused.column, &refused.reason])?;
        }
        writer.flush()?;
        Ok(())
    }
}
