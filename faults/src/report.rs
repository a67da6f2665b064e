//! One page about a run: what was done, what went wrong, what was checked.

use std::collections::BTreeMap;
use std::fmt;

/// Findings shown of one check.
const SHOWN: usize = 8;
/// Characters shown of a finding.
const SHOWN_CHARS: usize = 360;

/// What came of one check.
#[derive(Clone, Debug)]
pub struct Check {
    /// The promise.
    pub promise: &'static str,
    /// How many things were looked at.
    pub looked_at: u64,
    /// What does not hold.
    pub findings: Vec<String>,
}

impl Check {
    /// A check that found nothing yet.
    pub const fn of(promise: &'static str) -> Self {
        Self { promise, looked_at: 0, findings: Vec::new() }
    }

    /// Looks at one thing: `finding` tells what is wrong when it does not hold.
    pub fn that(&mut self, holds: bool, finding: impl FnOnce() -> String) {
        self.looked_at += 1;
        if !holds {
            self.findings.push(finding());
        }
    }
}

/// The page.
#[derive(Debug, Default)]
pub struct Report {
    /// Seed, length, replicas.
    pub heading: String,
    /// How many commands of each kind were sent, acknowledged, refused, given up.
    pub commands: BTreeMap<String, [u64; 4]>,
    /// Answers that made a caller repeat.
    pub retried: BTreeMap<String, u64>,
    /// Faults by class.
    pub faults: BTreeMap<&'static str, u64>,
    /// Faults that could not be carried out.
    pub undone: Vec<String>,
    /// Other facts, a line each.
    pub notes: Vec<String>,
    /// The checks.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether every check holds.
    pub fn holds(&self) -> bool {
        self.checks.iter().all(|check| check.findings.is_empty())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}\n", self.heading)?;
        writeln!(f, "{:<14}{:>8}{:>14}{:>10}{:>10}", "commands", "sent", "acknowledged", "refused", "given up")?;
        for (kind, [sent, acknowledged, refused, given_up]) in &self.commands {
            writeln!(f, "  {kind:<12}{sent:>8}{acknowledged:>14}{refused:>10}{given_up:>10}")?;
        }
        let list = |counts: &mut dyn Iterator<Item = (String, u64)>| {
            counts.map(|(what, count)| format!("{count} x {what}")).collect::<Vec<_>>().join(", ")
        };
        let retried = list(&mut self.retried.iter().map(|(what, count)| (what.clone(), *count)));
        writeln!(f, "\nrepeated after  {retried}")?;
        let faults = list(&mut self.faults.iter().map(|(what, count)| ((*what).to_owned(), *count)));
        writeln!(f, "faults          {faults}")?;
        for undone in &self.undone {
            writeln!(f, "not carried out {undone}")?;
        }
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        writeln!(f)?;
        for check in &self.checks {
            let verdict = if check.findings.is_empty() { "holds" } else { "BROKEN" };
            writeln!(f, "{verdict:<7} {:<86}{:>8}", check.promise, check.looked_at)?;
            for finding in check.findings.iter().take(SHOWN) {
                let finding: String = finding.chars().take(SHOWN_CHARS).collect();
                writeln!(f, "          {finding}")?;
            }
            if check.findings.len() > SHOWN {
                writeln!(f, "          and {} more", check.findings.len() - SHOWN)?;
            }
        }
        writeln!(f, "\nverdict: {}", if self.holds() { "every promise holds" } else { "BROKEN" })
    }
}
