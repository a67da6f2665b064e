//! Domain types as messages of the contract, and fields of requests as domain types. Requests were validated before.

use commit::Answer as Reply;
use proto::karibu::feedback::v1 as wire;
use proto::karibu::types::v1::{KeyCount, LocalizedText};
use proto::{duration_from_ms, ms_from_duration, timestamp_from_us};
pub(crate) use server::field::{expected_version, id, instant, maybe_id};
use uuid::Uuid;

use crate::domain::{
    Activated, Aggregation, Answer, AnswerValue, CONFIDENCE, Choice, Closed, Created, Definition, Invitation,
    InvitationState, Occasion, PageState, Paused, Question, QuestionType, Questionnaire, Refusal, Response, Score,
    ScoreClass, Submitted, SuppressReason, Survey, SurveyKind, SurveyState, Texts, TriggerRule,
};
use crate::events::{case_event, type_of};

/// How long an invitation is open when nothing is said: 14 days, milliseconds.
const LINK_TTL_MS: i64 = 14 * 24 * 3_600 * 1_000;

/// An id that may be missing, as text.
pub(crate) fn text(id: Option<Uuid>) -> String {
    id.as_ref().map(Uuid::to_string).unwrap_or_default()
}

/// How long an invitation is open, milliseconds.
pub(crate) fn read_link_ttl(ttl: Option<&prost_types::Duration>) -> i64 {
    ttl.and_then(|ttl| ms_from_duration(ttl).ok()).unwrap_or(LINK_TTL_MS)
}

/// The number of a revision; there will never be two billion.
pub(crate) fn revision(revision: i64) -> i32 {
    i32::try_from(revision).unwrap_or(i32::MAX)
}

pub(crate) const fn survey_kind(kind: SurveyKind) -> wire::SurveyKind {
    match kind {
        SurveyKind::Nps => wire::SurveyKind::Nps,
        SurveyKind::Csat => wire::SurveyKind::Csat,
        SurveyKind::Ces => wire::SurveyKind::Ces,
        SurveyKind::Custom => wire::SurveyKind::Custom,
    }
}

/// The kind; an unspecified one was refused by validation.
pub(crate) fn read_survey_kind(kind: wire::SurveyKind) -> SurveyKind {
    match kind {
        wire::SurveyKind::Nps => SurveyKind::Nps,
        wire::SurveyKind::Csat => SurveyKind::Csat,
        wire::SurveyKind::Ces => SurveyKind::Ces,
        wire::SurveyKind::Custom | wire::SurveyKind::Unspecified => SurveyKind::Custom,
    }
}

/// The state to list; `None` for unspecified.
pub(crate) const fn read_survey_state(state: wire::SurveyState) -> Option<SurveyState> {
    match state {
        wire::SurveyState::Draft => Some(SurveyState::Draft),
        wire::SurveyState::Active => Some(SurveyState::Active),
        wire::SurveyState::Paused => Some(SurveyState::Paused),
        wire::SurveyState::Closed => Some(SurveyState::Closed),
        wire::SurveyState::Unspecified => None,
    }
}

/// The stored word of the state to list; `None` for unspecified.
pub(crate) const fn read_invitation_state(state: wire::InvitationState) -> Option<&'static str> {
    match state {
        wire::InvitationState::Suppressed => Some("suppressed"),
        wire::InvitationState::Scheduled => Some("scheduled"),
        wire::InvitationState::Sent => Some("sent"),
        wire::InvitationState::Completed => Some("completed"),
        wire::InvitationState::Expired => Some("expired"),
        wire::InvitationState::Cancelled => Some("cancelled"),
        wire::InvitationState::Unspecified => None,
    }
}

const fn question_type(kind: QuestionType) -> wire::QuestionType {
    match kind {
        QuestionType::Scale => wire::QuestionType::Scale,
        QuestionType::Single => wire::QuestionType::Single,
        QuestionType::Multi => wire::QuestionType::Multi,
        QuestionType::Text => wire::QuestionType::Text,
        QuestionType::ContactOk => wire::QuestionType::ContactOk,
    }
}

const fn read_question_type(kind: wire::QuestionType) -> QuestionType {
    match kind {
        wire::QuestionType::Scale => QuestionType::Scale,
        wire::QuestionType::Single => QuestionType::Single,
        wire::QuestionType::Multi => QuestionType::Multi,
        wire::QuestionType::ContactOk => QuestionType::ContactOk,
        // Validation has refused an unspecified one.
        wire::QuestionType::Text | wire::QuestionType::Unspecified => QuestionType::Text,
    }
}

fn texts(texts: &Texts) -> Vec<LocalizedText> {
    texts.iter().map(|(locale, text)| LocalizedText { locale: locale.clone(), text: text.clone() }).collect()
}

fn read_texts(texts: &[LocalizedText]) -> Texts {
    texts.iter().map(|text| (text.locale.clone(), text.text.clone())).collect()
}

/// What a survey shall ask.
pub(crate) fn read_questionnaire(locales: &[String], questions: &[wire::Question]) -> Questionnaire {
    let questions = questions.iter().map(|question| Question {
        id: question.question_id.clone(),
        kind: read_question_type(question.r#type()),
        text: read_texts(&question.text),
        required: question.required,
        scale: (question.scale_min, question.scale_max),
        low_label: read_texts(&question.low_label),
        high_label: read_texts(&question.high_label),
        choices: question
            .choices
            .iter()
            .map(|choice| Choice { id: choice.choice_id.clone(), text: read_texts(&choice.text) })
            .collect(),
    });
    Questionnaire { locales: locales.to_vec(), questions: questions.collect() }
}

/// When a survey shall invite by itself.
pub(crate) fn read_trigger(rule: &wire::TriggerRule) -> Result<TriggerRule, Refusal> {
    let cancel_on = rule.cancel_on_event_types.iter().map(|name| case_event(name).ok_or(Refusal::CancelUnknown));
    Ok(TriggerRule {
        on: case_event(&rule.event_type).ok_or(Refusal::TriggerUnknown)?,
        // Validation has refused durations that are out of range.
        delay_ms: rule.delay.as_ref().and_then(|delay| ms_from_duration(delay).ok()).unwrap_or_default(),
        cancel_on: cancel_on.collect::<Result<_, _>>()?,
    })
}

/// The answers handed in; a question without a value was skipped.
pub(crate) fn read_answers(answers: Vec<wire::Answer>) -> Vec<Answer> {
    let read = |answer: wire::Answer| {
        let value = match answer.value? {
            wire::answer::Value::Number(number) => AnswerValue::Number(number),
            wire::answer::Value::Text(text) => AnswerValue::Text(text),
            wire::answer::Value::Yes(yes) => AnswerValue::Yes(yes),
            wire::answer::Value::Choices(choices) => AnswerValue::Choices(choices.choice_ids),
        };
        Some(Answer { question: answer.question_id, value })
    };
    answers.into_iter().filter_map(read).collect()
}

fn question(question: &Question) -> wire::Question {
    wire::Question {
        question_id: question.id.clone(),
        r#type: question_type(question.kind).into(),
        text: texts(&question.text),
        required: question.required,
        scale_min: question.scale.0,
        scale_max: question.scale.1,
        low_label: texts(&question.low_label),
        high_label: texts(&question.high_label),
        choices: question
            .choices
            .iter()
            .map(|choice| wire::Choice { choice_id: choice.id.clone(), text: texts(&choice.text) })
            .collect(),
    }
}

fn trigger(rule: &TriggerRule) -> wire::TriggerRule {
    wire::TriggerRule {
        event_type: type_of(rule.on).to_owned(),
        delay: Some(duration_from_ms(rule.delay_ms)),
        cancel_on_event_types: rule.cancel_on.iter().map(|event| type_of(*event).to_owned()).collect(),
    }
}

fn definition(definition: &Definition) -> wire::MetricDefinition {
    let (aggregate, interval) = match definition.aggregation {
        Aggregation::TopBox => (wire::Aggregate::TopBox, wire::IntervalMethod::Wilson),
        Aggregation::Net => (wire::Aggregate::Net, wire::IntervalMethod::AdjustedWald),
        Aggregation::Mean => (wire::Aggregate::Mean, wire::IntervalMethod::NormalMean),
    };
    wire::MetricDefinition {
        kind: survey_kind(definition.kind).into(),
        scale_min: definition.scale_min,
        scale_max: definition.scale_max,
        positive_from: definition.positive_from,
        negative_to: Some(definition.negative_to),
        aggregate: aggregate.into(),
        interval: interval.into(),
        confidence: CONFIDENCE,
        min_count: i32::try_from(definition.min_count).unwrap_or(i32::MAX),
    }
}

pub(crate) fn survey(survey: &Survey) -> wire::Survey {
    let state = match survey.state {
        SurveyState::Draft => wire::SurveyState::Draft,
        SurveyState::Active => wire::SurveyState::Active,
        SurveyState::Paused => wire::SurveyState::Paused,
        SurveyState::Closed => wire::SurveyState::Closed,
    };
    let present = survey.revisions.last();
    wire::Survey {
        survey_id: survey.id.to_string(),
        code: survey.code.clone(),
        display_name: survey.display_name.clone(),
        kind: survey_kind(survey.kind).into(),
        state: state.into(),
        revision: revision(survey.revision()),
        locales: present.map(|present| present.locales.clone()).unwrap_or_default(),
        questions: present.into_iter().flat_map(|present| present.questions.iter().map(question)).collect(),
        trigger: survey.trigger.as_ref().map(trigger),
        branch_ids: survey.branches.iter().map(Uuid::to_string).collect(),
        link_ttl: Some(duration_from_ms(survey.link_ttl_ms)),
        metric: survey.metric.as_ref().map(definition),
        etag: survey.version.to_string(),
        create_time: Some(timestamp_from_us(survey.created_at_us)),
        update_time: Some(timestamp_from_us(survey.updated_at_us)),
    }
}

pub(crate) fn occasion(occasion: &Occasion) -> wire::Occasion {
    wire::Occasion {
        event_type: type_of(occasion.event).to_owned(),
        ref_id: occasion.case.to_string(),
        ref_seq: occasion.cycle,
    }
}

pub(crate) const fn suppress_reason(reason: SuppressReason) -> wire::SuppressReason {
    match reason {
        SuppressReason::OpenComplaint => wire::SuppressReason::OpenComplaint,
    }
}

pub(crate) fn invitation(invitation: &Invitation) -> wire::Invitation {
    let (mut suppress, mut completed_at_us) = (wire::SuppressReason::Unspecified, None);
    let state = match invitation.state {
        InvitationState::Scheduled => wire::InvitationState::Scheduled,
        InvitationState::Sent => wire::InvitationState::Sent,
        InvitationState::Expired => wire::InvitationState::Expired,
        InvitationState::Cancelled { .. } => wire::InvitationState::Cancelled,
        InvitationState::Completed { completed_at_us: at_us, .. } => {
            completed_at_us = Some(at_us);
            wire::InvitationState::Completed
        }
        InvitationState::Suppressed { reason } => {
            suppress = suppress_reason(reason);
            wire::InvitationState::Suppressed
        }
    };
    wire::Invitation {
        invitation_id: invitation.id.to_string(),
        survey_id: invitation.survey.to_string(),
        survey_revision: revision(invitation.survey_revision),
        customer_id: invitation.customer.to_string(),
        branch_id: text(invitation.branch),
        occasion: Some(occasion(&invitation.occasion)),
        state: state.into(),
        suppress_reason: suppress.into(),
        schedule_time: Some(timestamp_from_us(invitation.scheduled_at_us)),
        send_time: invitation.sent_at_us.map(timestamp_from_us),
        expire_time: invitation.expires_at_us.map(timestamp_from_us),
        complete_time: completed_at_us.map(timestamp_from_us),
        etag: invitation.version.to_string(),
        create_time: Some(timestamp_from_us(invitation.created_at_us)),
        update_time: Some(timestamp_from_us(invitation.updated_at_us)),
    }
}

pub(crate) const fn score_class(class: Option<ScoreClass>) -> wire::ScoreClass {
    match class {
        Some(ScoreClass::Positive) => wire::ScoreClass::Positive,
        Some(ScoreClass::Neutral) => wire::ScoreClass::Neutral,
        Some(ScoreClass::Negative) => wire::ScoreClass::Negative,
        None => wire::ScoreClass::Unspecified,
    }
}

fn answer(answer: &Answer) -> wire::Answer {
    let value = match &answer.value {
        AnswerValue::Number(number) => wire::answer::Value::Number(*number),
        AnswerValue::Text(text) => wire::answer::Value::Text(text.clone()),
        AnswerValue::Yes(yes) => wire::answer::Value::Yes(*yes),
        AnswerValue::Choices(ids) => wire::answer::Value::Choices(wire::ChoiceIds { choice_ids: ids.clone() }),
    };
    wire::Answer { question_id: answer.question.clone(), value: Some(value) }
}

pub(crate) fn response(response: &Response) -> wire::Response {
    wire::Response {
        response_id: response.id.to_string(),
        survey_id: response.survey.to_string(),
        survey_revision: revision(response.survey_revision),
        invitation_id: response.invitation.to_string(),
        customer_id: response.customer.to_string(),
        branch_id: text(response.branch),
        state: wire::ResponseState::Completed.into(),
        answers: response.answers.iter().map(answer).collect(),
        score: response.score,
        score_class: score_class(response.class).into(),
        contact_ok: response.contact_ok,
        locale: response.locale.clone(),
        complete_time: Some(timestamp_from_us(response.completed_at_us)),
        etag: response.version.to_string(),
        create_time: Some(timestamp_from_us(response.completed_at_us)),
        update_time: Some(timestamp_from_us(response.updated_at_us)),
    }
}

/// What the holder of a link sees, in the language nearest to `wish`. Questions are shown only if they can be answered.
pub(crate) fn page(invitation: &Invitation, survey: &Survey, wish: &str, now_us: i64) -> wire::SurveyPage {
    let found = invitation.page(survey.state == SurveyState::Closed, now_us);
    let state = match found {
        PageState::Open => wire::SurveyPageState::Open,
        PageState::Spent => wire::SurveyPageState::Spent,
        PageState::Expired => wire::SurveyPageState::Expired,
        PageState::Cancelled => wire::SurveyPageState::Cancelled,
        PageState::Closed => wire::SurveyPageState::Closed,
    };
    let asked = survey.questionnaire(invitation.survey_revision);
    let locale = asked.map(|asked| asked.speak(wish).to_owned()).unwrap_or_default();
    let questions = asked.filter(|_| found == PageState::Open).into_iter().flat_map(|asked| &asked.questions);
    wire::SurveyPage {
        state: state.into(),
        kind: survey_kind(survey.kind).into(),
        questions: questions.map(|question| page_question(question, &locale)).collect(),
        locales: asked.map(|asked| asked.locales.clone()).unwrap_or_default(),
        locale,
        expire_time: invitation.expires_at_us.map(timestamp_from_us),
    }
}

fn page_question(question: &Question, locale: &str) -> wire::PageQuestion {
    let spoken =
        |texts: &Texts| texts.iter().find(|(tag, _)| tag == locale).map(|(_, text)| text.clone()).unwrap_or_default();
    wire::PageQuestion {
        question_id: question.id.clone(),
        r#type: question_type(question.kind).into(),
        text: spoken(&question.text),
        required: question.required,
        scale_min: question.scale.0,
        scale_max: question.scale.1,
        low_label: spoken(&question.low_label),
        high_label: spoken(&question.high_label),
        choices: question
            .choices
            .iter()
            .map(|choice| wire::PageChoice { choice_id: choice.id.clone(), text: spoken(&choice.text) })
            .collect(),
    }
}

/// A score as it was true at `now_us`; without a scale there is no definition and no value.
pub(crate) fn survey_score(
    survey: &Survey,
    by_number: &std::collections::BTreeMap<i32, i64>,
    sent_count: i64,
    now_us: i64,
) -> wire::SurveyScore {
    let score: Option<Score> = survey.metric.map(|metric| metric.score(by_number));
    let estimate = score.and_then(|score| score.estimate);
    let share = score.and_then(|score| score.positive_share);
    let classes = score.map(|score| score.classes).unwrap_or_default();
    wire::SurveyScore {
        survey_id: survey.id.to_string(),
        value: estimate.map(|estimate| estimate.value),
        low: estimate.map(|estimate| estimate.interval.0),
        high: estimate.map(|estimate| estimate.interval.1),
        count: classes.count(),
        by_number: by_number
            .iter()
            .map(|(number, count)| KeyCount { key: number.to_string(), count: *count })
            .collect(),
        positive_count: classes.positive,
        neutral_count: classes.neutral,
        negative_count: classes.negative,
        few_answers: score.is_none_or(|score| score.few_answers),
        definition: survey.metric.as_ref().map(definition),
        sent_count,
        as_of_time: Some(timestamp_from_us(now_us)),
        positive_share: share.map(|share| share.value),
        positive_share_low: share.map(|share| share.interval.0),
        positive_share_high: share.map(|share| share.interval.1),
    }
}

impl Reply for Created<Survey> {
    type Wire = wire::CreateSurveyResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateSurveyResponse { survey: Some(survey(&self.0)) }
    }
}

impl Reply for Activated {
    type Wire = wire::ActivateSurveyResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::ActivateSurveyResponse { survey: Some(survey(&self.0)) }
    }
}

impl Reply for Paused {
    type Wire = wire::PauseSurveyResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::PauseSurveyResponse { survey: Some(survey(&self.0)) }
    }
}

impl Reply for Closed {
    type Wire = wire::CloseSurveyResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CloseSurveyResponse { survey: Some(survey(&self.0)) }
    }
}

impl Reply for Submitted {
    type Wire = wire::SubmitResponseResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::SubmitResponseResponse {
            response_id: self.response.to_string(),
            complete_time: Some(timestamp_from_us(self.completed_at_us)),
        }
    }
}
