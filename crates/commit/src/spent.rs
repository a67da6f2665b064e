//! Where the time of batches goes: one running sum for each phase of a transaction.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The phases of a batch, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Begin,
    LookUp,
    Load,
    Decide,
    Save,
    Commit,
}

const PHASES: [(Phase, &str); 6] = [
    (Phase::Begin, "begin and lock"),
    (Phase::LookUp, "look up keys"),
    (Phase::Load, "load"),
    (Phase::Decide, "decide"),
    (Phase::Save, "save"),
    (Phase::Commit, "commit"),
];

/// Running sums of a committer, nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Clockwork {
    phases: [AtomicU64; 6],
    loads: AtomicU64,
}

impl Clockwork {
    /// Adds the time since `since` to `phase`; gives the time now, where the next phase begins.
    pub(crate) fn lap(&self, phase: Phase, since: Instant) -> Instant {
        let now = Instant::now();
        self.add(phase, now - since);
        now
    }

    pub(crate) fn add(&self, phase: Phase, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.phases[phase as usize].fetch_add(took, Ordering::Relaxed);
    }

    /// Counts one round of loading.
    pub(crate) fn loaded(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, batches: u64, commands: u64) -> Spent {
        let phases = self.phases.each_ref().map(|sum| sum.load(Ordering::Relaxed));
        Spent { batches, commands, loads: self.loads.load(Ordering::Relaxed), phases }
    }
}

/// Where the time of batches went between two moments, see [`crate::Stats::spent`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Transactions.
    pub batches: u64,
    /// Commands in them that were answered.
    pub commands: u64,
    /// Rounds of loading: a round asks once for every kind that something was missing of.
    pub loads: u64,
    phases: [u64; 6],
}

impl Spent {
    /// What was spent since an `earlier` reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            batches: self.batches - earlier.batches,
            commands: self.commands - earlier.commands,
            loads: self.loads - earlier.loads,
            phases: std::array::from_fn(|place| self.phases[place] - earlier.phases[place]),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            batches: self.batches + other.batches,
            commands: self.commands + other.commands,
            loads: self.loads + other.loads,
            phases: std::array::from_fn(|place| self.phases[place] + other.phases[place]),
        }
    }

    /// The mean time of each phase in one batch: name and microseconds.
    pub fn phases_us(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let batches = self.batches.max(1) as f64;
        PHASES.iter().map(move |(phase, name)| (*name, self.phases[*phase as usize] as f64 / 1_000.0 / batches))
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.commands as f64 / self.batches.max(1) as f64;
        write!(f, "{} batches of {size:.1}, us a batch:", self.batches)?;
        let mut separator = " ";
        for (name, us) in self.phases_us() {
            write!(f, "{separator}{name} {us:.0}")?;
            separator = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_means_between_two_readings() {
        let work = Clockwork::default();
        work.add(Phase::Save, Duration::from_micros(500));
        let before = work.read(1, 10);
        work.add(Phase::Save, Duration::from_micros(300));
        work.add(Phase::Save, Duration::from_micros(100));
        let spent = work.read(3, 30).since(&before);
        assert_eq!(spent.phases_us().find(|(name, _)| *name == "save"), Some(("save", 200.0)));
        assert!(spent.to_string().starts_with("2 batches of 10.0, us a batch: begin and lock 0"), "{spent}");
    }
}
