//! Sending batches, several at a time, with a progress bar on a terminal.

use std::future::Future;
use std::io::IsTerminal;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use prost::Message;

use super::{BATCH_ITEMS, IN_FLIGHT};

/// Encoded bytes of one batch; the gateway takes 1 MiB.
const BATCH_BYTES: usize = 900_000;

/// Cuts `items` into batches that one call may carry.
pub(super) fn batches<T, M: Message>(items: Vec<T>, message: impl Fn(&T) -> &M) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let (mut batch, mut bytes) = (Vec::new(), 0);
    for item in items {
        let size = message(&item).encoded_len() + 8;
        if !batch.is_empty() && (batch.len() == BATCH_ITEMS || bytes + size > BATCH_BYTES) {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        bytes += size;
        batch.push(item);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Sends every batch and gives their outcomes in order; ends at the first that fails for good.
pub(super) async fn all<T, R, F>(
    batches: Vec<Vec<T>>,
    progress: &ProgressBar,
    rows: impl Fn(&T) -> u64,
    send: impl Fn(Vec<T>) -> F,
) -> anyhow::Result<Vec<R>>
where
    F: Future<Output = anyhow::Result<R>>,
{
    let calls = batches.into_iter().map(|batch| {
        let count: u64 = batch.iter().map(&rows).sum();
        let call = send(batch);
        async move {
            let outcome = call.await;
            progress.inc(count);
            outcome
        }
    });
    stream::iter(calls).buffered(IN_FLIGHT).try_collect().await
}

/// A progress bar over rows; hidden when nobody looks.
pub(super) fn progress(wanted: bool, rows: u64) -> ProgressBar {
    if !wanted || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} rows, {per_sec}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(rows).with_style(style)
}
