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

/// The status of a refusal.
pub(crate) fn refusal(refusal: Refusal) -> Status {
    use Refusal as R;
    let failed = |reason, message: &str| status::with_reason(Code::FailedPrecondition, reason, message);
    let not_found = |reason, message: &str| status::with_reason(Code::NotFound, reason, message);
    match refusal {
        R::ProgramNotFound => not_found("PROGRAM_NOT_FOUND", "there is no such programme"),
        R::ProgramCodeTaken => {
            status::with_reason(Code::AlreadyExists, "PROGRAM_CODE_TAKEN", "another programme has this code")
        }
        R::ProgramClosed => failed("PROGRAM_CLOSED", "the programme is over"),
        R::AllBranchesNeeded => status::with_reason(
            Code::PermissionDenied,
            "ALL_BRANCHES_NEEDED",
            "a programme is for the whole business: only who reaches every branch may change it",
        ),
        R::EarnRuleTwice { at } => {
            status::invalid([(format!("earn_rules[{at}].currency_code"), "there is a rule for this currency already")])
        }
        R::TimeZoneUnknown => status::invalid([("default_time_zone", "is not in the IANA time zone database")]),
        R::AccountNotFound => not_found("ACCOUNT_NOT_FOUND", "there is no such account"),
        R::AccountFrozen => failed("ACCOUNT_FROZEN", "the account is frozen: nothing may be taken from it"),
        R::AccountClosed => failed("ACCOUNT_CLOSED", "the account is closed, merged or erased"),
        R::EnrolledElsewhere => {
            failed("ENROLLED_ELSEWHERE", "the customer has an account at a branch that the caller does not reach")
        }
        R::HomeBranchNeeded => {
            status::invalid([("home_branch_id", "must be given by who does not reach all branches")])
        }
        R::BranchNotFound => not_found("BRANCH_NOT_FOUND", "there is no such branch"),
        R::BranchUnknown => {
            failed("BRANCH_UNKNOWN", "the branch is not known here; if it is new, try again in a moment")
        }
        R::BranchClosed => failed("BRANCH_CLOSED", "the branch is closed"),
        R::InsufficientPoints { available } => status::with_facts(
            Code::FailedPrecondition,
            "INSUFFICIENT_POINTS",
            "the account has fewer points than are to be taken",
            [("available", available.to_string())],
        ),
        R::TooManyPoints => failed("TOO_MANY_POINTS", "the number of points is too large"),
        R::CurrencyMismatch => failed("CURRENCY_MISMATCH", "the return is in another currency than its sale"),
        R::CardNumbersTaken => failed("CARD_NUMBERS_TAKEN", "no card number is free for this customer"),
        R::VersionMismatch { current } => status::with_facts(
            Code::Aborted,
            "VERSION_MISMATCH",
            "the resource has changed since it was read; read it again",
            [("etag", current.to_string())],
        ),
    }
}

/// No programme has this id.
pub(crate) fn no_such_program() -> Status {
    refusal(Refusal::ProgramNotFound)
}

/// No account is meant, or none that the caller may see.
pub(crate) fn no_such_account() -> Status {
    refusal(Refusal::AccountNotFound)
}
