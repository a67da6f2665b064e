//! A command that is sent once more gets the answer it got, and does nothing.

use anyhow::Context;

use super::Evidence;
use crate::asks::Answer;
use crate::callers::{ANSWER_AFTER_HEALING, locked};
use crate::facts::progress;
use crate::place::SERVICES;
use crate::report::Check;

/// At most so many are repeated.
const REPEATED: usize = 200;

/// Sends some acknowledged commands again.
pub(super) async fn same_answers(evidence: &Evidence<'_>) -> anyhow::Result<Check> {
    let mut check = Check::of("a repeat gets the stored answer and writes nothing (R11)");
    let karibu = evidence.place.client(1).await?;
    let to_repeat = locked(&evidence.seen.to_repeat).clone();
    for (ask, answer) in to_repeat.iter().rev().take(REPEATED) {
        let again = client::patiently(ANSWER_AFTER_HEALING, || ask.send(&karibu)).await;
        // What was made is the same; how it stands is told as of today (ADR 12), and never as of before.
        let version = |answer: &Answer| answer.etag.parse::<i64>().unwrap_or_default();
        let same = again.as_ref().is_ok_and(|again| again.id == answer.id && version(again) >= version(answer));
        check.that(same, || format!("{ask:?} got {answer:?}, and now {again:?}"));
    }
    for (service, _) in SERVICES {
        let before = evidence.facts.heads.get(service).copied();
        let (after, _) = progress(evidence.place, service).await.context("heads after the repeats")?;
        check.that(before == Some(after), || format!("{service}: the log went from {before:?} to {after}"));
    }
    Ok(check)
}
