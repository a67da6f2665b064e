//! Polling: it waits, it hands the value back, and it fails with the last reason.

use std::cell::Cell;
use std::time::Duration;

use testkit::assert_eventually;

#[tokio::test]
async fn waits_until_it_holds_and_returns_the_value() {
    let calls = Cell::new(0);
    let value = assert_eventually(Duration::from_secs(5), || async {
        calls.set(calls.get() + 1);
        (calls.get() == 4).then_some("there")
    })
    .await;
    assert_eq!((value, calls.get()), ("there", 4));
}

#[tokio::test]
#[should_panic(expected = "last: \"only 2 of 3\"")]
async fn fails_with_the_last_reason() {
    let calls = Cell::new(0);
    assert_eventually(Duration::ZERO, || async {
        calls.set(calls.get() + 1);
        Err::<(), _>(format!("only {} of 3", calls.get()))
    })
    .await;
}

#[tokio::test]
#[should_panic(expected = "the check itself did not return")]
async fn fails_when_the_check_hangs() {
    assert_eventually(Duration::ZERO, std::future::pending::<bool>).await;
}
