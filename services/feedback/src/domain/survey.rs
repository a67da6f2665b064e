//! A survey: what it asks, when it invites by itself, and how far it is.

use kernel::BranchScope;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CaseEvent, Definition, Questionnaire, SurveyId, SurveyKind};

/// How far a survey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurveyState {
    /// It is being made.
    Draft,
    /// It invites and takes answers.
    Active,
    /// It takes answers, but does not invite.
    Paused,
    /// It is over.
    Closed,
}

impl SurveyState {
    const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Closed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Closed => "closed",
        }
    }

    /// The state with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// When a survey invites by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerRule {
    /// What starts it.
    pub on: CaseEvent,
    /// How long after that the invitation goes out, milliseconds.
    pub delay_ms: i64,
    /// What calls an invitation off that has not gone out.
    pub cancel_on: Vec<CaseEvent>,
}

/// A survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// Its id.
    pub id: SurveyId,
    /// Its version.
    pub version: i64,
    /// Code chosen by the business, unique.
    pub code: String,
    /// Name for people of the business.
    pub display_name: String,
    /// What it measures.
    pub kind: SurveyKind,
    /// How far it is.
    pub state: SurveyState,
    /// Every revision of its questions, the first at 0; the last is the present one. Never empty.
    pub revisions: Vec<Questionnaire>,
    /// When it invites by itself.
    pub trigger: Option<TriggerRule>,
    /// Branches for which it works, each with everything below it; empty means all.
    pub branches: Vec<Uuid>,
    /// How long an invitation is open, milliseconds.
    pub link_ttl_ms: i64,
    /// How its score is computed; `None` without a scale.
    pub metric: Option<Definition>,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl Survey {
    /// The number of the present revision, from 1.
    pub fn revision(&self) -> i64 {
        i64::try_from(self.revisions.len()).unwrap_or(i64::MAX)
    }

    /// The questions of a revision.
    pub fn questionnaire(&self, revision: i64) -> Option<&Questionnaire> {
        usize::try_from(revision - 1).ok().and_then(|place| self.revisions.get(place))
    }

    /// Whether a caller of this scope may change it: it must work in no branch out of reach.
    pub fn is_within(&self, scope: &BranchScope) -> bool {
        if self.branches.is_empty() { scope.is_all() } else { self.branches.iter().all(|branch| scope.allows(*branch)) }
    }
}
