//! Merging: two cases about one matter go on as one. The merged one points straight at the one that goes on, never
//! at a third, so that reading it takes one step. How alike two cases are is reckoned here too.

use std::collections::BTreeSet;

use kernel::DAY_US;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use super::lifecycle::State;
use super::{ComplaintId, Refusal};

/// A merge can be undone for so long.
pub const UNDO_DAYS: i64 = 30;
/// Cases that came in further apart are not the same matter.
pub const WINDOW_DAYS: i64 = 30;
/// From this score on, in thousandths, a case is shown as a candidate.
pub const CANDIDATE_SCORE: i64 = 350;

/// How a case was merged into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The case that it was merged into at first.
    pub first_into: ComplaintId,
    /// The case that goes on for it now.
    pub into: ComplaintId,
    /// Where it stood.
    pub stood: State,
    /// Why, in words.
    pub reason: String,
    /// Who did it.
    pub by: String,
    /// When.
    pub at_us: i64,
}

impl Merge {
    /// The first instant at which it can no longer be undone.
    pub const fn undo_until_us(&self) -> i64 {
        self.at_us.saturating_add(UNDO_DAYS * DAY_US)
    }
}

/// Whether `loser` may be merged into `winner`.
pub fn check(loser: &Complaint, winner: &Complaint) -> Result<(), Refusal> {
    if loser.id == winner.id {
        return Err(Refusal::MergeWithItself);
    }
    if !winner.state.is_open() {
        return Err(Refusal::MergeTargetOver);
    }
    if loser.customer.is_some() && winner.customer.is_some() && loser.customer != winner.customer {
        return Err(Refusal::CustomersDiffer);
    }
    if loser.story.has_open_promise() {
        return Err(Refusal::PromiseOpen);
    }
    if loser.story.has_pending_compensation() {
        return Err(Refusal::CompensationPending);
    }
    Ok(())
}

/// How likely two cases are about the same matter, in thousandths: who it is (400), the purchase (200), the words
/// (300, by the share of three-letter pieces that both have) and the category (100). Nothing for cases of different
/// customers, or that came in more than [`WINDOW_DAYS`] apart.
pub fn likeness(a: &Complaint, b: &Complaint) -> i64 {
    let apart_us = a.opened_at_us.saturating_sub(b.opened_at_us).saturating_abs();
    let strangers = a.customer.is_some() && b.customer.is_some() && a.customer != b.customer;
    if strangers || apart_us > WINDOW_DAYS * DAY_US {
        return 0;
    }
    let same_customer = a.customer.is_some() && a.customer == b.customer;
    let same_purchase = a.story.purchases.iter().any(|purchase| b.story.purchases.contains(purchase));
    let same_category = a.story.category.is_some() && a.story.category == b.story.category;
    let words = shared(
        &format!("{} {}", a.story.subject, a.story.narrative),
        &format!("{} {}", b.story.subject, b.story.narrative),
    );
    i64::from(same_customer) * 400 + i64::from(same_purchase) * 200 + i64::from(same_category) * 100 + words * 3 / 10
}

/// The share of three-letter pieces that two texts have in common, in thousandths (Jaccard 1912).
fn shared(a: &str, b: &str) -> i64 {
    let (a, b) = (pieces(a), pieces(b));
    let both = a.intersection(&b).count();
    let either = a.union(&b).count();
    i64::try_from(both * 1_000 / either.max(1)).unwrap_or(0)
}

fn pieces(text: &str) -> BTreeSet<[char; 3]> {
    let letters: Vec<char> = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    letters.windows(3).filter_map(|piece| piece.try_into().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_alike_by_what_they_share() {
        assert_eq!(shared("Wrong coffee", "WRONG COFFEE!"), 1_000);
        assert_eq!(shared("Wrong coffee", "The bus was late"), 0);
        assert!((1..1_000).contains(&shared("Wrong coffee delivered", "Wrong coffee again")));
        assert_eq!(shared("", ""), 0);
    }
}
