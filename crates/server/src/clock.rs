//! Lets a test move the business time of a process from outside: a file says by how much it runs ahead. Only a
//! process that was given such a file looks for one.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use kernel::Clock;
use tokio_util::task::TaskTracker;

use crate::{Stop, timers};

/// How often the file is read.
const PERIOD: Duration = Duration::from_millis(50);

/// Keeps the offset of `clock` at the number of microseconds in the file at `path`. No file means no offset.
pub(crate) fn follow(tasks: &TaskTracker, stop: &Stop, clock: Clock, path: PathBuf) {
    timers::every(tasks, stop, "clock-offset", PERIOD, move || {
        let (clock, path) = (clock.clone(), path.clone());
        async move {
            let text = match tokio::fs::read_to_string(&path).await {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error).context("cannot read the clock offset"),
            };
            // An empty file is one that is being written.
            if !text.trim().is_empty() {
                clock.set_us(text.trim().parse().context("the clock offset is no number of microseconds")?);
            }
            Ok(())
        }
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn business_time_follows_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("offset");
        let (tasks, stop, clock) = (TaskTracker::new(), Stop::new(), Clock::system());
        follow(&tasks, &stop, clock.clone(), path.clone());
        let before = clock.now_us();
        for days in [1, 30] {
            std::fs::write(&path, (days * kernel::DAY_US).to_string()).unwrap();
            let moved = || async { clock.now_us() >= before + days * kernel::DAY_US };
            testkit::assert_eventually(Duration::from_secs(30), moved).await;
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
}
