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
    let exists = |reason, message: &str| status::with_reason(Code::AlreadyExists, reason, message);
    match refusal {
        R::BranchNotFound => not_found("BRANCH_NOT_FOUND", "there is no such branch"),
        R::ParentNotFound => not_found("PARENT_NOT_FOUND", "there is no such parent branch"),
        R::ParentClosed => failed("PARENT_CLOSED", "the parent branch is closed"),
        R::BranchCodeTaken => exists("BRANCH_CODE_TAKEN", "another branch has this code"),
        R::RootExists => exists("ROOT_EXISTS", "the business has a root already; give parent_branch_id"),
        R::LevelMismatch => {
            status::invalid([("kind", "must lie below the level of the parent; only a business has none")])
        }
        R::UnknownTimeZone => status::invalid([("time_zone", "is not in the IANA time zone database")]),
        R::UnknownCurrency => status::invalid([("currency_code", "is not in ISO 4217")]),
        R::BranchClosed => failed("BRANCH_CLOSED", "the branch is closed"),
        R::BranchHasChildren => failed("BRANCH_HAS_CHILDREN", "branches below this one still work; close them first"),
        R::BranchSuspended => failed("BRANCH_SUSPENDED", "the branch is suspended already"),
        R::BranchNotSuspended => failed("BRANCH_NOT_SUSPENDED", "the branch works"),
        R::RootStays => failed("ROOT_STAYS", "the business as a whole lies below nothing"),
        R::WouldCycle => failed("WOULD_CYCLE", "a branch cannot lie below itself"),
        R::TreeTooDeep => failed("TREE_TOO_DEEP", "the tree of branches has 7 levels at most"),
        R::TreeTooWide => failed("TREE_TOO_WIDE", "more than 5000 branches would have to be told at once"),
        R::HolidaySetNotFound => not_found("HOLIDAY_SET_NOT_FOUND", "there is no such set of holidays"),
        R::HolidaySetCodeTaken => exists("HOLIDAY_SET_CODE_TAKEN", "another set of holidays has this code"),
        R::TooManyHolidaySets => {
            failed("TOO_MANY_HOLIDAY_SETS", "the business has as many sets of holidays as it may have")
        }
        R::NoOwnCalendar => failed("NO_OWN_CALENDAR", "the branch has no opening hours of its own"),
        R::HoursFaulty { field, why } => status::invalid([(field.as_str(), why.as_str())]),
        R::CalendarNeverOpens => {
            failed("CALENDAR_NEVER_OPENS", "without open time in the next 370 days nothing would ever fall due")
        }
        R::StaffMemberNotFound => not_found("STAFF_MEMBER_NOT_FOUND", "there is no such staff member"),
        R::StaffMemberDeactivated => failed("STAFF_MEMBER_DEACTIVATED", "the staff member does not work here any more"),
        R::OnlyThePerson => status::with_reason(
            Code::PermissionDenied,
            "ONLY_THE_PERSON",
            "people say this of themselves; of others only who plans staff can, as far as others can",
        ),
        R::SkillTwice => status::invalid([("skills", "must name each skill once")]),
        R::TooManyGrants => failed("TOO_MANY_GRANTS", "the person has as many roles in as many places as can be"),
        R::GrantNotFound => not_found("GRANT_NOT_FOUND", "the person does not have this role there"),
        R::TeamNotFound => not_found("TEAM_NOT_FOUND", "there is no such team"),
        R::TeamDissolved => failed("TEAM_DISSOLVED", "the team was dissolved"),
        R::LeadNotMember => status::invalid([("lead_id", "must be one of the members")]),
        R::TooManyTeams => failed("TOO_MANY_TEAMS", "the person is in as many teams as can be"),
        R::ShiftNotFound => not_found("SHIFT_NOT_FOUND", "there is no such shift"),
        R::ShiftFaulty => status::invalid([(
            "end_time",
            "must come after the beginning, within 24 hours of it, now or later, and at most 400 days ahead",
        )]),
        R::ShiftOverlaps => failed("SHIFT_OVERLAPS", "the person has another shift then"),
        R::TooManyShifts => failed("TOO_MANY_SHIFTS", "the person has as many coming shifts as can be"),
        R::ShiftCancelled => failed("SHIFT_CANCELLED", "the shift was cancelled already"),
        R::ShiftOver => failed("SHIFT_OVER", "the shift is over"),
        R::PlaceMissing => status::invalid([("branch_id", "must be given for someone without a home branch")]),
        R::UntilPassed => status::invalid([("until_time", "must lie in the future")]),
        R::IdentityUnclear => status::invalid([("subject", "issuer and subject go together")]),
        R::IdentityTaken => exists("IDENTITY_TAKEN", "the identity belongs to another staff member"),
        R::RoleNotFound => not_found("ROLE_NOT_FOUND", "there is no such role; ListRoles tells them"),
        R::RoleCodeTaken => exists("ROLE_CODE_TAKEN", "there is or was a role with this code"),
        R::TooManyRoles => failed("TOO_MANY_ROLES", "the business has as many roles as it may make"),
        R::AdminRoleFixed => failed("ADMIN_ROLE_FIXED", "the administrators' role always allows everything"),
        R::DefaultRole => failed("DEFAULT_ROLE", "default roles can be changed, but not deleted"),
        R::LastAdministrator => failed(
            "LAST_ADMINISTRATOR",
            "nobody could administer the business any more; give the admin role everywhere to another key first",
        ),
        R::GrantUnclear => status::invalid([("branch_ids", "either this or all_branches must be given, and not both")]),
        R::GrantExceedsCaller => status::with_reason(
            Code::PermissionDenied,
            "GRANT_EXCEEDS_CALLER",
            "nobody can give more permissions or branches than they have",
        ),
        R::ApiKeyNotFound => not_found("API_KEY_NOT_FOUND", "there is no such API key"),
        R::ApiKeyRevoked => failed("API_KEY_REVOKED", "the API key is revoked already"),
        R::ApiKeyExpired => failed("API_KEY_EXPIRED", "the time of the API key is over"),
        R::OverlapTooLong => status::invalid([("overlap", "must be between 0 and 30 days")]),
        R::ExpiryPassed => status::invalid([("expire_time", "must lie in the future")]),
        R::FirstKeyExists => exists("FIRST_KEY_EXISTS", "there is a first key already"),
        R::VersionMismatch { current } => status::with_facts(
            Code::Aborted,
            "VERSION_MISMATCH",
            "the resource has changed since it was read; read it again",
            [("etag", current.to_string())],
        ),
    }
}
