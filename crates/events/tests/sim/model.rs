//! A model of one JetStream stream: what it keeps, what it refuses, and all the ways in which it loses. No time and no
//! network in it; these are in `port`.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use bytes::Bytes;

/// A message as the stream keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

/// The stream.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) created: u64,
    pub(crate) first_seq: i64,
    pub(crate) last_seq: i64,
    pub(crate) messages: BTreeMap<i64, Stored>,
}

/// The server's side: one stream, or none.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) stream: Option<Kept>,
    /// Streams made so far.
    made: u64,
    /// Messages taken in so far, by whomever.
    pub(crate) taken: u64,
}

impl Model {
    /// Makes the stream if there is none.
    pub(crate) fn make(&mut self, first_seq: i64) -> &mut Kept {
        self.stream.get_or_insert_with(|| {
            self.made += 1;
            Kept { created: self.made, first_seq, last_seq: first_seq - 1, messages: BTreeMap::new() }
        })
    }

    /// Takes a message in behind `after`, or behind whatever is there.
    pub(crate) fn publish(&mut self, after: Option<i64>, message: Stored) -> Result<i64, String> {
        let Some(stream) = &mut self.stream else { return Err("no stream takes this subject".to_owned()) };
        if after.is_some_and(|after| after != stream.last_seq) {
            return Err(format!("wrong last sequence: {}", stream.last_seq));
        }
        stream.last_seq += 1;
        stream.messages.insert(stream.last_seq, message);
        if stream.messages.len() == 1 {
            stream.first_seq = stream.last_seq;
        }
        self.taken += 1;
        Ok(stream.last_seq)
    }

    /// A new leader that never had the newest `count` messages.
    pub(crate) fn lose_tail(&mut self, count: i64) -> i64 {
        let Some(stream) = &mut self.stream else { return 0 };
        let last_seq = (stream.last_seq - count).max(stream.first_seq - 1).max(0);
        stream.messages.retain(|seq, _| *seq <= last_seq);
        stream.last_seq = last_seq;
        stream.tidy();
        last_seq
    }

    /// A damaged block: messages in the middle are gone, the sequence stays.
    pub(crate) fn lose_inside(&mut self, seqs: impl Iterator<Item = i64>) {
        let Some(stream) = &mut self.stream else { return };
        for seq in seqs {
            stream.messages.remove(&seq);
        }
        stream.tidy();
    }

    /// Everything before `seq` is deleted, or everything.
    pub(crate) fn purge(&mut self, before: Option<i64>) {
        let Some(stream) = &mut self.stream else { return };
        let before = before.unwrap_or(i64::MAX);
        stream.messages.retain(|seq, _| *seq >= before);
        stream.tidy();
    }

    /// The stream is gone, as if it had never been.
    pub(crate) fn delete(&mut self) {
        self.stream = None;
    }

    pub(crate) fn last_seq(&self) -> i64 {
        self.stream.as_ref().map_or(0, |stream| stream.last_seq)
    }
}

impl Kept {
    /// The first sequence follows from what is left.
    fn tidy(&mut self) {
        self.first_seq = self.messages.keys().next().copied().unwrap_or(self.last_seq + 1);
    }
}
