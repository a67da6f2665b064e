//! The rules of feedback: surveys, when they ask whom, which answers fit and what many of them say. Pure: no I/O, no
//! clock, no randomness; what verbs need comes in through the world and the context.

mod branch;
mod case;
mod invitation;
mod link_secret;
mod metric;
mod question;
mod response;
mod survey;
mod verbs;

use commit::{Claims, Erasure, Keys, Slot};

pub use branch::Branch;
pub use case::{Case, CaseEvent, OpenCases};
pub use invitation::{Cause, Invitation, InvitationState, Occasion, PageState, SuppressReason};
pub use link_secret::{LINK_SECRET_ID, LinkSecret};
pub use metric::{Aggregation, CONFIDENCE, Classes, Definition, Estimate, Score, ScoreClass, SurveyKind};
pub use question::{Answer, AnswerValue, Choice, Question, QuestionType, Questionnaire, Texts};
pub use response::Response;
pub use survey::{Survey, SurveyState, TriggerRule};
pub use verbs::{
    ActivateSurvey, BeginErasure, CloseSurvey, CreateSurvey, EraseResponses, ExpireInvitation, Followed, KeepBranch,
    KeepLinkSecret, PauseSurvey, SendInvitation, SubmitResponse, Submitted,
};

kernel::ids! {
    /// A survey.
    pub SurveyId;
    /// An invitation of one customer to one survey.
    pub InvitationId;
    /// The answers to one invitation.
    pub ResponseId;
    /// A complaint, as the ticketing service calls it.
    pub CaseId;
}

/// Natural key: the code of a survey.
const CLAIM_CODE: &str = "survey_code";
/// Natural key: the one invitation of a survey, a case and a resolution of it.
const CLAIM_OCCASION: &str = "occasion";

commit::world! {
    /// What the feedback service knows.
    pub struct Desk {
        /// Surveys by id.
        pub surveys: Slot<Survey>,
        /// Invitations by id.
        pub invitations: Slot<Invitation>,
        /// Responses by id.
        pub responses: Slot<Response>,
        /// Complaints by id.
        pub cases: Slot<Case>,
        /// Numbers of open complaints by customer.
        pub open_cases: Slot<OpenCases>,
        /// Branches by id.
        pub branches: Slot<Branch>,
        /// The secret of links.
        pub link_secrets: Slot<LinkSecret>,
        /// Codes and occasions.
        pub claims: Claims,
        /// Keys under which texts are sealed.
        pub keys: Keys,
        /// Customers whose answers go.
        pub erasures: Slot<Erasure>,
    }
}

/// The slow-moving configuration: surveys that invite by themselves now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Active surveys with a trigger.
    pub inviting: Vec<Survey>,
}

/// Why feedback says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such survey, or out of the caller's reach.
    SurveyNotFound,
    /// Another survey has the code.
    SurveyCodeTaken,
    /// The step does not lead on from the present state.
    WrongState {
        /// The present state.
        state: SurveyState,
    },
    /// A language is named twice.
    LocaleRepeated,
    /// A question is not sound.
    QuestionUnsound {
        /// Which one, from 0.
        question: usize,
        /// Its field at fault.
        field: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// No survey is started by such an event.
    TriggerUnknown,
    /// No invitation is called off by such an event.
    CancelUnknown,
    /// This service has not heard of the branch; its event may be a moment away.
    BranchUnknown,
    /// The survey would work in branches that the caller does not reach.
    BranchesExceedCaller,
    /// No such invitation, or out of the caller's reach.
    InvitationNotFound,
    /// The invitation was answered already.
    LinkSpent,
    /// The time of the invitation is over.
    LinkExpired,
    /// The invitation was called off.
    LinkCancelled,
    /// The survey is over.
    SurveyClosed,
    /// An answer does not fit its question.
    AnswerUnfit {
        /// Which one, from 0.
        answer: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A question that must be answered was skipped.
    AnswerMissing {
        /// Its code.
        question: String,
    },
    /// The caller knows another version than the present one.
    VersionMismatch {
        /// The present version.
        current: i64,
    },
}

/// What feedback tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A survey began to invite and take answers.
    SurveyActivated {
        /// The survey.
        survey: SurveyId,
        /// What it measures.
        kind: SurveyKind,
        /// Revision of its questions.
        revision: i64,
    },
    /// A survey stopped inviting.
    SurveyPaused(SurveyId),
    /// A survey is over.
    SurveyClosed(SurveyId),
    /// An invitation will go out.
    InvitationScheduled(Invitation),
    /// An invitation went out.
    InvitationSent(Invitation),
    /// An invitation did not go out.
    InvitationSuppressed {
        /// The invitation.
        invitation: Invitation,
        /// Why.
        reason: SuppressReason,
    },
    /// An invitation was called off.
    InvitationCancelled {
        /// The invitation.
        invitation: Invitation,
        /// By what.
        cause: Cause,
    },
    /// An invitation ended without an answer.
    InvitationExpired(Invitation),
    /// A survey was answered.
    ResponseCompleted {
        /// The response; its words are not told.
        response: Response,
        /// What is measured.
        kind: SurveyKind,
        /// What it was about.
        occasion: Occasion,
    },
}

/// Reply of a verb that made something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T>(pub T);
/// Reply of the verb that starts a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated(pub Survey);
/// Reply of the verb that pauses a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused(pub Survey);
/// Reply of the verb that ends a survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed(pub Survey);

/// Refuses a stale etag. `expected` of `None` does not check.
fn check_version(expected: Option<i64>, current: i64) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != current => Err(Refusal::VersionMismatch { current }),
        _ => Ok(()),
    }
}
