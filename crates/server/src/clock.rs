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
