//! What ticketing tells the others (`told`), and what it makes of what they tell: the only place that knows the
//! names of event types.

mod told;

use ::events::Poison;
use calendar::{CalendarSpec, OpeningCalendar};
use commit::{Effect, LogEvent};
use prost::Message;
use proto::EventPayload;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;
use proto::karibu::types::v1 as types;
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::staff::Grant;
use crate::domain::verbs::{
    BeginErasure, CloseBranch, MoveBranch, PutBranch, PutStaff, SettleCompensation, Settlement, UpdateBranch,
};

/// The logs that ticketing follows.
pub(crate) const SOURCES: &[&str] = &["organization", "loyalty", "profile"];

/// The full type of an event of ticketing, such as `karibu.ticketing.complaint.opened.v1`.
pub(crate) fn full_type(kind: &str) -> String {
    format!("{PREFIX}{kind}{VERSION}")
}

const PREFIX: &str = "karibu.ticketing.";
const VERSION: &str = ".v1";

/// Whether an event of this kind can bring words by which a complaint is found.
pub(crate) fn brings_words(kind: &str) -> bool {
    let kind = kind.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(VERSION)).unwrap_or(kind);
    matches!(
        kind,
        "complaint.opened"
            | "complaint.imported"
            | "complaint.understood"
            | "complaint.interaction_added"
            | "complaint.finding_recorded"
            | "complaint.resolved"
    )
}

/// What an event of another service means here; `None` = nothing.
pub(crate) fn react(event: &LogEvent) -> Result<Option<Effect<Ticketing>>, Poison> {
    Ok(Some(match event.kind.as_str() {
        organization::BranchCreated::TYPE => {
            let told: organization::BranchCreated = decode(event)?;
            Effect::of(PutBranch {
                branch: id(&told.branch_id)?,
                currency: currency(&told.currency_code)?,
                code: told.code,
                time_zone: told.time_zone,
                parent: maybe_id(&told.parent_branch_id)?,
                calendar: hours(told.opening_calendar.as_ref())?,
            })
        }
        organization::BranchUpdated::TYPE => {
            let told: organization::BranchUpdated = decode(event)?;
            Effect::of(UpdateBranch {
                branch: id(&told.branch_id)?,
                currency: currency(&told.currency_code)?,
                time_zone: told.time_zone,
                calendar: hours(told.opening_calendar.as_ref())?,
            })
        }
        organization::BranchMoved::TYPE => {
            let told: organization::BranchMoved = decode(event)?;
            Effect::of(MoveBranch { branch: id(&told.branch_id)?, parent: maybe_id(&told.parent_branch_id)? })
        }
        organization::BranchClosed::TYPE => {
            let told: organization::BranchClosed = decode(event)?;
            Effect::of(CloseBranch { branch: id(&told.branch_id)? })
        }
        organization::StaffMemberCreated::TYPE => {
            let told: organization::StaffMemberCreated = decode(event)?;
            Effect::of(PutStaff {
                staff: id(&told.staff_member_id)?,
                home: maybe_id(&told.home_branch_id)?,
                grants: told.role_grants.iter().map(grant).collect::<Result<_, _>>()?,
            })
        }
        organization::StaffMemberUpdated::TYPE => {
            let told: organization::StaffMemberUpdated = decode(event)?;
            Effect::of(PutStaff {
                staff: id(&told.staff_member_id)?,
                home: maybe_id(&told.home_branch_id)?,
                grants: told.role_grants.iter().map(grant).collect::<Result<_, _>>()?,
            })
        }
        organization::StaffMemberDeactivated::TYPE => {
            let told: organization::StaffMemberDeactivated = decode(event)?;
            // Without a role: what the person had in hand goes back to the desk.
            Effect::of(PutStaff { staff: id(&told.staff_member_id)?, home: None, grants: Vec::new() })
        }
        loyalty::GoodwillGranted::TYPE => {
            let told: loyalty::GoodwillGranted = decode(event)?;
            Effect::of(SettleCompensation {
                complaint: id(&told.complaint_id)?,
                compensation: id(&told.compensation_id)?,
                settlement: Settlement::Granted,
            })
        }
        loyalty::GoodwillRefused::TYPE => {
            let told: loyalty::GoodwillRefused = decode(event)?;
            Effect::of(SettleCompensation {
                complaint: id(&told.complaint_id)?,
                compensation: id(&told.compensation_id)?,
                settlement: Settlement::Refused { reason: told.reason },
            })
        }
        profile::CustomerErased::TYPE => {
            let told: profile::CustomerErased = decode(event)?;
            Effect::of(BeginErasure { customer: id(&told.customer_id)?, erasure: id(&told.erasure_id)? })
        }
        _ => return Ok(None),
    }))
}

fn grant(told: &organization::RoleGrant) -> Result<Grant, Poison> {
    let branches = told.branch_ids.iter().map(|branch| id(branch)).collect::<Result<Vec<_>, _>>()?;
    Ok(Grant { role: told.role.clone(), branches: (!told.all_branches).then_some(branches) })
}

fn decode<T: Message + Default>(event: &LogEvent) -> Result<T, Poison> {
    T::decode(event.payload.clone()).map_err(|error| Poison(format!("the payload does not decode: {error}")))
}

fn id<I: From<Uuid>>(text: &str) -> Result<I, Poison> {
    text.parse::<Uuid>().map(I::from).map_err(|error| Poison(format!("an id does not parse: {error}")))
}

fn maybe_id<I: From<Uuid>>(text: &str) -> Result<Option<I>, Poison> {
    if text.is_empty() { Ok(None) } else { id(text).map(Some) }
}

fn hours(told: Option<&types::OpeningCalendar>) -> Result<Option<CalendarSpec>, Poison> {
    let read = |told| OpeningCalendar::try_from(told).map(CalendarSpec::from);
    told.map(read).transpose().map_err(|fault| Poison(format!("opening hours: {fault}")))
}

fn currency(code: &str) -> Result<kernel::Currency, Poison> {
    code.parse().map_err(|error| Poison(format!("{code:?}: {error}")))
}

#[cfg(test)]
mod tests {
    use proto::karibu::ticketing::v1 as wire;

    use super::told::kind_of;
    use super::*;

    #[test]
    fn types_are_named_as_in_the_contract() {
        assert_eq!(kind_of(wire::ComplaintFollowUpDue::TYPE), "complaint.follow_up_due");
        assert_eq!(full_type("complaint.follow_up_due"), wire::ComplaintFollowUpDue::TYPE);
    }

    #[test]
    fn what_means_nothing_here_is_passed_over_and_what_is_broken_is_poison() {
        let event = |kind: &str, payload: &'static [u8]| LogEvent {
            seq: 1,
            event_id: Uuid::nil(),
            kind: kind.to_owned(),
            aggregate_type: String::new(),
            aggregate_id: Uuid::nil(),
            aggregate_version: 1,
            branch_id: None,
            customer_id: None,
            occurred_at_us: 0,
            recorded_at_us: 0,
            trace_context: None,
            payload: payload.into(),
        };
        assert!(matches!(react(&event(loyalty::PointsAccrued::TYPE, b"")), Ok(None)));
        assert!(react(&event(organization::BranchClosed::TYPE, b"")).is_err(), "a branch without an id");
        assert!(react(&event(organization::BranchClosed::TYPE, b"\xFF")).is_err(), "no message at all");
    }
}
