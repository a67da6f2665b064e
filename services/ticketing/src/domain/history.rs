//! The record of who did what to a complaint. Rows are only added, by `Complaint::step`.

use super::ComplaintId;
use super::lifecycle::State;

/// One step of a complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The complaint.
    pub complaint: ComplaintId,
    /// Its version after the step, from 1.
    pub version: i64,
    /// Entity and event, such as `complaint.opened`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// State before; `None` for the first step.
    pub from: Option<State>,
    /// State after.
    pub to: State,
    /// Code that belongs to the step, such as that of a cause.
    pub code: Option<String>,
    /// When it happened.
    pub occurred_at_us: i64,
}
