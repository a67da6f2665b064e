//! What a failure says to a program: its reason and the fields at fault.

use std::fmt::Debug;

use tonic::Status;
use tonic_types::StatusExt;

/// The reason in the `ErrorInfo` of a failure.
pub fn reason<T: Debug>(outcome: Result<T, Status>) -> String {
    outcome.expect_err("it must fail").get_details_error_info().expect("every error has an ErrorInfo").reason
}

/// The fields at fault.
pub fn fields<T: Debug>(outcome: Result<T, Status>) -> Vec<String> {
    let details = outcome.expect_err("it must fail").get_details_bad_request().expect("a field is at fault");
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}
