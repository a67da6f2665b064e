//! Taking answers: once per invitation, however often they are handed in.

use commit::{Cx, Stop, Verb, ensure, refuse};
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{
    Answer, Desk, Event, InvitationId, InvitationState, PageState, Refusal, Response, ResponseId, SurveyState,
};

/// The holder of a link hands answers in. That the link is true was checked before.
#[derive(Clone, Debug)]
pub struct SubmitResponse {
    /// The invitation of the link.
    pub invitation: InvitationId,
    /// Made by the page once: the same again is answered with what stands.
    pub submission: Uuid,
    /// The answers.
    pub answers: Vec<Answer>,
    /// Language of the page.
    pub locale: String,
}

/// What stands after answers were handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The response.
    pub response: ResponseId,
    /// When it was handed in, microseconds since the Unix epoch.
    pub completed_at_us: i64,
}

impl Verb<Feedback> for SubmitResponse {
    type Reply = Submitted;

    fn decide(&self, world: &mut Desk, cx: &mut Cx<'_, Feedback>) -> Result<Submitted, Stop<Refusal>> {
        let Some(invitation) = world.invitations.get(self.invitation)?.cloned() else {
            refuse!(Refusal::InvitationNotFound)
        };
        if let InvitationState::Completed { response, submission, completed_at_us } = invitation.state {
            ensure!(submission == self.submission, Refusal::LinkSpent);
            return Ok(Submitted { response, completed_at_us });
        }
        // Before it went out nobody can hold its link.
        ensure!(invitation.state != InvitationState::Scheduled, Refusal::InvitationNotFound);
        ensure!(world.erasures.get(invitation.customer)?.is_none(), Refusal::LinkCancelled);
        let Some(survey) = world.surveys.get(invitation.survey)? else { refuse!(Refusal::InvitationNotFound) };
        match invitation.page(survey.state == SurveyState::Closed, cx.now_us) {
            PageState::Open => {}
            PageState::Spent => refuse!(Refusal::LinkSpent),
            PageState::Expired => refuse!(Refusal::LinkExpired),
            PageState::Cancelled => refuse!(Refusal::LinkCancelled),
            PageState::Closed => refuse!(Refusal::SurveyClosed),
        }
        let Some(questionnaire) = survey.questionnaire(invitation.survey_revision) else {
            refuse!(Refusal::InvitationNotFound)
        };
        questionnaire.check_answers(&self.answers).map_err(Stop::Refused)?;
        let score = questionnaire.score_of(&self.answers);
        let contact_ok = questionnaire.contact_ok(&self.answers);
        let locale = questionnaire.speak(&self.locale).to_owned();
        let (kind, metric) = (survey.kind, survey.metric);
        let id = ResponseId(cx.new_id());
        let response = world.responses.insert(Response {
            id,
            version: 0,
            survey: invitation.survey,
            survey_revision: invitation.survey_revision,
            invitation: invitation.id,
            customer: invitation.customer,
            branch: invitation.branch,
            answers: self.answers.clone(),
            score,
            class: score.zip(metric).map(|(score, metric)| metric.class(score)),
            contact_ok,
            locale,
            erased_at_us: None,
            completed_at_us: cx.now_us,
            updated_at_us: cx.now_us,
        });
        let told = response.clone();
        cx.emit(response, Event::ResponseCompleted { response: told, kind, occasion: invitation.occasion });
        if let Some(invitation) = world.invitations.edit(self.invitation)? {
            let (submission, completed_at_us) = (self.submission, cx.now_us);
            invitation.state = InvitationState::Completed { response: id, submission, completed_at_us };
            invitation.updated_at_us = cx.now_us;
        }
        Ok(Submitted { response: id, completed_at_us: cx.now_us })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use kernel::BranchScope;

    use super::*;
    use crate::domain::verbs::case::tests::{followed, stage};
    use crate::domain::verbs::{CloseSurvey, SendInvitation};
    use crate::domain::{AnswerValue, CaseEvent, Invitation, ScoreClass};

    /// A stage with an invitation that went out.
    fn sent() -> (Rehearsal<Feedback>, Invitation) {
        let mut stage = stage(|_| ());
        stage.play(&followed(1, CaseEvent::Resolved, Some(1))).unwrap();
        let Some(Event::InvitationScheduled(invitation)) = stage.told().pop() else { unreachable!() };
        stage.now_us = invitation.scheduled_at_us;
        stage.play(&SendInvitation { id: invitation.id }).unwrap();
        stage.told();
        (stage, invitation)
    }

    fn submit(invitation: &Invitation, submission: u128, number: i32) -> SubmitResponse {
        SubmitResponse {
            invitation: invitation.id,
            submission: Uuid::from_u128(submission),
            answers: vec![
                Answer { question: "easy".into(), value: AnswerValue::Number(number) },
                Answer { question: "words".into(), value: AnswerValue::Text("murakoze".into()) },
            ],
            locale: "rw-RW".into(),
        }
    }

    #[test]
    fn answers_are_taken_once_and_a_repeat_gets_what_stands() {
        let (mut stage, invitation) = sent();
        let first = stage.play(&submit(&invitation, 1, 6)).unwrap();
        let told = stage.told();
        let [Event::ResponseCompleted { response, occasion, .. }] = told.as_slice() else { unreachable!("{told:?}") };
        assert_eq!((response.score, response.class), (Some(6), Some(ScoreClass::Positive)));
        assert_eq!((response.locale.as_str(), response.customer), ("rw", invitation.customer));
        assert_eq!(*occasion, invitation.occasion);
        stage.now_us += 1_000;
        assert_eq!(stage.play(&submit(&invitation, 1, 2)).unwrap(), first, "the first answers stand");
        assert_eq!(stage.play(&submit(&invitation, 2, 6)), Err(Refusal::LinkSpent));
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn a_link_that_is_late_or_whose_survey_is_over_takes_nothing() {
        let (mut stage, invitation) = sent();
        stage.now_us += 3_600_000_000;
        assert_eq!(stage.play(&submit(&invitation, 1, 6)), Err(Refusal::LinkExpired));
        let (mut stage, invitation) = sent();
        stage.play(&CloseSurvey { scope: BranchScope::All, id: invitation.survey, expected_version: None }).unwrap();
        assert_eq!(stage.play(&submit(&invitation, 1, 6)), Err(Refusal::SurveyClosed));
    }

    #[test]
    fn nothing_is_taken_before_an_invitation_went_out_or_for_answers_that_do_not_fit() {
        let (mut stage, invitation) = sent();
        assert!(matches!(stage.play(&submit(&invitation, 1, 8)), Err(Refusal::AnswerUnfit { answer: 0, .. })));
        stage.play(&submit(&invitation, 1, 7)).unwrap();
        stage.play(&followed(2, CaseEvent::Resolved, Some(1))).unwrap();
        let Some(Event::InvitationScheduled(early)) = stage.told().pop() else { unreachable!() };
        assert_eq!(stage.play(&submit(&early, 1, 6)), Err(Refusal::InvitationNotFound));
    }
}
