//! The logs have no gaps, and the streams are their copies.

use std::collections::{HashMap, HashSet};

use super::Evidence;
use crate::place::SERVICES;
use crate::report::Check;
use crate::streams;

/// Every log counts from 1 to its head, ids are unique, and the versions of an aggregate never go back.
pub(super) fn without_gaps(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("the logs have no gaps, no id twice, and each aggregate in order (R3, R4)");
    for (service, events) in &evidence.facts.logs {
        let (mut ids, mut versions) = (HashSet::new(), HashMap::new());
        for (event, place) in events.iter().zip(1_i64..) {
            let before = versions.insert(event.aggregate_id, event.aggregate_version).unwrap_or_default();
            check.that(event.seq == place && ids.insert(event.event_id) && before <= event.aggregate_version, || {
                format!("{service} {}: at place {place}, version {} after {before}", event.seq, event.aggregate_version)
            });
        }
        let (head, last) = (evidence.facts.heads.get(service), events.len() as i64);
        check.that(head == Some(&last), || format!("{service}: the head says {head:?}, the log has {last}"));
    }
    check
}

/// Sequence and id of every message are those of the log.
pub(super) async fn streams(evidence: &Evidence<'_>) -> anyhow::Result<Check> {
    let mut check = Check::of("the sequence in the stream is the sequence in the log, with the same event (R7, R8)");
    for (service, _) in SERVICES {
        let Some(log) = evidence.facts.logs.get(service).filter(|log| !log.is_empty()) else { continue };
        let held = match streams::read(&evidence.place.nats, service).await {
            Ok(held) => held,
            Err(error) => {
                check.that(false, || format!("the stream of {service} cannot be read: {error:#}"));
                continue;
            }
        };
        check.that(held.last == log.len() as u64, || {
            format!("the stream of {service} ends at {}, the log at {}", held.last, log.len())
        });
        for (seq, id) in held.messages {
            let event = usize::try_from(seq).ok().and_then(|seq| log.get(seq.checked_sub(1)?));
            check.that(event.is_some_and(|event| event.event_id.to_string() == id), || {
                format!("message {seq} of the stream of {service} is {id}, the log has {:?}", event.map(|e| e.event_id))
            });
        }
    }
    Ok(check)
}
