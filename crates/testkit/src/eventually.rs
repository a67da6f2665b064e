//! Waiting for something that happens a little later, without a sleep in the test: poll until it holds or time is up.

use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// What a polled check may answer: `bool`, `Option<T>` or `Result<T, E>`.
pub trait Outcome {
    /// What is handed back once the check holds.
    type Value;
    /// The value, or the reason why not yet.
    fn outcome(self) -> Result<Self::Value, String>;
}

impl Outcome for bool {
    type Value = ();
    fn outcome(self) -> Result<(), String> {
        if self { Ok(()) } else { Err("still false".to_owned()) }
    }
}

impl<T> Outcome for Option<T> {
    type Value = T;
    fn outcome(self) -> Result<T, String> {
        self.ok_or_else(|| "still None".to_owned())
    }
}

impl<T, E: Debug> Outcome for Result<T, E> {
    type Value = T;
    fn outcome(self) -> Result<T, String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

/// Calls `check` until it holds and returns its value; fails the test after `timeout` with the last reason.
///
/// `check` is called at least twice, so a first slow call cannot fail a test that would have passed. A single call that
/// hangs past the timeout fails too.
#[track_caller]
pub fn assert_eventually<C, F>(timeout: Duration, mut check: C) -> impl Future<Output = <F::Output as Outcome>::Value>
where
    C: FnMut() -> F,
    F: Future,
    F::Output: Outcome,
{
    let caller = Location::caller();
    async move {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut tries = 0_u32;
        loop {
            let answer = tokio::time::timeout(timeout.max(LONGEST_PAUSE), check()).await;
            tries += 1;
            let reason = match answer.map(Outcome::outcome) {
                Ok(Ok(value)) => return value,
                Ok(Err(reason)) => reason,
                Err(_) => "the check itself did not return".to_owned(),
            };
            if started.elapsed() >= timeout && tries > 1 {
                crate::fail(format_args!(
                    "not so within {timeout:?} ({tries} tries, asked at {caller}); last: {reason}"
                ));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
