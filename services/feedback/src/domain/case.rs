//! What feedback knows of complaints: enough to ask at the right time and not at the wrong one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{CaseId, InvitationId};

/// What can happen to a case that matters here. The names of the events stand in the room `events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseEvent {
    /// It came in.
    Opened,
    /// It is done.
    Resolved,
    /// It is over.
    Closed,
    /// It is open again.
    Reopened,
    /// The customer withdrew it.
    Withdrawn,
}

impl CaseEvent {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Opened, Self::Resolved, Self::Closed, Self::Reopened, Self::Withdrawn];

    /// Whether a survey may be started by it: only when there is a result to ask about.
    pub const fn can_trigger(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// Whether work on the case goes on after it.
    pub const fn leaves_open(self) -> bool {
        matches!(self, Self::Opened | Self::Reopened)
    }
}

/// A complaint as seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id: that of the complaint.
    pub id: CaseId,
    /// Its customer, once known.
    pub customer: Option<Uuid>,
    /// Its branch.
    pub branch: Option<Uuid>,
    /// It is counted among the open cases of this customer.
    pub open_for: Option<Uuid>,
    /// How often it was resolved.
    pub cycle: i64,
    /// Invitations of the present resolution that were scheduled; some may have gone out since.
    pub scheduled: Vec<InvitationId>,
    /// Version of this record; not stored, nobody outside sees it.
    pub version: i64,
}

/// How many open cases a customer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCases {
    /// The customer.
    pub customer: Uuid,
    /// How many.
    pub count: i64,
    /// Version of this record; not stored, nobody outside sees it.
    pub version: i64,
}
