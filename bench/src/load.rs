//! The load generator: a number of callers, each with one operation at a time, for a while.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::stats::Latencies;

/// What came of a load.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Operations a second.
    pub(crate) rate: f64,
    /// Median duration of one, milliseconds.
    pub p50_ms: f64,
    /// 99th percentile, milliseconds.
    pub p99_ms: f64,
}

/// Keeps `callers` operations in flight for `span`. `operation` gets the number of the caller and of its operation;
/// the first failure ends the load.
pub(crate) async fn drive<F>(
    callers: u64,
    span: Duration,
    operation: impl Fn(u64, u64) -> F + Clone + Send + 'static,
) -> anyhow::Result<Outcome>
where
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let operation = operation.clone();
            tokio::spawn(async move {
                let mut latencies = Latencies::default();
                for turn in 0.. {
                    let begun = Instant::now();
                    if begun - started >= span {
                        break;
                    }
                    operation(caller, turn).await?;
                    latencies.add(begun.elapsed());
                }
                anyhow::Ok(latencies)
            })
        })
        .collect();
    let mut all = Latencies::default();
    for task in tasks {
        all.append(task.await??);
    }
    let rate = all.len() as f64 / started.elapsed().as_secs_f64();
    Ok(Outcome { rate, p50_ms: all.percentile_ms(0.5), p99_ms: all.percentile_ms(0.99) })
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same number for the same place, so that loads repeat.
pub(crate) const fn scatter(place: u64) -> u64 {
    let mut z = place.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
