//! Reading errors and waiting for what passes: a busy queue, a restarting service, a fact that is on its
//! way from another service.

use std::future::Future;
use std::time::{Duration, Instant};

use tonic::{Code, Status};
use tonic_types::StatusExt;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The stable reason of an error in UPPER_SNAKE, such as `VERSION_MISMATCH`.
pub fn reason(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
}

/// How long the server asks to wait before the call is repeated.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}

/// Whether the same call may succeed a moment later: the server is busy or away, or a fact that it needs
/// (a new branch) has not reached it yet.
pub fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable | Code::ResourceExhausted => true,
        Code::FailedPrecondition => reason(status).is_some_and(|reason| reason.ends_with("_UNKNOWN")),
        _ => false,
    }
}

/// Repeats `call` while its error passes, for at most `limit`. The call must carry a request id, so that
/// a repeat cannot take effect twice.
pub async fn patiently<T, F>(limit: Duration, mut call: impl FnMut() -> F) -> Result<T, Status>
where
    F: Future<Output = Result<T, Status>>,
{
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        match call().await {
            Err(status) if is_passing(&status) && started.elapsed() < limit => {
                tokio::time::sleep(retry_after(&status).unwrap_or(pause).min(LONGEST_PAUSE)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    fn status(code: Code, reason: &str) -> Status {
        Status::with_error_details(code, "", ErrorDetails::with_error_info(reason, "karibu", []))
    }

    #[test]
    fn only_what_passes_is_repeated() {
        assert!(is_passing(&status(Code::Unavailable, "DATABASE_UNAVAILABLE")));
        assert!(is_passing(&status(Code::FailedPrecondition, "BRANCH_UNKNOWN")));
        assert!(!is_passing(&status(Code::FailedPrecondition, "ALREADY_RESOLVED")));
        assert!(!is_passing(&status(Code::InvalidArgument, "BRANCH_UNKNOWN")));
    }

    #[tokio::test]
    async fn a_passing_error_is_tried_again_and_a_final_one_is_not() {
        let mut calls = 0;
        let outcome = patiently(Duration::from_secs(5), || {
            calls += 1;
            let answer = if calls < 3 { Err(Status::unavailable("")) } else { Ok(calls) };
            async move { answer }
        })
        .await;
        assert_eq!(outcome.ok(), Some(3));
        let mut calls = 0;
        let outcome: Result<(), _> = patiently(Duration::from_secs(5), || {
            calls += 1;
            async { Err(Status::not_found("")) }
        })
        .await;
        assert_eq!((outcome.map_err(|s| s.code()), calls), (Err(Code::NotFound), 1));
    }
}
