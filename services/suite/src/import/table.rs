//! Reading a CSV file row by row with line numbers, and the values in it.

use std::fs::File;
use std::path::Path;

use anyhow::Context;
use csv::{ReaderBuilder, StringRecord};

/// An opened CSV file with a header.
pub(super) struct Table {
    reader: csv::Reader<File>,
    pub(super) header: Vec<String>,
}

/// One row: its line in the file and its values.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) record: StringRecord,
}

impl Table {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
        let header = reader.headers().with_context(|| format!("{} has no readable header", path.display()))?;
        let header: Vec<String> =
            header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
        Ok(Self { reader, header })
    }

    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name == column)
    }

    /// The next row, `None` at the end. A row that is not UTF-8 or has another number of values gives the
    /// line and the reason.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Result<Row, (u64, String)>>> {
        let mut record = StringRecord::new();
        let line = self.reader.position().line();
        match self.reader.read_record(&mut record) {
            Ok(false) => Ok(None),
            Ok(true) => {
                let line = record.position().map_or(line, csv::Position::line);
                if record.len() == self.header.len() {
                    return Ok(Some(Ok(Row { line, record })));
                }
                let reason = format!("{} values where the header has {}", record.len(), self.header.len());
                Ok(Some(Err((line, reason))))
            }
            Err(error) => match error.kind() {
                csv::ErrorKind::Utf8 { .. } => Ok(Some(Err((line, "not UTF-8 text".to_owned())))),
                _ => Err(error).context("the file cannot be read further"),
            },
        }
    }
}

/// A decimal number as whole minor units: `4.15` with exponent 2 is 415. No floating point is involved.
pub(super) fn minor_units(text: &str, exponent: u32) -> Result<i64, String> {
    let text = text.trim();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(format!("{text:?} is not a decimal number"));
    }
    if fraction.len() > exponent as usize {
        return Err(format!("{text:?} has more than {exponent} decimal places"));
    }
    let padded = format!("{whole}{fraction:0<width$}", width = exponent as usize);
    padded.parse::<i64>().map(|minor| sign * minor).map_err(|_| format!("{text:?} is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_minor_units_exactly() {
        for (text, exponent, minor) in [
            ("4.15", 2, 415),
            ("1.0", 2, 100),
            ("0.1", 2, 10),
            ("-3.5", 2, -350),
            ("1500", 0, 1500),
            ("7.00", 0, 7),
            ("0.001", 3, 1),
        ] {
            assert_eq!(minor_units(text, exponent), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (text, exponent) in [
            ("", 2),
            ("x", 2),
            ("1.234", 2),
            ("1e5", 2),
            ("99999999999999999999", 2),
            ("--1", 2),
            (".5", 2),
            ("NaN", 2),
        ] {
            assert!(minor_units(text, exponent).is_err(), "{text}");
        }
    }
}
