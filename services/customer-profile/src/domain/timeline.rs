//! The timeline of a customer: pointers to what happened, in any service. The words stay with their owner.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{BranchId, CustomerId};

/// One thing that happened with a customer. Only ever added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Whose timeline.
    pub customer: CustomerId,
    /// When it happened, microseconds since the Unix epoch.
    pub occurred_at_us: i64,
    /// Its id, which also orders entries of one instant: for events of other services that of the event.
    pub id: Uuid,
    /// Short name of the service that owns the thing.
    pub service: String,
    /// Entity and event, such as `complaint.opened`.
    pub kind: String,
    /// Kind of the thing, such as `complaint`.
    pub subject_type: String,
    /// Id of the thing.
    pub subject_id: Uuid,
    /// The branch, if any.
    pub branch: Option<BranchId>,
    /// Codes and numbers worth showing. No free text.
    pub facts: BTreeMap<String, String>,
}
