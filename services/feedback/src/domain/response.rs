//! The answers of one customer to one invitation.

use uuid::Uuid;

use super::{Answer, InvitationId, ResponseId, ScoreClass, SurveyId};

/// A response that counts. Excluding and redacting come later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its id.
    pub id: ResponseId,
    /// Its version.
    pub version: i64,
    /// The survey.
    pub survey: SurveyId,
    /// Revision of the questions that were asked, from 1.
    pub survey_revision: i64,
    /// The invitation that it answers.
    pub invitation: InvitationId,
    /// Who answered.
    pub customer: Uuid,
    /// The branch that it is about.
    pub branch: Option<Uuid>,
    /// The answers; texts among them are personal data.
    pub answers: Vec<Answer>,
    /// The number that counts; `None` if it was skipped.
    pub score: Option<i32>,
    /// Whether it is good or bad.
    pub class: Option<ScoreClass>,
    /// The customer may be contacted about it.
    pub contact_ok: bool,
    /// Language of the page, BCP 47.
    pub locale: String,
    /// When it was handed in, microseconds since the Unix epoch.
    pub completed_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}
