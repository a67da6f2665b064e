//! An invitation of one customer to one survey, and what it asks about. It never goes backwards.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CaseEvent, CaseId, InvitationId, ResponseId, SurveyId};

/// Why an invitation did not go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressReason {
    /// The customer has an open complaint: it is no time for questions.
    OpenComplaint,
}

/// What called an invitation off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Something happened to the case.
    Case(CaseEvent),
    /// The survey was paused when its time came.
    SurveyPaused,
    /// The survey was over when its time came.
    SurveyClosed,
    /// The customer was erased before its time came.
    CustomerErased,
}

/// How far an invitation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum InvitationState {
    /// Its time has not come.
    Scheduled,
    /// It went out.
    Sent,
    /// It was answered.
    Completed {
        /// By this response.
        response: ResponseId,
        /// The page's own id of what it handed in.
        submission: Uuid,
        /// When, microseconds since the Unix epoch.
        completed_at_us: i64,
    },
    /// Its time is over.
    Expired,
    /// It did not go out.
    Suppressed {
        /// Why.
        reason: SuppressReason,
    },
    /// It was called off before it went out.
    Cancelled {
        /// By what.
        cause: Cause,
    },
}

impl InvitationState {
    /// The word that is stored and filtered by.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sent => "sent",
            Self::Completed { .. } => "completed",
            Self::Expired => "expired",
            Self::Suppressed { .. } => "suppressed",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// What a survey asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occasion {
    /// What happened.
    pub event: CaseEvent,
    /// To which case.
    pub case: CaseId,
    /// Which resolution of it, from 1.
    pub cycle: i64,
}

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// Its version.
    pub version: i64,
    /// The survey.
    pub survey: SurveyId,
    /// Revision of the questions that it asks, from 1.
    pub survey_revision: i64,
    /// Whom it asks.
    pub customer: Uuid,
    /// The branch that it is about.
    pub branch: Option<Uuid>,
    /// What it asks about.
    pub occasion: Occasion,
    /// How far it is.
    pub state: InvitationState,
    /// When it goes out, microseconds since the Unix epoch.
    pub scheduled_at_us: i64,
    /// When it went out, microseconds since the Unix epoch.
    pub sent_at_us: Option<i64>,
    /// When it ends, microseconds since the Unix epoch; known once it went out.
    pub expires_at_us: Option<i64>,
    /// When it was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

/// What the holder of the link finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageState {
    /// Questions.
    Open,
    /// It was answered.
    Spent,
    /// Its time is over.
    Expired,
    /// It was called off.
    Cancelled,
    /// The survey is over.
    Closed,
}

impl Invitation {
    /// What the holder of the link finds at `now_us` when the survey is over or not.
    pub fn page(&self, survey_closed: bool, now_us: i64) -> PageState {
        let is_late = self.expires_at_us.is_some_and(|end| end <= now_us);
        match self.state {
            InvitationState::Completed { .. } => PageState::Spent,
            InvitationState::Cancelled { .. } | InvitationState::Suppressed { .. } => PageState::Cancelled,
            InvitationState::Expired => PageState::Expired,
            InvitationState::Scheduled | InvitationState::Sent if survey_closed => PageState::Closed,
            InvitationState::Scheduled | InvitationState::Sent if is_late => PageState::Expired,
            InvitationState::Scheduled | InvitationState::Sent => PageState::Open,
        }
    }
}
