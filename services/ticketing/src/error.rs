//! What can go wrong: one exhaustive map from refusals to status, code and reason. Messages say what to do,
//! never what is stored.

use std::collections::HashMap;

use commit::Refused;
use proto::karibu::types::v1::ItemError;
use server::status;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::domain::Refusal;

/// A refusal in the words of the contract.
struct Fault {
    code: Code,
    reason: &'static str,
    message: String,
    /// The field at fault; empty if it is not one field.
    field: String,
    facts: HashMap<String, String>,
}

impl Fault {
    fn new(code: Code, reason: &'static str, message: &str) -> Self {
        Self { code, reason, message: message.to_owned(), field: String::new(), facts: HashMap::new() }
    }

    fn at(mut self, field: impl Into<String>) -> Self {
        self.field = field.into();
        self
    }

    fn with<const N: usize>(mut self, facts: [(&str, String); N]) -> Self {
        self.facts = facts.map(|(key, value)| (key.to_owned(), value)).into();
        self
    }
}

/// The status of a command that has no reply.
pub(crate) fn refused(refused: Refused<Refusal>) -> Status {
    status::of_refused(refused, |refusal| refused_by(&refusal))
}

/// The status of a refusal.
pub(crate) fn refused_by(refusal: &Refusal) -> Status {
    let Fault { code, reason, message, field, facts } = fault(refusal);
    let mut details = ErrorDetails::with_error_info(reason, status::DOMAIN, facts);
    if !field.is_empty() {
        details.set_bad_request(vec![FieldViolation::new(field, message.clone())]);
    }
    Status::with_error_details(code, message, details)
}

/// The refusal of one item of a batch.
pub(crate) fn item(refusal: &Refusal) -> ItemError {
    let Fault { code, reason, message, field, .. } = fault(refusal);
    ItemError { code: code.into(), reason: reason.to_owned(), message, field }
}

/// An item of a batch with a field that is wrong.
pub(crate) fn item_invalid(field: &str, description: &str) -> ItemError {
    ItemError {
        code: Code::InvalidArgument.into(),
        reason: status::reason::INVALID_ARGUMENT.to_owned(),
        message: format!("{field}: {description}"),
        field: field.to_owned(),
    }
}

fn failed(reason: &'static str, message: &str) -> Fault {
    Fault::new(Code::FailedPrecondition, reason, message)
}

fn invalid(message: &str) -> Fault {
    Fault::new(Code::InvalidArgument, status::reason::INVALID_ARGUMENT, message)
}

fn missing(reason: &'static str, message: &str) -> Fault {
    Fault::new(Code::NotFound, reason, message)
}

fn exists(reason: &'static str, message: &str) -> Fault {
    Fault::new(Code::AlreadyExists, reason, message)
}

fn fault(refusal: &Refusal) -> Fault {
    use Refusal as R;
    match refusal {
        R::CustomerErased => failed("CUSTOMER_ERASED", "the customer was erased, and the complaint with it"),
        R::ComplaintNotFound => missing("COMPLAINT_NOT_FOUND", "there is no such complaint"),
        R::BranchUnknown => failed("BRANCH_UNKNOWN", "the branch is not known; one just made is known in a moment"),
        R::BranchClosed => failed("BRANCH_CLOSED", "the branch is closed and takes no new complaints"),
        R::VersionMismatch { current } => {
            let message = "the complaint has changed since it was read; read it again";
            Fault::new(Code::Aborted, "VERSION_MISMATCH", message).with([("etag", current.to_string())])
        }
        R::WrongState { command, state } => {
            let allowed: Vec<&str> = state.allowed().map(|command| command.code()).collect();
            let verb = command.code();
            let message = match allowed.as_slice() {
                [] => format!("{verb} does not fit: the complaint is {} and does not change any more", state.code()),
                _ => format!("{verb} does not fit a complaint that is {}; {} would", state.code(), allowed.join(", ")),
            };
            failed("WRONG_STATE", &message)
                .with([("state", state.code().to_owned()), ("allowed_verbs", allowed.join(","))])
        }
        R::MessageNeeded => failed("MESSAGE_NEEDED", "say what was written to the customer").at("message"),
        R::ReasonNeeded => failed("REASON_NEEDED", "say why the customer did not confirm").at("unconfirmed_reason"),
        R::CategoryNeeded => failed("CATEGORY_NEEDED", "say what the complaint is about").at("category_code"),
        R::AlreadyAssigned => failed("ALREADY_ASSIGNED", "this person owns the complaint already"),
        R::OwnerNeeded => failed("OWNER_NEEDED", "assign the complaint to somebody first"),
        R::CauseNeeded => failed("CAUSE_NEEDED", "name the cause, or say that it is undetermined").at("cause_code"),
        R::CustomerNeeded => failed("CUSTOMER_NEEDED", "points can only be given to a known customer"),
        R::ExpiryPassed => invalid("must lie in the future").at("expire_time"),
        R::AmountNotPositive { proposal } => invalid("amounts must be above zero").at(proposal_at(*proposal)),
        R::CurrencyMismatch { proposal } => {
            failed("CURRENCY_MISMATCH", "amounts must be in the currency of the branch").at(proposal_at(*proposal))
        }
        R::AboveAuthority { proposal } => {
            let message = "the compensation is more than the caller may promise; ask somebody who may approve it";
            failed("ABOVE_AUTHORITY", message).at(format!("{}.compensation", proposal_at(*proposal)))
        }
        R::ProposalsExpired => failed("PROPOSALS_EXPIRED", "the offer has run out; offer again"),
        R::ProposalNotFound => missing("PROPOSAL_NOT_FOUND", "it is none of the proposals on offer"),
        R::ConsentNeeded => failed("CONSENT_NEEDED", "say how the customer agreed").at("consent_note"),
        R::PromiseNotFound => missing("PROMISE_NOT_FOUND", "there is no such promise"),
        R::PromiseNotOpen => failed("PROMISE_NOT_OPEN", "the promise was kept already"),
        R::PromiseOpen => failed("PROMISE_OPEN", "a promise is not kept yet"),
        R::CompensationPending => failed("COMPENSATION_PENDING", "a compensation has not reached the customer yet"),
        R::CompensationNotFound => missing("COMPENSATION_NOT_FOUND", "there is no such compensation"),
        R::AnythingElseNotAsked => failed("ANYTHING_ELSE_NOT_ASKED", "ask the customer whether anything else is open")
            .at("anything_else_asked"),
        R::FollowUpNotFound => missing("FOLLOW_UP_NOT_FOUND", "the complaint has no such follow-up"),
        R::FollowUpNotOpen => failed("FOLLOW_UP_NOT_OPEN", "the follow-up is done, or no longer needed"),
        R::FollowUpOpen => failed("FOLLOW_UP_OPEN", "ask the customer first whether all is well"),
        R::ReopenWindowOpen => {
            failed("REOPEN_WINDOW_OPEN", "the customer was not reached and may still come back; close it later")
        }
        R::ReopenWindowOver => {
            failed("REOPEN_WINDOW_OVER", "it was resolved too long ago to be reopened; open a new complaint")
        }
        R::MessageElsewhere => {
            exists("MESSAGE_ELSEWHERE", "this message is on record with another complaint").at("external_message_id")
        }
        R::NotYetHappened { field } => invalid("must not lie in the future").at(*field),
        R::SentBeforeReceived => invalid("must not be before receive_date").at("historical_case.send_date"),
        R::CaseMismatch => exists("CASE_MISMATCH", "this case stands already, with other content"),
        R::ApologyNeeded
        | R::TargetTwice
        | R::PolicyVersionMismatch { .. }
        | R::PolicyNotFound
        | R::DesiredOutcomeNeeded
        | R::EvidenceNeeded
        | R::BlamesCustomer { .. }
        | R::NotImmediate
        | R::AlreadySo
        | R::QuestionNotFound
        | R::QuestionAnswered
        | R::LiabilityNeedsApprover
        | R::NotAnotherKind
        | R::StillAComplaint
        | R::PromisePast { .. }
        | R::OfferStanding
        | R::ApprovalNotPending
        | R::OwnApproval
        | R::BudgetExhausted
        | R::MergeWithItself
        | R::MergeTargetOver
        | R::CustomersDiffer
        | R::UndoOver
        | R::MergeOverwritten
        | R::AskStanding
        | R::NotAsked
        | R::Recused
        | R::StaffLeft
        | R::StaffUnknown
        | R::NothingAbove
        | R::TemplateBroken
        | R::TemplateNotFound
        | R::ValueMissing { .. }
        | R::MandateNotFound
        | R::NotReversible
        | R::SecondPersonNeeded => fault_beside(refusal),
    }
}

/// Refusals of what stands beside the main path. That each has its words here is for the test to say.
fn fault_beside(refusal: &Refusal) -> Fault {
    use Refusal as R;
    match refusal {
        R::PolicyNotFound => missing("POLICY_NOT_FOUND", "there is no such policy"),
        R::PolicyVersionMismatch { current } => {
            let message = "the policy has changed since it was read; read it again";
            Fault::new(Code::Aborted, "POLICY_VERSION_MISMATCH", message).with([("etag", current.to_string())])
        }
        R::TargetTwice => invalid("must name each metric once").at("targets"),
        R::ApologyNeeded => {
            failed("APOLOGY_NEEDED", "apologize, or say why nobody did; it admits nothing").at("unapologized_reason")
        }
        R::DesiredOutcomeNeeded => {
            failed("DESIRED_OUTCOME_NEEDED", "say what the customer wants, or that there is nothing")
                .at("desired_outcome")
        }
        R::EvidenceNeeded => failed("EVIDENCE_NEEDED", "say what shows it").at("evidence_refs"),
        R::BlamesCustomer { field, phrase } => {
            let message = format!("\"{phrase}\" blames the customer; say it with respect");
            failed("BLAMES_CUSTOMER", &message).at(*field)
        }
        R::NotImmediate => failed("NOT_IMMEDIATE", "points cannot be handed over at the counter; offer them")
            .at("solution.compensation"),
        R::AlreadySo => failed("ALREADY_SO", "it is so already"),
        R::QuestionNotFound => missing("QUESTION_NOT_FOUND", "there is no such question"),
        R::QuestionAnswered => failed("QUESTION_ANSWERED", "the customer answered it already"),
        R::LiabilityNeedsApprover => {
            let message = "only somebody who may approve compensations admits that we are liable";
            failed("LIABILITY_NEEDS_APPROVER", message).at("admits_liability")
        }
        R::NotAnotherKind => invalid("must be another kind than a complaint").at("kind"),
        R::StillAComplaint => failed("STILL_A_COMPLAINT", "somebody is not satisfied: it stays a complaint"),
        R::PromisePast { proposal } => invalid("must lie in the future").at(proposal_at(*proposal)),
        R::OfferStanding => failed("OFFER_STANDING", "the customer has an offer; record what they say to it first"),
        R::ApprovalNotPending => failed("APPROVAL_NOT_PENDING", "nothing waits for approval"),
        R::OwnApproval => {
            failed("OWN_APPROVAL", "somebody else must do this: it is your own, or you have agreed already")
        }
        R::BudgetExhausted => failed("BUDGET_EXHAUSTED", "the budget of the branch has not enough left"),
        R::MergeWithItself => failed("MERGE_WITH_ITSELF", "it must be another complaint"),
        R::MergeTargetOver => failed("MERGE_TARGET_OVER", "the other complaint does not go on"),
        R::CustomersDiffer => failed("CUSTOMERS_DIFFER", "they are complaints of different customers"),
        R::UndoOver => failed("UNDO_OVER", "it was merged too long ago to be undone"),
        R::MergeOverwritten => failed("MERGE_OVERWRITTEN", "another merge came on top; undo that first"),
        R::AskStanding => failed("ASK_STANDING", "somebody is asked already; wait for the answer"),
        R::NotAsked => failed("NOT_ASKED", "the caller is not asked to take it"),
        R::Recused => failed("RECUSED", "the person must not work on this complaint"),
        R::StaffLeft => failed("STAFF_LEFT", "the person works here no longer"),
        R::StaffUnknown => {
            missing("STAFF_UNKNOWN", "there is no such member of staff; one just made is known in a moment")
        }
        R::NothingAbove => failed("NOTHING_ABOVE", "it is at the highest place already"),
        R::TemplateBroken => failed("TEMPLATE_BROKEN", "every place is written as {name}").at("body"),
        R::TemplateNotFound => missing("TEMPLATE_NOT_FOUND", "there is no such template"),
        R::ValueMissing { name } => failed("VALUE_MISSING", &format!("{name} has no value")).at("values"),
        R::MandateNotFound => missing("MANDATE_NOT_FOUND", "the branch has no mandate"),
        R::NotReversible => failed("NOT_REVERSIBLE", "it was not given, or was taken back already"),
        R::SecondPersonNeeded => failed("SECOND_PERSON_NEEDED", "a second person must ask for the same"),
        _ => failed(UNWORDED, "it does not fit"),
    }
}

/// The reason of a refusal without words of its own: none has it.
const UNWORDED: &str = "REFUSED";

fn proposal_at(place: usize) -> String {
    format!("proposals[{place}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_words_and_a_reason_of_its_own() {
        use Refusal as R;
        let beside = [
            R::TargetTwice,
            R::PolicyVersionMismatch { current: 1 },
            R::PolicyNotFound,
            R::ApologyNeeded,
            R::DesiredOutcomeNeeded,
            R::EvidenceNeeded,
            R::BlamesCustomer { field: "a", phrase: "b" },
            R::NotImmediate,
            R::AlreadySo,
            R::QuestionNotFound,
            R::QuestionAnswered,
            R::LiabilityNeedsApprover,
            R::NotAnotherKind,
            R::StillAComplaint,
            R::PromisePast { proposal: 1 },
            R::OfferStanding,
            R::ApprovalNotPending,
            R::OwnApproval,
            R::BudgetExhausted,
            R::MergeWithItself,
            R::MergeTargetOver,
            R::CustomersDiffer,
            R::UndoOver,
            R::MergeOverwritten,
            R::AskStanding,
            R::NotAsked,
            R::Recused,
            R::StaffLeft,
            R::StaffUnknown,
            R::NothingAbove,
            R::TemplateBroken,
            R::TemplateNotFound,
            R::ValueMissing { name: String::new() },
            R::MandateNotFound,
            R::NotReversible,
            R::SecondPersonNeeded,
        ];
        for refusal in &beside {
            assert_ne!(fault(refusal).reason, UNWORDED, "{refusal:?}");
        }
    }
}
