//! Why a call fails: one exhaustive map from refusals to status, code and reason. Messages say what to do, never what
//! is stored.

use std::collections::HashMap;

use commit::Refused;
use proto::karibu::types::v1::ItemError;
use server::status;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::domain::{IdentifierFault, Refusal};

/// A refusal in the words of the contract.
struct Fault {
    code: Code,
    reason: &'static str,
    message: &'static str,
    /// The field at fault, seen from the customer or the purchase that was given; empty if it is not one field.
    field: String,
    facts: HashMap<String, String>,
}

/// The status of a command that has no reply.
pub(crate) fn refused(refused: Refused<Refusal>) -> Status {
    status::of_refused(refused, refusal)
}

/// The status of a refusal.
pub(crate) fn refusal(refusal: Refusal) -> Status {
    refusal_within("", refusal)
}

/// The status of a refusal of what stands in the field `within` of its request; ends with a dot or is empty.
pub(crate) fn refusal_within(within: &str, refusal: Refusal) -> Status {
    let Fault { code, reason, message, field, facts } = fault(refusal);
    let mut details = ErrorDetails::with_error_info(reason, status::DOMAIN, facts);
    if code == Code::InvalidArgument && !field.is_empty() {
        details.set_bad_request(vec![FieldViolation::new(format!("{within}{field}"), message)]);
    }
    Status::with_error_details(code, message, details)
}

/// The refusal of one item of a batch.
pub(crate) fn item(refusal: Refusal) -> ItemError {
    let Fault { code, reason, message, field, .. } = fault(refusal);
    ItemError { code: code.into(), reason: reason.to_owned(), message: message.to_owned(), field }
}

/// An item of a batch that breaks a field rule.
pub(crate) fn item_violated(violations: &[proto::FieldViolation]) -> ItemError {
    let (field, message) =
        violations.first().map(|first| (first.field.clone(), first.description.clone())).unwrap_or_default();
    ItemError {
        code: Code::InvalidArgument.into(),
        reason: status::reason::INVALID_ARGUMENT.to_owned(),
        message: format!("{field}: {message}"),
        field,
    }
}

fn fault(refusal: Refusal) -> Fault {
    use Refusal as R;
    let plain = |code, reason, message| Fault { code, reason, message, field: String::new(), facts: HashMap::new() };
    let failed = |reason, message| plain(Code::FailedPrecondition, reason, message);
    let invalid = |reason, field: &str, message| Fault {
        field: field.to_owned(),
        ..plain(Code::InvalidArgument, reason, message)
    };
    let handle = |at: Option<usize>, part: &str| match at {
        Some(at) => format!("identifiers[{at}]{part}"),
        None => format!("identifier{part}"),
    };
    match refusal {
        R::BranchNotFound => plain(Code::NotFound, "BRANCH_NOT_FOUND", "there is no such branch"),
        R::BranchUnknown => {
            failed("BRANCH_UNKNOWN", "the branch is not known here; if it is new, try again in a moment")
        }
        R::BranchClosed => failed("BRANCH_CLOSED", "the branch is closed"),
        R::CustomerNotFound => plain(Code::NotFound, "CUSTOMER_NOT_FOUND", "there is no such customer"),
        R::CustomerErased => failed("CUSTOMER_ERASED", "the customer is erased or merged into another"),
        R::CustomerAlreadyIdentified => {
            failed("CUSTOMER_ALREADY_IDENTIFIED", "the customer is known already; change it instead")
        }
        R::KindNotAllowed => invalid("KIND_NOT_ALLOWED", "kind", "must be a person or an organization"),
        R::AnonymousWithDetails => {
            invalid("ANONYMOUS_WITH_DETAILS", "kind", "an anonymous customer has no name, birthday or handles")
        }
        R::IdentifierTaken { at } => Fault {
            field: handle(at, ""),
            ..plain(Code::AlreadyExists, "IDENTIFIER_TAKEN", "another customer has this handle")
        },
        R::IdentifierInvalid { at, fault } => {
            let (part, message) = identifier(fault);
            invalid("IDENTIFIER_INVALID", &handle(at, part), message)
        }
        R::TooManyIdentifiers => failed("TOO_MANY_IDENTIFIERS", "the customer has as many handles as it may"),
        R::BirthdayInvalid => invalid("BIRTHDAY_INVALID", "birthday", "must be a day that exists in some year"),
        R::VersionMismatch { current } => Fault {
            facts: HashMap::from([("etag".to_owned(), current.to_string())]),
            ..plain(Code::Aborted, "VERSION_MISMATCH", "the customer has changed since it was read; read it again")
        },
        R::OccursInFuture => invalid("OCCURS_IN_FUTURE", "occur_time", "must not lie more than a day in the future"),
        R::PurchaseMismatch => {
            plain(Code::AlreadyExists, "PURCHASE_MISMATCH", "this receipt was recorded before with another content")
        }
        R::TotalMismatch => invalid("TOTAL_MISMATCH", "total_minor", "must be the sum of the lines"),
        R::AmountTooLarge => invalid("AMOUNT_TOO_LARGE", "lines", "the amounts are too large to be added up"),
        R::CurrencyUnknown => invalid("CURRENCY_UNKNOWN", "currency_code", "is not in ISO 4217"),
        R::OriginalOfSale => {
            invalid("ORIGINAL_OF_SALE", "original_source_ref", "only a return refers to an earlier sale")
        }
    }
}

const fn identifier(fault: IdentifierFault) -> (&'static str, &'static str) {
    match fault {
        IdentifierFault::Empty => (".value", "must hold letters or digits"),
        IdentifierFault::Email => (".value", "must be an e-mail address"),
        IdentifierFault::Phone => (".value", "must be a phone number with its country code, such as +250788123456"),
        IdentifierFault::IssuerMissing => (".issuer", "must name the system that gave the id"),
        IdentifierFault::IssuerUnexpected => (".issuer", "must be empty unless the id is external"),
    }
}

/// No purchase has this id, or none that the caller may see.
pub(crate) fn no_such_purchase() -> Status {
    status::with_reason(Code::NotFound, "PURCHASE_NOT_FOUND", "there is no such purchase")
}
