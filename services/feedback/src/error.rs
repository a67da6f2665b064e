//! Why a call fails: one exhaustive map from refusals to status, code and reason. Messages say what to do, never what is
//! stored.

use commit::Refused;
use server::status;
use tonic::{Code, Status};

use crate::domain::Refusal;

/// The status of a command that has no reply.
pub(crate) fn refused(refused: Refused<Refusal>) -> Status {
    status::of_refused(refused, refusal)
}

/// The status of a token that is no link of ours.
pub(crate) fn link_unknown() -> Status {
    status::with_reason(Code::NotFound, "SURVEY_LINK_UNKNOWN", "this link leads nowhere")
}

/// The status of a refusal.
pub(crate) fn refusal(refusal: Refusal) -> Status {
    use Refusal as R;
    let failed = |reason, message: &str| status::with_reason(Code::FailedPrecondition, reason, message);
    match refusal {
        R::SurveyNotFound => status::with_reason(Code::NotFound, "SURVEY_NOT_FOUND", "there is no such survey"),
        R::SurveyCodeTaken => {
            status::with_reason(Code::AlreadyExists, "SURVEY_CODE_TAKEN", "another survey has this code")
        }
        R::WrongState { state } => status::with_facts(
            Code::FailedPrecondition,
            "WRONG_STATE",
            format!("the survey is {}; this step does not lead on from there", state.as_str()),
            [("state", state.as_str())],
        ),
        R::LocaleRepeated => status::invalid([("locales", "names a language twice")]),
        R::QuestionUnsound { question, field, why } => {
            status::invalid([(format!("questions[{question}].{field}"), why)])
        }
        R::TriggerUnknown => status::invalid([("trigger.event_type", "no survey is started by such an event")]),
        R::CancelUnknown => {
            status::invalid([("trigger.cancel_on_event_types", "no invitation is called off by such an event")])
        }
        R::BranchUnknown => failed("BRANCH_UNKNOWN", "a branch is not known here; if it is new, try again in a moment"),
        R::BranchesExceedCaller => status::with_reason(
            Code::PermissionDenied,
            "BRANCHES_EXCEED_CALLER",
            "the survey would work in branches that the caller does not reach",
        ),
        R::InvitationNotFound => link_unknown(),
        R::LinkSpent => failed("SURVEY_LINK_SPENT", "the survey was answered already"),
        R::LinkExpired => failed("SURVEY_LINK_EXPIRED", "the time to answer is over"),
        R::LinkCancelled => failed("SURVEY_LINK_CANCELLED", "the invitation was called off"),
        R::SurveyClosed => failed("SURVEY_CLOSED", "the survey is over"),
        R::AnswerUnfit { answer, why } => status::invalid([(format!("answers[{answer}]"), why)]),
        R::AnswerMissing { question } => {
            status::invalid([("answers", format!("the question {question} must be answered"))])
        }
        R::VersionMismatch { current } => status::with_facts(
            Code::Aborted,
            "VERSION_MISMATCH",
            "the survey has changed since it was read; read it again",
            [("etag", current.to_string())],
        ),
    }
}
