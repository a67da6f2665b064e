//! Background tasks that come again and again: stop-aware, outliving a panic, and heard once when they begin to
//! fail and once when they are well again.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::Stop;

/// Runs `work` now and then every `period`, until `stop`. A run that takes longer delays the next one.
pub(crate) fn every<W, F>(tasks: &TaskTracker, stop: &Stop, name: &'static str, period: Duration, mut work: W)
where
    W: FnMut() -> F + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let stop = stop.clone();
    let span = tracing::info_span!("timer", timer = name);
    let run = async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                // After the stop no further run begins, even if one is due in the same moment.
                biased;
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            // Building the future may panic as well as running it.
            let attempt = AssertUnwindSafe(async { work().await }).catch_unwind();
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = attempt => outcome,
            };
            let error = match outcome {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error:#}")),
                Err(_) => Some("it panicked".to_owned()),
            };
            match &error {
                Some(error) if !failing => tracing::warn!(error, "failed, and is tried again every {period:?}"),
                None if failing => tracing::info!("well again"),
                _ => {}
            }
            failing = error.is_some();
        }
    };
    tasks.spawn(run.instrument(span));
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_timer_outlives_errors_and_panics_and_ends_on_stop() {
        let (tasks, stop, runs) = (TaskTracker::new(), Stop::new(), Arc::new(AtomicU32::new(0)));
        let (counted, end) = (runs.clone(), stop.clone());
        every(&tasks, &stop, "test", Duration::from_millis(1), move || {
            let (run, end) = (counted.fetch_add(1, Ordering::Relaxed), end.clone());
            async move {
                match run {
                    0 => anyhow::bail!("first"),
                    1 => panic!("second"),
                    2 => Ok(()),
                    _ => {
                        end.cancel();
                        Ok(())
                    }
                }
            }
        });
        tasks.close();
        tasks.wait().await;
        assert_eq!(runs.load(Ordering::Relaxed), 4);
    }
}
