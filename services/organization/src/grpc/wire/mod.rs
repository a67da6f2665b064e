//! Domain types as messages of the contract, and fields of requests as domain types. Requests were validated before.

mod access;
mod calendar;
mod staff;

use commit::Answer;
use proto::karibu::organization::v1 as wire;
use proto::timestamp_from_us;
pub(crate) use server::field::{expected_version, id, instant, maybe_id};
use server::status;
use tonic::Status;
use uuid::Uuid;

use crate::domain::{
    Branch, BranchChange, BranchId, BranchKind, Closed, Created, Moved, Reach, Refusal, Resumed, Suspended, Updated,
};

pub(crate) use access::{api_key, key_principal, numbers, permissions, role, secret_hint, staff_principal};
pub(crate) use calendar::{branch_calendar, holiday_set, holidays, opening_calendar, opening_hours};
pub(crate) use staff::{presence, presence_state, read_presence_state, role_grant, shift, skill, staff_member, team};

/// Validated ids.
pub(crate) fn ids(texts: &[String]) -> Vec<Uuid> {
    texts.iter().map(|text| id(text)).collect()
}

/// Where a grant of the contract holds.
pub(crate) fn reach(all_branches: bool, branch_ids: &[String]) -> Result<Reach, Refusal> {
    Reach::read(all_branches, &ids(branch_ids))
}

/// Whether an update changes this field.
pub(crate) fn is_named(mask: Option<&prost_types::FieldMask>, field: &str) -> bool {
    mask.is_some_and(|mask| mask.paths.iter().any(|path| path == "*" || path == field))
}

/// What an update changes: only fields that the mask names.
pub(crate) fn branch_change(request: &wire::UpdateBranchRequest) -> Result<BranchChange, Status> {
    let chosen = |field: &str, value: &String| is_named(request.update_mask.as_ref(), field).then(|| value.clone());
    let display_name = chosen("display_name", &request.display_name);
    if display_name.as_ref().is_some_and(String::is_empty) {
        return Err(status::invalid([("display_name", "must be given")]));
    }
    Ok(BranchChange {
        display_name,
        time_zone: chosen("time_zone", &request.time_zone),
        locale: chosen("locale", &request.locale),
    })
}

pub(crate) const fn branch_kind(kind: BranchKind) -> wire::BranchKind {
    match kind {
        BranchKind::Business => wire::BranchKind::Business,
        BranchKind::Region => wire::BranchKind::Region,
        BranchKind::Branch => wire::BranchKind::Branch,
        BranchKind::Desk => wire::BranchKind::Desk,
    }
}

/// The level; `None` for unspecified.
pub(crate) fn read_branch_kind(kind: i32) -> Option<BranchKind> {
    match wire::BranchKind::try_from(kind) {
        Ok(wire::BranchKind::Business) => Some(BranchKind::Business),
        Ok(wire::BranchKind::Region) => Some(BranchKind::Region),
        Ok(wire::BranchKind::Branch) => Some(BranchKind::Branch),
        Ok(wire::BranchKind::Desk) => Some(BranchKind::Desk),
        Ok(wire::BranchKind::Unspecified) | Err(_) => None,
    }
}

pub(crate) fn branch(branch: &Branch) -> wire::Branch {
    let state = match (branch.closed_at_us, branch.suspended_at_us) {
        (Some(_), _) => wire::BranchState::Closed,
        (None, Some(_)) => wire::BranchState::Suspended,
        (None, None) => wire::BranchState::Active,
    };
    wire::Branch {
        branch_id: branch.id.to_string(),
        code: branch.code.clone(),
        display_name: branch.display_name.clone(),
        parent_branch_id: branch.parent.as_ref().map(BranchId::to_string).unwrap_or_default(),
        kind: branch_kind(branch.kind).into(),
        state: state.into(),
        time_zone: branch.time_zone.clone(),
        currency_code: branch.currency.to_string(),
        locale: branch.locale.clone(),
        etag: branch.version.to_string(),
        create_time: Some(timestamp_from_us(branch.created_at_us)),
        update_time: Some(timestamp_from_us(branch.updated_at_us)),
        close_time: branch.closed_at_us.map(timestamp_from_us),
        suspend_time: branch.suspended_at_us.map(timestamp_from_us),
    }
}

fn texts(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

impl Answer for Created<Branch> {
    type Wire = wire::CreateBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CreateBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Updated<Branch> {
    type Wire = wire::UpdateBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::UpdateBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Closed<Branch> {
    type Wire = wire::CloseBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::CloseBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Suspended<Branch> {
    type Wire = wire::SuspendBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::SuspendBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Resumed<Branch> {
    type Wire = wire::ResumeBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::ResumeBranchResponse { branch: Some(branch(&self.0)) }
    }
}

impl Answer for Moved<Branch> {
    type Wire = wire::MoveBranchResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::MoveBranchResponse { branch: Some(branch(&self.0)) }
    }
}
