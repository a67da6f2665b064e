//! Telemetry against a receiver that we did not write: one trace follows a complaint from the gateway
//! through ticketing and its event to loyalty, and metrics arrive beside it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use karibu_tests::{Foreign, distributed};
use serde_json::Value;
use testkit::{Python, assert_eventually};

use crate::story::play;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_follows_a_complaint_from_the_gateway_to_loyalty() {
    let sink = Foreign::start(Python::find().script("tests/python/otlp_sink.py"));
    let port: Value = serde_json::from_str(&sink.wait_line("port", |line| line.contains("port")).await).unwrap();
    let endpoint = format!("http://127.0.0.1:{}", port["port"]);
    let place = distributed(&[("KARIBU_OTLP_ENDPOINT", &endpoint)]).await;
    play(&place).await;

    let parsed = || -> Vec<Value> { sink.lines().iter().filter_map(|line| serde_json::from_str(line).ok()).collect() };
    let trace = assert_eventually(Duration::from_secs(60), || async {
        let mut services: HashMap<String, HashSet<String>> = HashMap::new();
        for span in parsed() {
            let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
            services.entry(text("trace")).or_default().insert(text("service"));
        }
        let whole =
            |seen: &HashSet<String>| ["gateway", "ticketing", "loyalty"].iter().all(|name| seen.contains(*name));
        services.into_iter().find(|(trace, seen)| !trace.is_empty() && whole(seen)).map(|(trace, _)| trace)
    })
    .await;
    let spans: Vec<Value> = parsed().into_iter().filter(|span| span["trace"] == trace.as_str()).collect();
    let ids: HashSet<&str> = spans.iter().filter_map(|span| span["span"].as_str()).collect();
    let roots = spans.iter().filter(|span| !ids.contains(span["parent"].as_str().unwrap_or_default())).count();
    assert_eq!(roots, 1, "one root, everything else hangs below it: {spans:#?}");
    assert_eventually(Duration::from_secs(60), || async { parsed().iter().any(|line| line["metric"].is_string()) })
        .await;
}
