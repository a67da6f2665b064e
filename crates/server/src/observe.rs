//! Makes what the write path, the relay and the consumers know of themselves visible as metrics. They count; here
//! stand the names only.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use commit::Stats;
use events::{Phase, Progress, RelayPhase, RelayState};
use opentelemetry::metrics::Meter;
use opentelemetry::{KeyValue, global};
use tokio::sync::watch;

fn meter() -> Meter {
    global::meter("karibu")
}

/// A counter that is read when it is asked for.
fn counter(
    name: &'static str,
    description: &'static str,
    attributes: Vec<KeyValue>,
    read: impl Fn() -> u64 + Send + Sync + 'static,
) {
    let callback =
        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| observer.observe(read(), &attributes);
    let _ = meter().u64_observable_counter(name).with_description(description).with_callback(callback).build();
}

/// A value that is read when it is asked for.
fn gauge(
    name: &'static str,
    description: &'static str,
    attributes: Vec<KeyValue>,
    read: impl Fn() -> i64 + Send + Sync + 'static,
) {
    let callback =
        move |observer: &dyn opentelemetry::metrics::AsyncInstrument<i64>| observer.observe(read(), &attributes);
    let _ = meter().i64_observable_gauge(name).with_description(description).with_callback(callback).build();
}

/// The write path of `service`.
pub(crate) fn write_path(service: &'static str, stats: Arc<Stats>) {
    type Read = fn(&Stats) -> u64;
    let counters: [(_, _, Option<&str>, Read); 5] = [
        ("karibu.commit.batches", "Transactions committed", None, |stats| stats.batches.load(Ordering::Relaxed)),
        ("karibu.commit.commands", "Commands decided", Some("accepted"), |stats| {
            stats.accepted.load(Ordering::Relaxed)
        }),
        ("karibu.commit.commands", "Commands decided", Some("refused"), |stats| stats.refused.load(Ordering::Relaxed)),
        ("karibu.commit.events", "Events written", None, |stats| stats.events.load(Ordering::Relaxed)),
        ("karibu.commit.retries", "Batches tried again", None, |stats| stats.retries.load(Ordering::Relaxed)),
    ];
    for (name, description, outcome, read) in counters {
        let mut attributes = vec![KeyValue::new("karibu.service", service)];
        attributes.extend(outcome.map(|outcome| KeyValue::new("karibu.outcome", outcome)));
        let stats = stats.clone();
        counter(name, description, attributes, move || read(&stats));
    }
}

/// The relay of the log `log`.
pub(crate) fn relay(log: &'static str, state: watch::Receiver<RelayState>) {
    let attributes = vec![KeyValue::new("karibu.log", log)];
    let of = state.clone();
    gauge("karibu.relay.unpublished_events", "Events not yet in the stream", attributes.clone(), move || {
        of.borrow().unpublished().max(0)
    });
    let of = state.clone();
    gauge("karibu.relay.forked", "1 when stream and log tell different histories", attributes.clone(), move || {
        i64::from(matches!(of.borrow().phase, RelayPhase::Forked { .. }))
    });
    counter("karibu.relay.conflicts", "Publishes that the stream refused", attributes, move || {
        state.borrow().conflicts
    });
}

/// A consumer and one of its sources.
pub(crate) fn consumer(progress: watch::Receiver<Progress>) {
    let attributes = {
        let now = progress.borrow();
        vec![KeyValue::new("karibu.consumer", now.consumer), KeyValue::new("karibu.log", now.source.clone())]
    };
    let of = progress.clone();
    gauge("karibu.consumer.lag_events", "Events known and not done with", attributes.clone(), move || {
        of.borrow().lag()
    });
    let of = progress.clone();
    gauge("karibu.consumer.halted", "1 when it cannot go on without an operator", attributes.clone(), move || {
        i64::from(matches!(of.borrow().phase, Phase::Halted { .. }))
    });
    type Read = fn(&Progress) -> u64;
    let outcomes: [(_, Read); 3] =
        [("applied", |now| now.applied), ("ignored", |now| now.ignored), ("parked", |now| now.parked)];
    for (outcome, read) in outcomes {
        let (of, mut attributes) = (progress.clone(), attributes.clone());
        attributes.push(KeyValue::new("karibu.outcome", outcome));
        counter("karibu.consumer.events", "Events done with", attributes, move || read(&of.borrow()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Scrape;
    use opentelemetry_sdk::metrics::SdkMeterProvider;

    #[test]
    fn the_counters_of_two_services_stand_side_by_side() {
        let scrape = Scrape::default();
        global::set_meter_provider(SdkMeterProvider::builder().with_reader(scrape.clone()).build());
        for (service, events) in [("one", 3), ("two", 5)] {
            let stats = Arc::new(Stats::default());
            stats.events.store(events, Ordering::Relaxed);
            stats.refused.store(events + 1, Ordering::Relaxed);
            write_path(service, stats);
        }
        let text = scrape.text();
        for line in [
            "karibu_commit_events_total{karibu_service=\"one\"} 3",
            "karibu_commit_events_total{karibu_service=\"two\"} 5",
            "karibu_commit_commands_total{karibu_outcome=\"accepted\",karibu_service=\"two\"} 0",
            "karibu_commit_commands_total{karibu_outcome=\"refused\",karibu_service=\"two\"} 6",
        ] {
            let found = text.lines().any(|is| sorted_labels(is) == sorted_labels(line));
            assert!(found, "{line} is missing in\n{text}");
        }
        assert_eq!(text.matches("# TYPE karibu_commit_events_total").count(), 1, "{text}");
    }

    /// Labels have no order.
    fn sorted_labels(line: &str) -> Vec<&str> {
        let mut parts: Vec<&str> = line.split(['{', ',', '}']).collect();
        parts.sort_unstable();
        parts
    }
}
