//! Medians and percentiles.

use std::time::Duration;

/// The middle value; the mean of the two middle ones when there is an even number. 0 for none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

/// The least value; infinity for none.
pub(crate) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The largest value; minus infinity for none.
pub(crate) fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Durations of single operations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    /// Adds one, in whole microseconds.
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds all of another.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The nearest-rank percentile, `share` in 0..=1, milliseconds. 0 for none.
    pub(crate) fn percentile_ms(&mut self, share: f64) -> f64 {
        if self.0.is_empty() {
            return 0.0;
        }
        let rank = ((self.0.len() as f64 * share).ceil() as usize).clamp(1, self.0.len()) - 1;
        let (_, value, _) = self.0.select_nth_unstable(rank);
        f64::from(*value) / 1_000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_odd_and_even_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut all = Latencies::default();
        for ms in 1..=100 {
            all.add(Duration::from_millis(ms));
        }
        assert_eq!(all.percentile_ms(0.5), 50.0);
        assert_eq!(all.percentile_ms(0.99), 99.0);
        assert_eq!(all.percentile_ms(1.0), 100.0);
    }
}
