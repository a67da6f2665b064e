//! Builders of `Status`: every error of Karibu carries a `google.rpc.ErrorInfo` with a stable reason, and a retry
//! hint where a retry may help. The map from a service's refusals to these is the service's own `error.rs`.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::limits;

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "karibu";

/// Errors that are no refusal of a domain rule; the reasons that the kit itself gives.
pub mod reason {
    /// The request breaks a field rule.
    pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";
    /// The same request id came with another body.
    pub const REQUEST_ID_REUSED: &str = "REQUEST_ID_REUSED";
    /// No credential, or one that does not hold.
    pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
    /// The credential holds, but lacks the permission.
    pub const PERMISSION_DENIED: &str = "PERMISSION_DENIED";
    /// A queue is full.
    pub const OVERLOADED: &str = "OVERLOADED";
    /// The request message is too large.
    pub const REQUEST_TOO_LARGE: &str = "REQUEST_TOO_LARGE";
    /// A database or a peer is away.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// No such dead letter waits, or an older one of the same aggregate does.
    pub const NOT_PARKED: &str = "NOT_PARKED";
    /// The request holds more than one event can carry; send less at once.
    pub const TOO_LARGE: &str = "EVENT_TOO_LARGE";
    /// A defect of ours.
    pub const INTERNAL: &str = "INTERNAL";
}

/// A status with an `ErrorInfo` of this reason (UPPER_SNAKE, stable).
pub fn with_reason(code: Code, reason: &str, message: impl Into<String>) -> Status {
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new()))
}

/// Like [`with_reason`], with metadata in the `ErrorInfo`: facts a program may act on, never personal data.
pub fn with_facts<K: Into<String>, V: Into<String>>(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    facts: impl IntoIterator<Item = (K, V)>,
) -> Status {
    let facts: HashMap<String, String> = facts.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, facts))
}

/// INVALID_ARGUMENT with one entry per broken field: (path such as `purchase.lines[3].quantity`, what is wrong).
pub fn invalid<F: Into<String>, D: Into<String>>(violations: impl IntoIterator<Item = (F, D)>) -> Status {
    let violations: Vec<FieldViolation> =
        violations.into_iter().map(|(field, what)| FieldViolation::new(field, what)).collect();
    let message = match violations.as_slice() {
        [] => "the request is not valid".to_owned(),
        [only] => format!("{}: {}", only.field, only.description),
        [first, rest @ ..] => format!("{}: {} (and {} more)", first.field, first.description, rest.len()),
    };
    let mut details = ErrorDetails::with_error_info(reason::INVALID_ARGUMENT, DOMAIN, HashMap::new());
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// INVALID_ARGUMENT for a request that breaks the field rules of the contract.
pub fn violated(violations: Vec<proto::FieldViolation>) -> Status {
    invalid(violations.into_iter().map(|violation| (violation.field, violation.description)))
}

/// UNAUTHENTICATED; the message never says which check failed.
pub fn unauthenticated() -> Status {
    with_reason(Code::Unauthenticated, reason::UNAUTHENTICATED, "a valid credential is required")
}

/// PERMISSION_DENIED, naming the permission that is missing.
pub fn permission_denied(permission: &str) -> Status {
    with_facts(
        Code::PermissionDenied,
        reason::PERMISSION_DENIED,
        format!("the caller lacks {permission}"),
        [("permission", permission)],
    )
}

/// RESOURCE_EXHAUSTED with a hint when to come again.
pub fn overloaded() -> Status {
    retry_later(Code::ResourceExhausted, reason::OVERLOADED, "too many calls wait already", limits::RETRY_AFTER)
}

/// UNAVAILABLE with a hint when to come again; `what` names the part that is away, without an address.
pub fn unavailable(what: &str) -> Status {
    retry_later(Code::Unavailable, reason::UNAVAILABLE, format!("{what} cannot be reached"), limits::RETRY_AFTER)
}

/// A status that says when to come again.
pub fn retry_later(code: Code, reason: &str, message: impl Into<String>, after: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    details.set_retry_info(Some(after));
    Status::with_error_details(code, message, details)
}

/// RESOURCE_EXHAUSTED for a request over the size limit; no retry hint, since a retry would not help.
pub fn request_too_large() -> Status {
    with_reason(
        Code::ResourceExhausted,
        reason::REQUEST_TOO_LARGE,
        format!("a request may have {} bytes at most", limits::MAX_REQUEST_BYTES),
    )
}

/// INVALID_ARGUMENT: the request id was used before with another body.
pub fn request_id_reused() -> Status {
    with_reason(
        Code::InvalidArgument,
        reason::REQUEST_ID_REUSED,
        "request_id was used before with another request; a new request needs a new one",
    )
}

/// INTERNAL with a fixed message: what went wrong is in the log, never in the answer.
pub fn internal() -> Status {
    with_reason(Code::Internal, reason::INTERNAL, "internal error")
}

/// The status of a command that was not carried out. What a refusal of the service's own rules means stands in the
/// service's `error.rs`, which is `of_refusal`.
pub fn of_refused<R>(refused: commit::Refused<R>, of_refusal: impl FnOnce(R) -> Status) -> Status {
    use commit::Refused;
    match refused {
        Refused::Refusal(refusal) => of_refusal(refusal),
        Refused::KeyReused => request_id_reused(),
        Refused::Overloaded => overloaded(),
        Refused::Deadline => crate::deadline::exceeded(),
        Refused::Unavailable => unavailable("the database"),
        Refused::NotParked => {
            with_reason(Code::FailedPrecondition, reason::NOT_PARKED, "this dead letter is not the one that waits")
        }
        Refused::TooLarge => {
            with_reason(Code::InvalidArgument, reason::TOO_LARGE, "the request holds more than one event can carry")
        }
        // Those two are for consumers, which repeat by themselves; no caller can cause them.
        Refused::OutOfOrder { .. } | Refused::EpochChanged | Refused::Internal => internal(),
    }
}

/// INVALID_ARGUMENT on the paging field that is wrong.
pub fn of_page(error: &kernel::PageError) -> Status {
    let field = match error {
        kernel::PageError::NegativeSize => "page_size",
        kernel::PageError::ForeignToken => "page_token",
    };
    invalid([(field, error.to_string())])
}

/// The status of a query that failed. A defect is logged here, which is where it ends.
pub fn of_store(error: &store::Error) -> Status {
    if error.is_transient() {
        tracing::debug!(%error, "a query could not reach the database");
        return unavailable("the database");
    }
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::error!(%error, cause, "a query failed");
    internal()
}
