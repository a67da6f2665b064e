//! Clients that we did not write: Python's grpcio by reflection, and nats-py on the subjects.

use std::time::Duration;

use karibu_tests::{Distributed, Foreign, Place, distributed, embedded};
use serde_json::Value;
use testkit::{Python, assert_eventually};

use crate::story::play;

async fn complain(place: &Place) -> Value {
    let mut command = Python::find().script("tests/python/complain.py");
    command.arg(place.address.trim_start_matches("http://")).arg(&place.key);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}: {out}\n{err}", place.mode);
    serde_json::from_str(out.trim()).unwrap_or_else(|error| panic!("{error}: {out}"))
}

fn check(mode: &str, heard: &Value) {
    let id = heard["opened"].as_str().unwrap();
    assert_eq!(heard["repeated"], heard["opened"], "{mode}: the same request id, the same complaint");
    assert_eq!(heard["read"]["complaintId"], id, "{mode}");
    assert_eq!(heard["read"]["state"], "COMPLAINT_STATE_RECEIVED", "{mode}");
    assert_eq!(heard["read"]["subject"], "Nobody was at the till", "{mode}");
    let events = heard["events"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{mode}: one event, though it was sent twice: {events:?}");
    assert_eq!(events[0]["type"], "karibu.ticketing.complaint.opened.v1", "{mode}");
    assert_eq!(events[0]["attributes"]["partitionkey"], id, "{mode}: {events:?}");
    assert_eq!(heard["bad_input"][0], "INVALID_ARGUMENT", "{mode}: {heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_client_complains_by_reflection_alone() {
    let place = embedded().await;
    check(place.mode, &complain(&place).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_client_and_a_nats_subscriber_use_the_distributed_suite() {
    let place = distributed(&[]).await;
    let wanted = ["opened", "resolved", "follow_up_due"].map(|event| format!("karibu.ticketing.complaint.{event}.v1"));
    let suite = place.keep.downcast_ref::<Distributed>().unwrap();
    let mut command = Python::find().script("tests/python/hear.py");
    command.arg(suite.nats.url()).arg(format!("{}.karibu.ticketing.>", suite.nats.namespace())).args(&wanted);
    let subscriber = Foreign::start(command);
    subscriber.wait_line("subscription", |line| line == "subscribed").await;
    play(&place).await;

    let messages =
        || -> Vec<Value> { subscriber.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect() };
    for kind in &wanted {
        let of_kind = || messages().into_iter().find(|message| message["headers"]["ce-type"] == kind.as_str());
        let message = assert_eventually(Duration::from_secs(30), || async { of_kind() }).await;
        let header = |name: &str| message["headers"][name].as_str().unwrap_or_default().to_owned();
        assert_eq!(header("ce-specversion"), "1.0", "{message}");
        assert_eq!(header("ce-datacontenttype"), "application/protobuf", "{message}");
        assert_eq!(header("ce-sequence").len(), 20, "{message}");
        assert!(header("ce-source").starts_with("//karibu/ticketing"), "{message}");
        assert!(!header("ce-id").is_empty() && !header("ce-time").is_empty() && !header("ce-partitionkey").is_empty());
        let event = kind.trim_end_matches(".v1").rsplit('.').next().unwrap();
        assert!(message["subject"].as_str().unwrap().ends_with(&format!(".complaint.{event}")), "{message}");
        assert!(message["bytes"].as_i64().unwrap() > 0, "protobuf data");
    }
    check(place.mode, &complain(&place).await);
}
