//! Ask question, record answer: what we ask in order to understand, and what the customer says.

use commit::{Verb, ensure, refuse};

use crate::Ticketing;
use crate::domain::care::Clarification;
use crate::domain::lifecycle::Command;
use crate::domain::{Case, CaseFile, ClarificationId, Cx, Desk, Event, Outcome, Refusal};

/// We ask this.
#[derive(Clone, Debug)]
pub struct AskQuestion {
    /// The complaint.
    pub case: Case,
    /// The question.
    pub question: String,
}

impl Verb<Ticketing> for AskQuestion {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::AskQuestion)?;

        let clarification = ClarificationId(cx.new_id());
        complaint.story.care.clarifications.push(Clarification {
            id: clarification,
            question: self.question.clone(),
            asked_by: cx.by.to_owned(),
            asked_at_us: cx.now_us,
            answer: None,
        });
        let event = Event::QuestionAsked { complaint: complaint.id, clarification };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

/// The customer says this.
#[derive(Clone, Debug)]
pub struct RecordAnswer {
    /// The complaint.
    pub case: Case,
    /// The question.
    pub clarification: ClarificationId,
    /// The answer.
    pub answer: String,
}

impl Verb<Ticketing> for RecordAnswer {
    type Reply = CaseFile;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<CaseFile> {
        let (complaint, next) = self.case.take(&mut desk.complaints, Command::RecordAnswer)?;
        let asked = &mut complaint.story.care.clarifications;
        let Some(asked) = asked.iter_mut().find(|asked| asked.id == self.clarification) else {
            refuse!(Refusal::QuestionNotFound)
        };
        ensure!(asked.answer.is_none(), Refusal::QuestionAnswered);

        asked.answer = Some((self.answer.clone(), cx.now_us));
        let event = Event::QuestionAnswered { complaint: complaint.id, clarification: self.clarification };
        complaint.step(next, event, &mut desk.history, cx);
        Ok(CaseFile::of(complaint, &mut desk.follow_ups)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::lifecycle::State;
    use crate::domain::stage::Stage;

    #[test]
    fn a_question_is_answered_once() {
        let (mut stage, case) = Stage::at(State::Acknowledged);
        let asked = stage.play(&AskQuestion { case: case.clone(), question: "Which coffee?".to_owned() }).unwrap();
        let clarification = asked.complaint.story.care.clarifications[0].id;
        let verb = RecordAnswer { case, clarification, answer: "The dark one".to_owned() };
        let answered = stage.play(&verb).unwrap().complaint.story.care.clarifications;
        assert_eq!(answered[0].answer, Some(("The dark one".to_owned(), stage.now_us())));
        assert_eq!(stage.play(&verb).unwrap_err(), Refusal::QuestionAnswered);
        let unknown = RecordAnswer { clarification: uuid::Uuid::nil().into(), ..verb };
        assert_eq!(stage.play(&unknown).unwrap_err(), Refusal::QuestionNotFound);
    }
}
