//! Every kind of fault once, and every promise.

use std::time::Duration;

use karibu_faults::{Plan, run};

/// The same for everyone, so that a failure here is a failure there.
const SEED: u64 = 20_261_122;
/// A run with fewer acknowledged commands proves nothing.
const LEAST: u64 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_outlives_every_fault() {
    let plan = Plan {
        seed: SEED,
        span: Duration::from_secs(45),
        replicas: 2,
        callers: 4,
        without: Vec::new(),
        at_least: LEAST,
        postgres: Vec::new(),
    };
    let report = run(&plan).await.unwrap();
    assert!(report.holds(), "{report}");
    let acknowledged: u64 = report.commands.values().map(|counts| counts[1]).sum();
    assert!(acknowledged >= LEAST, "a run with so few writes proves nothing\n{report}");
}
