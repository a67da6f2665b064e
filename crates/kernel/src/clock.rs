//! The business clock: the only source of time for domain rules. It can be set and moved, so that a
//! test or a demo lets days pass; tokens and leases use the wall clock instead, never this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 60 * MINUTE_US;
/// Microseconds in 24 hours. A civil day of a branch may be longer or shorter.
pub const DAY_US: i64 = 24 * HOUR_US;

/// A shared clock. Clones show the same time and move together.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Hands>);

#[derive(Debug)]
struct Hands {
    ticking: bool,
    /// Offset to the wall clock when ticking, else the time itself; microseconds.
    value_us: AtomicI64,
}

impl Clock {
    /// The wall clock of this machine, movable by an offset.
    pub fn system() -> Self {
        Self(Arc::new(Hands { ticking: true, value_us: AtomicI64::new(0) }))
    }

    /// A clock that stands still at `start_us` (microseconds since the Unix epoch) until it is moved.
    pub fn manual(start_us: i64) -> Self {
        Self(Arc::new(Hands { ticking: false, value_us: AtomicI64::new(start_us) }))
    }

    /// Now, in microseconds since the Unix epoch, UTC.
    pub fn now_us(&self) -> i64 {
        let value = self.0.value_us.load(Ordering::Acquire);
        if self.0.ticking { wall_us() + value } else { value }
    }

    /// Moves the clock forward by `by_us` microseconds (back, if negative).
    pub fn advance_us(&self, by_us: i64) {
        self.0.value_us.fetch_add(by_us, Ordering::AcqRel);
    }

    /// Sets the offset of a ticking clock to the wall clock, or the time of a manual one; microseconds.
    pub fn set_us(&self, value_us: i64) {
        self.0.value_us.store(value_us, Ordering::Release);
    }
}

/// Before 1970 the clock reads 0: a machine with such a date is broken, and a panic would not mend it.
fn wall_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_clones_move_together() {
        let clock = Clock::manual(1_000);
        let twin = clock.clone();
        assert_eq!(clock.now_us(), 1_000);
        twin.advance_us(5);
        assert_eq!(clock.now_us(), 1_005);
    }

    #[test]
    fn a_system_clock_can_run_ahead() {
        let clock = Clock::system();
        let before = clock.now_us();
        clock.advance_us(3 * DAY_US);
        assert!(clock.now_us() >= before + 3 * DAY_US);
    }
}
