//! Moving the business time of processes from outside: the file that `--clock-offset-file` names. Inside one process a
//! test takes `kernel::Clock::manual` instead.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use crate::fail;

/// An offset to the wall clock, in microseconds, that all processes started with this file follow.
#[derive(Debug)]
pub struct ClockFile {
    path: PathBuf,
    offset_us: AtomicI64,
}

impl ClockFile {
    /// A file in `folder`, with an offset of zero.
    #[track_caller]
    pub fn new(folder: &Path) -> Self {
        let clock = Self { path: folder.join("clock-offset-us"), offset_us: AtomicI64::new(0) };
        clock.advance_us(0);
        clock
    }

    /// For `--clock-offset-file`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves business time forward by `by_us` microseconds. Each process sees it a moment later, on its own.
    #[track_caller]
    pub fn advance_us(&self, by_us: i64) {
        let offset_us = self.offset_us.fetch_add(by_us, Ordering::SeqCst) + by_us;
        // Renamed into place, so that no reader sees half a number.
        let partial = self.path.with_extension("partial");
        let written =
            std::fs::write(&partial, offset_us.to_string()).and_then(|()| std::fs::rename(&partial, &self.path));
        if let Err(error) = written {
            fail(format_args!("cannot move the clock in {}: {error}", self.path.display()));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::ClockFile;

    #[test]
    fn the_file_holds_the_sum() {
        let folder = tempfile::tempdir().unwrap();
        let clock = ClockFile::new(folder.path());
        clock.advance_us(5);
        clock.advance_us(-2);
        assert_eq!(std::fs::read_to_string(clock.path()).unwrap(), "3");
    }
}
