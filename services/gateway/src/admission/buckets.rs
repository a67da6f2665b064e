//! A bucket for everyone who calls, as one instant each (the generic cell rate algorithm, ITU-T I.371). The table never
//! grows past its limit, and filling it with strangers does not wipe out what others owe.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits;

/// Buckets by key.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// Time that one call takes up.
    interval: Duration,
    /// How far a caller may run ahead.
    burst: Duration,
    /// When the bucket of a caller is empty again.
    empty_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Everyone may make this many calls each second, and [`limits::BURST_SECONDS`] times as many at once. `None` for 0,
    /// which bounds nobody.
    pub(super) fn new(calls_per_second: u32) -> Option<Self> {
        (calls_per_second > 0).then(|| Self {
            interval: Duration::from_secs(1) / calls_per_second,
            burst: Duration::from_secs(limits::BURST_SECONDS.into()),
            empty_at: Mutex::default(),
        })
    }

    /// Counts a call; the error is how long to wait.
    pub(super) fn take(&self, key: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let mut empty_at = self.lock();
        let filled = empty_at.get(key).map_or(now, |at| (*at).max(now)) + self.interval;
        self.within(filled, now)?;
        if empty_at.len() >= limits::MAX_RATED && !empty_at.contains_key(key) {
            make_room(&mut empty_at, now);
        }
        empty_at.insert(key.clone(), filled);
        Ok(())
    }

    /// Whether a call would be counted; the error is how long to wait.
    pub(super) fn check(&self, key: &K) -> Result<(), Duration> {
        let now = Instant::now();
        let filled = self.lock().get(key).map_or(now, |at| (*at).max(now)) + self.interval;
        self.within(filled, now)
    }

    fn within(&self, filled: Instant, now: Instant) -> Result<(), Duration> {
        match (filled - now).checked_sub(self.burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// A panic elsewhere cannot leave the map half written, so a poisoned lock is taken as it is.
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Instant>> {
        self.empty_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets empty buckets, and when there are none, the half of the callers that owes least: who floods stays known.
fn make_room<K: Hash + Eq + Clone>(empty_at: &mut HashMap<K, Instant>, now: Instant) {
    empty_at.retain(|_, at| *at > now);
    if empty_at.len() < limits::MAX_RATED {
        return;
    }
    let mut instants: Vec<Instant> = empty_at.values().copied().collect();
    let middle = instants.len() / 2;
    let (_, median, _) = instants.select_nth_unstable(middle);
    let median = *median;
    empty_at.retain(|_, at| *at > median);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_gets_its_burst_then_its_rate_and_does_not_slow_others() {
        let buckets = Buckets::new(10).unwrap();
        let burst = 10 * limits::BURST_SECONDS;
        assert!((0..burst).all(|_| buckets.take(&"ann").is_ok()));
        assert!(buckets.check(&"ann").is_err());
        assert!(buckets.take(&"ann").unwrap_err() <= Duration::from_millis(100));
        assert!(buckets.take(&"bob").is_ok());
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(buckets.check(&"ann").is_ok(), "looking takes nothing");
        assert!(buckets.take(&"ann").is_ok());
        assert!(buckets.take(&"ann").is_err());
        assert!(Buckets::<u8>::new(0).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bound_and_a_flood_of_names_frees_nobody_who_floods() {
        let buckets = Buckets::new(1).unwrap();
        let flooder = usize::MAX;
        while buckets.take(&flooder).is_ok() {}
        for name in 0..3 * limits::MAX_RATED {
            buckets.take(&name).unwrap();
            assert!(buckets.lock().len() <= limits::MAX_RATED);
        }
        assert!(buckets.take(&flooder).is_err(), "it is still known");
        tokio::time::advance(Duration::from_secs(60)).await;
        for name in 0..=limits::MAX_RATED {
            buckets.take(&name).unwrap();
        }
        assert!(buckets.take(&flooder).is_ok(), "it has waited");
    }
}
