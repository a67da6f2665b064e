//! How many calls a caller may make: a bucket each, as one instant (the generic cell rate algorithm, ITU-T I.371).
//! Off unless it is configured.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use server::status::DOMAIN;
use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, QuotaViolation, StatusExt};

use crate::limits;

/// The rates of all callers. Clones share them.
#[derive(Clone, Debug)]
pub struct Rates(Option<Arc<Buckets>>);

#[derive(Debug)]
struct Buckets {
    /// Time that one call takes up.
    interval: Duration,
    /// How far a caller may run ahead.
    burst: Duration,
    /// When the bucket of a caller is empty again.
    empty_at: Mutex<HashMap<Arc<str>, Instant>>,
}

impl Rates {
    /// Every caller may make `calls_per_second` calls, and twice as many at once. 0 bounds nobody.
    pub fn new(calls_per_second: u32) -> Self {
        Self((calls_per_second > 0).then(|| {
            let interval = Duration::from_secs(1) / calls_per_second;
            let burst = Duration::from_secs(limits::BURST_SECONDS.into());
            Arc::new(Buckets { interval, burst, empty_at: Mutex::default() })
        }))
    }

    /// Counts a call of `subject`, or refuses it and says when to come again.
    pub fn take(&self, subject: &Arc<str>) -> Result<(), Status> {
        let Some(buckets) = &self.0 else { return Ok(()) };
        let now = Instant::now();
        let mut empty_at = buckets.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if empty_at.len() >= limits::MAX_RATED && !empty_at.contains_key(subject) {
            empty_at.retain(|_, at| *at > now);
            if empty_at.len() >= limits::MAX_RATED {
                empty_at.clear();
            }
        }
        let at = empty_at.entry(subject.clone()).or_insert(now);
        let filled = (*at).max(now) + buckets.interval;
        match (filled - now).checked_sub(buckets.burst) {
            Some(wait) if !wait.is_zero() => Err(exceeded(wait)),
            _ => {
                *at = filled;
                Ok(())
            }
        }
    }
}

fn exceeded(wait: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info("RATE_LIMITED", DOMAIN, HashMap::new());
    details.set_retry_info(Some(wait));
    details.set_quota_failure(vec![QuotaViolation::new("caller", "calls per second")]);
    Status::with_error_details(Code::ResourceExhausted, "the caller makes too many calls", details)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_caller_gets_its_burst_then_its_rate_and_does_not_slow_others() {
        let rates = Rates::new(10);
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let burst = 10 * limits::BURST_SECONDS;
        assert!((0..burst).all(|_| rates.take(&ann).is_ok()));
        let refused = rates.take(&ann).unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.get_details_retry_info().unwrap().retry_delay.unwrap() <= Duration::from_millis(100));
        assert!(rates.take(&bob).is_ok());
        tokio::time::advance(Duration::from_millis(100)).await;
        assert!(rates.take(&ann).is_ok());
        assert!(rates.take(&ann).is_err());
    }

    #[tokio::test]
    async fn without_a_rate_nobody_is_bounded() {
        let rates = Rates::new(0);
        assert!((0..10_000).all(|_| rates.take(&"ann".into()).is_ok()));
    }
}
