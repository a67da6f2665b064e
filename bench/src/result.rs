//! One line of the table: what was measured in each round, the yardstick of the same round, and their ratio. Lines
//! are kept in `target/bench-results.json`, so that rows measured at different times stand in one table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine;
use crate::stats::{least, median, most};

/// Which side of the bounds is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Good {
    /// The ratio must reach the bounds.
    High,
    /// The ratio must stay under the bounds.
    Low,
}

/// One measure with its yardstick.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Its name in the table, such as `P3 opens`.
    pub(crate) name: String,
    /// What is measured.
    pub(crate) measure: String,
    /// What it is measured against; empty when the bounds are absolute.
    pub(crate) yardstick: String,
    /// The unit of both.
    pub(crate) unit: String,
    /// Which side is good.
    pub(crate) good: Good,
    /// The bound below which it is a defect, and the one to aim at.
    pub(crate) bounds: (f64, f64),
    /// Each round: measure and yardstick (1 when the bounds are absolute).
    pub(crate) rounds: Vec<(f64, f64)>,
    /// Share of the processors that others took, each round.
    pub(crate) foreign: Vec<f64>,
    /// Seconds since the Unix epoch.
    pub(crate) measured_at_s: i64,
    /// Further figures, one a line.
    pub(crate) notes: Vec<String>,
}

impl Line {
    /// Measure over yardstick, each round.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        self.rounds.iter().map(|(ours, yard)| ours / yard).collect()
    }

    /// `aim`, `must` or `DEFECT`.
    pub(crate) fn verdict(&self) -> &'static str {
        let ratio = median(&self.ratios());
        let reaches = |bound: f64| match self.good {
            Good::High => ratio >= bound,
            Good::Low => ratio <= bound,
        };
        match (reaches(self.bounds.1), reaches(self.bounds.0)) {
            (true, _) => "aim",
            (false, true) => "must",
            (false, false) => "DEFECT",
        }
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ratios = self.ratios();
        let column = |of: fn(&(f64, f64)) -> f64| median(&self.rounds.iter().map(of).collect::<Vec<_>>());
        write!(
            f,
            "{:<14} {:>9.1} against {:>9.1} {}: {:.2}x ({:.2}-{:.2}) {}, others took at most {:.0} %",
            self.name,
            column(|round| round.0),
            column(|round| round.1),
            self.unit,
            median(&ratios),
            least(&ratios),
            most(&ratios),
            self.verdict(),
            most(&self.foreign) * 100.0
        )?;
        self.notes.iter().try_for_each(|note| write!(f, "\n    {note}"))
    }
}

fn file() -> PathBuf {
    machine::root().join("target/bench-results.json")
}

/// All lines measured so far, by name.
pub(crate) fn kept() -> anyhow::Result<BTreeMap<String, Line>> {
    match std::fs::read(file()) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).unwrap_or_default()),
        Err(_) => Ok(BTreeMap::new()),
    }
}

/// Keeps a line in place of the one of the same name.
pub(crate) fn keep(line: Line) -> anyhow::Result<()> {
    let mut lines = kept()?;
    lines.insert(line.name.clone(), line);
    Ok(std::fs::write(file(), serde_json::to_vec_pretty(&lines)?)?)
}
