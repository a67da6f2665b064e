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
    /// When its words were erased with its customer, microseconds since the Unix epoch; the score stays.
    pub erased_at_us: Option<i64>,
    /// When it was handed in, microseconds since the Unix epoch.
    pub completed_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl Response {
    /// Takes every answer out of it but the number that counts, and what it would take to reach the customer.
    pub fn erase(&mut self, now_us: i64) {
        self.answers.clear();
        self.contact_ok = false;
        self.updated_at_us = now_us;
        self.erased_at_us = Some(now_us);
    }
}
