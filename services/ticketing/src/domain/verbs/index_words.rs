//! Index words: the words of complaints that changed go into the index. The indexer reads; this verb notes how far it came,
//! so that two of them do no harm.

use commit::Verb;

use crate::Ticketing;
use crate::domain::search::{ComplaintWord, SearchIndex, THE_INDEX};
use crate::domain::{ComplaintId, Cx, Desk, Outcome};

/// These are the words of what changed in a part of the log.
#[derive(Clone, Debug)]
pub struct IndexWords {
    /// The last event that was in the index before.
    pub after_seq: i64,
    /// The last event that is in it now.
    pub to_seq: i64,
    /// Complaints with the time of their opening and their words, each complaint once.
    pub entries: Vec<(ComplaintId, i64, Vec<String>)>,
}

impl Verb<Ticketing> for IndexWords {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, _: &mut Cx<'_>) -> Outcome<()> {
        let known = desk.search_indexes.get(THE_INDEX)?.map_or(0, |index| index.seq);
        if known != self.after_seq {
            return Ok(());
        }
        match desk.search_indexes.edit(THE_INDEX)? {
            Some(index) => index.seq = self.to_seq,
            None => {
                desk.search_indexes.insert(SearchIndex { id: THE_INDEX, version: 0, seq: self.to_seq });
            }
        }
        for (complaint, opened_at_us, words) in &self.entries {
            for word in words {
                desk.complaint_words.push(ComplaintWord {
                    word: word.clone(),
                    opened_at_us: *opened_at_us,
                    complaint: *complaint,
                    seq: self.to_seq,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::stage::Stage;

    #[test]
    fn a_second_indexer_changes_nothing() {
        let mut stage = Stage::new();
        let entries = vec![(ComplaintId(uuid::Uuid::from_u128(9)), 1, vec!["tea".to_owned(), "coffee".to_owned()])];
        let verb = IndexWords { after_seq: 0, to_seq: 4, entries };
        for _ in 0..2 {
            stage.play(&verb).unwrap();
            assert_eq!(stage.words(), ["tea", "coffee"]);
        }
        stage.play(&IndexWords { after_seq: 4, to_seq: 5, ..verb }).unwrap();
        assert_eq!(stage.words().len(), 4);
    }
}
