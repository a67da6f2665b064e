//! The main job, told in both modes with the same code and the same answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use karibu::story::{Ending, Silent, Stage, normalise, tell};
use karibu_tests::{Place, distributed, embedded};

pub async fn play(place: &Place) -> Ending {
    let advance = place.advance.clone();
    let stage = Stage {
        client: place.client().await,
        address: place.address.clone(),
        advance: Box::new(move |by_us| advance(by_us)),
        narrator: Arc::new(Silent),
    };
    tell(stage).await.unwrap_or_else(|error| panic!("{}: {error:?}", place.mode))
}

/// The types of the events of each log, in order. Sources differ in nothing but the epoch.
fn types(ending: &Ending) -> BTreeMap<String, Vec<String>> {
    let mut logs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (log, _, kind) in &ending.events {
        logs.entry(log.clone()).or_default().push(kind.clone());
    }
    logs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_is_the_same_embedded_and_distributed() {
    let (here, there) = (embedded().await, distributed(&[]).await);
    let (embedded, distributed) = (play(&here).await, play(&there).await);
    assert!(embedded.transcript.0.len() > 30, "every call is in the transcript");
    let (here, there) = (normalise(&embedded.transcript), normalise(&distributed.transcript));
    if let Some((line, (ours, theirs))) = here.lines().zip(there.lines()).enumerate().find(|(_, (a, b))| a != b) {
        let call = here.lines().take(line + 1).filter(|line| line.ends_with(" {") && !line.starts_with(' ')).last();
        panic!("answers differ in {call:?}, line {line}: embedded {ours:?}, distributed {theirs:?}");
    }
    assert_eq!(here.len(), there.len(), "one telling has more answers");
    let (ours, theirs) = (types(&embedded), types(&distributed));
    for log in ["organization", "profile", "ticketing", "loyalty", "feedback"] {
        let find = |logs: &BTreeMap<String, Vec<String>>| {
            logs.iter().find(|(source, _)| source.contains(log)).map(|(_, kinds)| kinds.clone()).unwrap_or_default()
        };
        let (ours, theirs) = (find(&ours), find(&theirs));
        assert!(!ours.is_empty(), "{log} tells events");
        assert_eq!(ours, theirs, "events of {log}, embedded (left)");
    }
}
