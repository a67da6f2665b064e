//! Rows of the organization's tables and the way from domain types to them and back. What queries filter or sort by
//! stands in columns, the rest in `doc`.

mod access;
mod branch;
mod calendar;
mod key;
mod staff;
mod team;

use commit::Corrupt;
use serde::Serialize;
use uuid::Uuid;

use crate::domain::Reach;

pub(crate) use access::{ApiKeyUseRow, RoleRow};
pub(crate) use branch::BranchRow;
pub(crate) use calendar::{BranchCalendarRow, HolidaySetRow};
pub(crate) use key::ApiKeyRow;
pub(crate) use staff::StaffMemberRow;
pub(crate) use team::{PresenceRow, ShiftRow, TeamRow};

fn reach(id: Uuid, all_branches: bool, branch_ids: &[Uuid]) -> Result<Reach, Corrupt> {
    Reach::read(all_branches, branch_ids).map_err(|_| Corrupt(format!("{id}: neither all branches nor some")))
}

/// Documents are plain data with text keys: they always become JSON.
fn json<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_default()
}
