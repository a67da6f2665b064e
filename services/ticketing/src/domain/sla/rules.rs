//! Rules: what verbs go by when they reckon clocks: the policies, the hours of the branches over time, and the tree of the
//! branches. Read inside the write path when they have changed, and held in memory.

use std::collections::HashMap;

use calendar::{CalendarSpec, OpeningCalendar};
use commit::{Missing, Slot};
use uuid::Uuid;

use super::hours::{Hours, Spell};
use super::policy::{SlaPolicy, Subject, Terms};
use crate::domain::complaint::Complaint;
use crate::domain::{BranchId, Cx};

/// Levels of branches that are looked at, at most: a tree that is broken does not hang anything.
const MAX_LEVELS: usize = 16;

/// What verbs go by when they reckon clocks.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Counts up with every change of a policy or of opening hours.
    pub revision: i64,
    /// Every policy, in the order in which they are tried.
    pub policies: Vec<SlaPolicy>,
    /// The hours of the branches that have or had some, oldest first.
    pub hours: HashMap<BranchId, Vec<Spell>>,
    /// The branch above each.
    pub parents: HashMap<BranchId, BranchId>,
}

impl Rules {
    /// The hours of a branch over time.
    pub fn hours(&self, branch: BranchId) -> Hours<'_> {
        self.hours.get(&branch).map_or(Hours::Always, |spells| Hours::Open(spells))
    }

    /// The hours of a branch today; `None` is day and night.
    pub fn calendar(&self, branch: BranchId) -> Option<&OpeningCalendar> {
        self.hours.get(&branch).and_then(|spells| spells.last()).and_then(|spell| spell.calendar.as_deref())
    }

    /// The branch and those above it, nearest first.
    pub fn path(&self, branch: BranchId) -> Vec<BranchId> {
        std::iter::successors(Some(branch), |below| self.parents.get(below).copied()).take(MAX_LEVELS).collect()
    }

    /// The branch and those below it.
    pub fn below(&self, branch: BranchId) -> Vec<BranchId> {
        let lower = self.parents.keys().copied().filter(|lower| self.path(*lower).contains(&branch));
        std::iter::once(branch).chain(lower.filter(|lower| *lower != branch)).collect()
    }

    /// What holds for a complaint as it stands; without a policy that fits, nothing is owed.
    pub fn terms_for(&self, complaint: &Complaint) -> Terms {
        if self.policies.is_empty() {
            return Terms::default();
        }
        let path = self.path(complaint.branch);
        let subject = Subject {
            branches: &path,
            kind: complaint.story.class.kind,
            severity: complaint.story.severity,
            priority: complaint.story.priority(),
        };
        self.terms_of(subject)
    }

    /// What holds for such a case.
    pub fn terms_of(&self, subject: Subject<'_>) -> Terms {
        self.policies.iter().find(|policy| policy.fits(subject)).map(SlaPolicy::terms).unwrap_or_default()
    }
}

/// The one row that counts changes of policies and hours.
const THE_BOOK: Uuid = Uuid::from_u128(1);

/// The count of changes of policies and hours, and how far open clocks were reckoned anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleBook {
    /// Its id; there is one.
    pub id: Uuid,
    /// Counts up when it is saved; nobody outside sees it.
    pub version: i64,
    /// Changes so far.
    pub revision: i64,
    /// The revision by which all open clocks were reckoned.
    pub swept: i64,
}

impl RuleBook {
    /// Counts a change: the batch ends here, and open clocks will be reckoned anew.
    pub fn note_change(books: &mut Slot<Self>, cx: &mut Cx<'_>) -> Result<(), Missing> {
        match books.edit(THE_BOOK)? {
            Some(book) => book.revision += 1,
            None => {
                books.insert(Self { id: THE_BOOK, version: 0, revision: 1, swept: 0 });
            }
        }
        cx.settings_changed();
        Ok(())
    }

    /// All open clocks were reckoned by `revision`.
    pub fn note_swept(books: &mut Slot<Self>, revision: i64) -> Result<(), Missing> {
        if books.get(THE_BOOK)?.is_some_and(|book| book.swept < revision)
            && let Some(book) = books.edit(THE_BOOK)?
        {
            book.swept = revision;
        }
        Ok(())
    }
}

/// Opening hours of a branch from an instant on. Rows are only added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchHours {
    /// The branch.
    pub branch: BranchId,
    /// Since when, microseconds since the Unix epoch.
    pub since_us: i64,
    /// The hours; `None` is day and night.
    pub calendar: Option<CalendarSpec>,
}
