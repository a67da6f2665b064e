//! docs/benchmarks.md: the part between the two marks is written by a run, the rest by hand.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;

use crate::machine;
use crate::result::{Good, Line};
use crate::rows;
use crate::stats::{least, median, most};

const BEGIN: &str = "<!-- written by cargo xtask bench: begin -->";
const END: &str = "<!-- written by cargo xtask bench: end -->";

/// The table of ratios.
pub(crate) fn table(lines: &BTreeMap<String, Line>) -> String {
    let mut text = String::from(
        "| row | measure | figure | yardstick | figure | ratio (least - most) | must | aim | |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for line in sorted(lines) {
        let ratios = line.ratios();
        let absolute = line.yardstick.is_empty();
        let sign = if line.good == Good::High { "" } else { "<= " };
        let unit = if absolute { format!(" {}", line.unit) } else { "x".to_owned() };
        let _ = writeln!(
            text,
            "| {} | {} | {} {} | {} | {} | {:.2}{unit} ({:.2} - {:.2}) | {sign}{} | {sign}{} | {} |",
            line.name,
            line.measure,
            shown(median(&line.rounds.iter().map(|round| round.0).collect::<Vec<_>>())),
            line.unit,
            line.yardstick,
            if absolute {
                String::new()
            } else {
                shown(median(&line.rounds.iter().map(|round| round.1).collect::<Vec<_>>()))
            },
            median(&ratios),
            least(&ratios),
            most(&ratios),
            line.bounds.0,
            line.bounds.1,
            line.verdict(),
        );
    }
    text
}

fn shown(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// In the order of the rows, P2 before P10.
fn sorted(lines: &BTreeMap<String, Line>) -> Vec<&Line> {
    let place = |line: &Line| rows::names().iter().position(|name| line.name.split(' ').next() == Some(*name));
    let mut sorted: Vec<&Line> = lines.values().collect();
    sorted.sort_by_key(|line| (place(line), line.name.clone()));
    sorted
}

/// Writes the table, the conditions and the further figures between the marks.
pub(crate) fn write(lines: &BTreeMap<String, Line>) -> anyhow::Result<()> {
    let path = machine::root().join("docs/benchmarks.md");
    let page = std::fs::read_to_string(&path).context("docs/benchmarks.md")?;
    let (before, rest) = page.split_once(BEGIN).context("docs/benchmarks.md has lost its first mark")?;
    let (_, after) = rest.split_once(END).context("docs/benchmarks.md has lost its last mark")?;
    let mut text = format!("{before}{BEGIN}\n\n{}\nConditions:\n\n", table(lines));
    for condition in machine::conditions() {
        let _ = writeln!(text, "* {condition}");
    }
    text.push_str("\nFurther figures, and the noise of each row (the most that other programs took of all processors in a round):\n\n");
    for line in sorted(lines) {
        let rounds = line.rounds.len();
        let day = day_of(line.measured_at_s);
        let _ = writeln!(text, "* {}: {rounds} rounds, {day}, noise {:.0} %", line.name, most(&line.foreign) * 100.0);
        for note in &line.notes {
            let _ = writeln!(text, "  * {note}");
        }
    }
    let is_there = |name: &str| lines.values().any(|line| line.name.split(' ').next() == Some(name));
    let missing: Vec<&str> = rows::names().into_iter().filter(|name| !is_there(name)).collect();
    if !missing.is_empty() {
        let _ = writeln!(text, "\nNot measured yet: {}.", missing.join(", "));
    }
    let _ = write!(text, "\n{END}{after}");
    std::fs::write(path, text)?;
    Ok(())
}

fn day_of(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}
