//! Each aggregate survives its row on both engines.

use feedback::domain::{
    Answer, AnswerValue, Branch, Case, CaseEvent, CaseId, Cause, Choice, Definition, Invitation, InvitationId,
    InvitationState, LinkSecret, Occasion, OpenCases, Question, QuestionType, Questionnaire, Response, ResponseId,
    ScoreClass, SuppressReason, Survey, SurveyId, SurveyKind, SurveyState, TriggerRule,
};
use stage::check_survival;
use uuid::Uuid;

use crate::bench::both;

fn survey() -> Survey {
    let text = || vec![("en".to_owned(), "Was it \"easy\"? ✓".to_owned())];
    let question = Question {
        id: "easy".into(),
        kind: QuestionType::Multi,
        text: text(),
        required: true,
        scale: (1, 7),
        low_label: text(),
        high_label: vec![],
        choices: vec![Choice { id: "a".into(), text: text() }],
    };
    Survey {
        id: SurveyId(Uuid::from_u128(1)),
        version: 2,
        code: "AFTER".into(),
        display_name: "After".into(),
        kind: SurveyKind::Ces,
        state: SurveyState::Paused,
        revisions: vec![Questionnaire { locales: vec!["en".into()], questions: vec![question] }],
        trigger: Some(TriggerRule { on: CaseEvent::Resolved, delay_ms: 3, cancel_on: vec![CaseEvent::Reopened] }),
        branches: vec![Uuid::from_u128(4)],
        link_ttl_ms: 5,
        metric: Some(Definition::of(SurveyKind::Ces, 1, 7)),
        created_at_us: 6,
        updated_at_us: 7,
    }
}

fn invitation(state: InvitationState) -> Invitation {
    Invitation {
        id: InvitationId(Uuid::from_u128(1)),
        version: 2,
        survey: SurveyId(Uuid::from_u128(3)),
        survey_revision: 4,
        customer: Uuid::from_u128(5),
        branch: Some(Uuid::from_u128(6)),
        occasion: Occasion { event: CaseEvent::Closed, case: CaseId(Uuid::from_u128(7)), cycle: 8 },
        state,
        scheduled_at_us: 9,
        sent_at_us: Some(10),
        expires_at_us: Some(11),
        created_at_us: 12,
        updated_at_us: 13,
    }
}

fn response() -> Response {
    let answer = |question: &str, value| Answer { question: question.into(), value };
    Response {
        id: ResponseId(Uuid::from_u128(1)),
        version: 2,
        survey: SurveyId(Uuid::from_u128(3)),
        survey_revision: 4,
        invitation: InvitationId(Uuid::from_u128(5)),
        customer: Uuid::from_u128(6),
        branch: Some(Uuid::from_u128(7)),
        answers: vec![
            answer("a", AnswerValue::Number(6)),
            answer("b", AnswerValue::Text("murakoze 🙏 \"cyane\"".into())),
            answer("c", AnswerValue::Yes(true)),
            answer("d", AnswerValue::Choices(vec!["x".into()])),
        ],
        score: Some(6),
        class: Some(ScoreClass::Positive),
        contact_ok: true,
        locale: "rw".into(),
        erased_at_us: Some(9),
        completed_at_us: 8,
        updated_at_us: 9,
    }
}

#[tokio::test]
async fn every_aggregate_survives_its_row() {
    let id = Uuid::from_u128;
    for bench in both().await {
        check_survival(&bench, survey()).await;
        check_survival(&bench, Survey { trigger: None, metric: None, branches: vec![], ..survey() }).await;
        let completed =
            InvitationState::Completed { response: ResponseId(id(20)), submission: id(21), completed_at_us: 22 };
        for state in [
            InvitationState::Scheduled,
            InvitationState::Sent,
            completed,
            InvitationState::Expired,
            InvitationState::Suppressed { reason: SuppressReason::OpenComplaint },
            InvitationState::Cancelled { cause: Cause::Case(CaseEvent::Reopened) },
            InvitationState::Cancelled { cause: Cause::SurveyPaused },
        ] {
            check_survival(&bench, invitation(state)).await;
        }
        let early = Invitation { branch: None, sent_at_us: None, expires_at_us: None, ..invitation(completed) };
        check_survival(&bench, early).await;
        check_survival(&bench, response()).await;
        check_survival(&bench, Response { score: None, class: None, branch: None, answers: vec![], ..response() })
            .await;
        check_survival(
            &bench,
            Case {
                id: CaseId(id(1)),
                customer: Some(id(2)),
                branch: Some(id(3)),
                open_for: Some(id(4)),
                cycle: 5,
                scheduled: vec![InvitationId(id(6))],
                version: 0,
            },
        )
        .await;
        check_survival(&bench, OpenCases { customer: id(1), count: 2, version: 0 }).await;
        check_survival(&bench, Branch { id: id(1), parent: Some(id(2)), closed: true, version: 0 }).await;
        check_survival(&bench, LinkSecret { secret: [0xFE; 32], version: 0 }).await;
    }
}
