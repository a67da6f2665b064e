//! The rows of the table, each with how it is measured.

mod p1;
mod p11;
mod p3;
mod p4;
mod p6;
mod p9;

use std::pin::Pin;

use crate::Plan;
use crate::cpu::Reading;
use crate::result::{Good, Line};

type Run = for<'a> fn(&'a Plan) -> Pin<Box<dyn Future<Output = anyhow::Result<Vec<Line>>> + 'a>>;

/// One row.
pub(crate) struct Row {
    /// P1 to P12.
    pub(crate) id: &'static str,
    /// Rows that are measured along with it.
    pub(crate) covers: &'static [&'static str],
    /// Measures it.
    pub(crate) run: Run,
}

/// All rows, in the order of the table.
pub(crate) const ALL: &[Row] = &[
    Row { id: "P1", covers: &["P2", "P5"], run: |plan| Box::pin(p1::run(plan)) },
    Row { id: "P3", covers: &[], run: |plan| Box::pin(p3::run(plan)) },
    Row { id: "P4", covers: &["P10"], run: |plan| Box::pin(p4::run(plan)) },
    Row { id: "P6", covers: &[], run: |plan| Box::pin(p6::latency(plan)) },
    Row { id: "P7", covers: &[], run: |plan| Box::pin(p6::drain(plan)) },
    Row { id: "P8", covers: &[], run: |plan| Box::pin(p6::consumer(plan)) },
    Row { id: "P9", covers: &[], run: |plan| Box::pin(p9::run(plan)) },
    Row { id: "P11", covers: &[], run: |plan| Box::pin(p11::memory(plan)) },
    Row { id: "P12", covers: &[], run: |plan| Box::pin(p11::starts(plan)) },
];

/// Every row of the table, in its order.
pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> =
        ALL.iter().flat_map(|row| std::iter::once(row.id).chain(row.covers.iter().copied())).collect();
    names.sort_unstable_by_key(|name| name.trim_start_matches('P').parse::<u32>().unwrap_or_default());
    names
}

/// Times that a noisy round is measured again.
const TRIES: usize = 2;

/// A line about to be filled.
pub(crate) fn line(name: &str, measure: &str, yardstick: &str, unit: &str, good: Good, bounds: (f64, f64)) -> Line {
    Line {
        name: name.to_owned(),
        measure: measure.to_owned(),
        yardstick: yardstick.to_owned(),
        unit: unit.to_owned(),
        good,
        bounds,
        rounds: Vec::new(),
        foreign: Vec::new(),
        measured_at_s: jiff::Timestamp::now().as_second(),
        notes: Vec::new(),
    }
}

/// Runs `round` once, and again while others worked beside it; gives its outcome and their share.
pub(crate) async fn quietly<T, F: Future<Output = anyhow::Result<T>>>(
    plan: &Plan,
    round: impl Fn() -> F,
) -> anyhow::Result<(T, f64)> {
    let mut best: Option<(T, f64)> = None;
    for _ in 0..=TRIES {
        let reading = Reading::now();
        let outcome = round().await?;
        let foreign = reading.foreign();
        if best.as_ref().is_none_or(|(_, least)| foreign < *least) {
            best = Some((outcome, foreign));
        }
        if foreign <= plan.noise() {
            break;
        }
        eprintln!("    noisy: others took {:.0} %", foreign * 100.0);
    }
    best.ok_or_else(|| anyhow::anyhow!("no round was run"))
}
