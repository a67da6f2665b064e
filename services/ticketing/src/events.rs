//! What ticketing tells the others, and what it makes of what they tell: the only place that knows the
//! names of event types.

use ::events::Poison;
use commit::{DomainEvent, Effect, LogEvent};
use prost::Message;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::profile::v1 as profile;
use proto::karibu::ticketing::v1 as wire;
use proto::{EventPayload, timestamp_from_us};
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::Event;
use crate::domain::verbs::{BeginErasure, CloseBranch, PutBranch, SettleCompensation, Settlement, UpdateBranch};
use crate::grpc::codes::Coded;
use crate::grpc::wire as to;

/// The logs that ticketing follows.
pub(crate) const SOURCES: &[&str] = &["organization", "loyalty", "profile"];

/// The full type of an event of ticketing, such as `karibu.ticketing.complaint.opened.v1`.
pub(crate) fn full_type(kind: &str) -> String {
    format!("{PREFIX}{kind}{VERSION}")
}

const PREFIX: &str = "karibu.ticketing.";
const VERSION: &str = ".v1";

/// Entity and event of a full type, such as `complaint.opened`.
fn kind_of(full_type: &'static str) -> &'static str {
    full_type.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(VERSION)).unwrap_or(full_type)
}

/// Declares what each event is told as: `Event { its fields } => Payload { fields of the contract }`. The type
/// of the event is that of the payload.
macro_rules! told {
    ($($event:ident { $($field:ident),+ } => $payload:ident { $($content:tt)+ })+) => {
        impl DomainEvent for Event {
            fn kind(&self) -> &'static str {
                match self { $(Self::$event { .. } => kind_of(wire::$payload::TYPE)),+ }
            }
            fn encode(&self) -> Vec<u8> {
                match self { $(Self::$event { $($field),+ } => wire::$payload { $($content)+ }.encode_to_vec()),+ }
            }
        }
    };
}

told! {
    Opened { complaint, number, customer, branch, channel, severity, category, touchpoint } => ComplaintOpened {
        complaint_id: complaint.to_string(),
        number: number.clone(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        channel: channel.number(),
        severity: severity.number(),
        category_code: to::optional_text(category.as_deref()),
        touchpoint_code: to::optional_text(touchpoint.as_deref()),
    }
    Acknowledged { complaint, channel } => ComplaintAcknowledged {
        complaint_id: complaint.to_string(),
        channel: channel.number(),
    }
    Understood { complaint, confirmed, category, severity, apologized } => ComplaintUnderstood {
        complaint_id: complaint.to_string(),
        paraphrase_confirmed: *confirmed,
        category_code: category.clone(),
        severity: severity.number(),
        apologized: *apologized,
    }
    Assigned { complaint, from, to } => ComplaintAssigned {
        complaint_id: complaint.to_string(),
        from_staff_id: to::optional_id(*from),
        to_staff_id: to.to_string(),
    }
    InvestigationStarted { complaint, owner } => ComplaintInvestigationStarted {
        complaint_id: complaint.to_string(),
        owner_staff_id: owner.to_string(),
    }
    FindingRecorded { complaint, finding, cause, status } => ComplaintFindingRecorded {
        complaint_id: complaint.to_string(),
        finding_id: finding.to_string(),
        cause_code: to::optional_text(cause.as_deref()),
        fact_status: status.number(),
    }
    InteractionAdded { complaint, interaction, direction, channel } => ComplaintInteractionAdded {
        complaint_id: complaint.to_string(),
        interaction_id: interaction.to_string(),
        direction: direction.number(),
        channel: to::optional_number(*channel),
    }
    ProposalsOffered { complaint, set, round, kinds, expires_at_us } => ProposalOffered {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        round: *round,
        kinds: kinds.iter().map(|kind| kind.number()).collect(),
        expire_time: expires_at_us.map(timestamp_from_us),
    }
    ProposalChosen { complaint, set, proposal, kind } => ProposalChosen {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        proposal_id: proposal.to_string(),
        kind: kind.number(),
    }
    PromiseMade { complaint, promise, due_at_us } => PromiseMade {
        complaint_id: complaint.to_string(),
        promise_id: promise.to_string(),
        due_time: due_at_us.map(timestamp_from_us),
    }
    PromiseKept { complaint, promise } => PromiseKept {
        complaint_id: complaint.to_string(),
        promise_id: promise.to_string(),
    }
    CompensationApproved { complaint, compensation, customer, branch, terms } => CompensationApproved {
        compensation_id: compensation.to_string(),
        complaint_id: complaint.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        kind: to::compensation_kind(terms).into(),
        value: Some(to::compensation_value(terms)),
    }
    CompensationIssued { complaint, compensation } => CompensationIssued {
        compensation_id: compensation.to_string(),
        complaint_id: complaint.to_string(),
    }
    CompensationFailed { complaint, compensation, reason } => CompensationFailed {
        compensation_id: compensation.to_string(),
        complaint_id: complaint.to_string(),
        reason: reason.clone(),
    }
    Resolved {
        complaint, customer, branch, decision, root_cause, resolution_count, channel, duration_ms
    } => ComplaintResolved {
        complaint_id: complaint.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        decision: decision.number(),
        root_cause_code: to::optional_text(root_cause.as_deref()),
        resolution_count: *resolution_count,
        channel: to::optional_number(*channel),
        duration_ms: *duration_ms,
    }
    FollowUpDue { complaint, follow_up, customer, branch, kind, attempt, due_at_us } => ComplaintFollowUpDue {
        complaint_id: complaint.to_string(),
        follow_up_id: follow_up.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        kind: kind.number(),
        attempt: *attempt,
        due_time: Some(timestamp_from_us(*due_at_us)),
    }
    FollowUpCompleted { complaint, follow_up, outcome } => ComplaintFollowUpCompleted {
        complaint_id: complaint.to_string(),
        follow_up_id: follow_up.to_string(),
        outcome: outcome.number(),
    }
    Closed { complaint, customer, branch } => ComplaintClosed {
        complaint_id: complaint.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
    }
    Reopened { complaint, reopen_count, resolution_count, reason_code } => ComplaintReopened {
        complaint_id: complaint.to_string(),
        reopen_count: *reopen_count,
        resolution_count: *resolution_count,
        reason_code: reason_code.clone(),
    }
    Withdrawn { complaint } => ComplaintWithdrawn {
        complaint_id: complaint.to_string(),
    }
    Imported { complaint, number, branch, source_system, source_ref, state, response, channel } => ComplaintImported {
        complaint_id: complaint.to_string(),
        number: number.clone(),
        branch_id: branch.to_string(),
        source_system: source_system.clone(),
        source_ref: source_ref.clone(),
        state: state.number(),
        company_response: response.number(),
        channel: to::optional_number(*channel),
    }
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
            })
        }
        organization::BranchUpdated::TYPE => {
            let told: organization::BranchUpdated = decode(event)?;
            Effect::of(UpdateBranch {
                branch: id(&told.branch_id)?,
                currency: currency(&told.currency_code)?,
                time_zone: told.time_zone,
            })
        }
        organization::BranchClosed::TYPE => {
            let told: organization::BranchClosed = decode(event)?;
            Effect::of(CloseBranch { branch: id(&told.branch_id)? })
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

fn decode<T: Message + Default>(event: &LogEvent) -> Result<T, Poison> {
    T::decode(event.payload.clone()).map_err(|error| Poison(format!("the payload does not decode: {error}")))
}

fn id<I: From<Uuid>>(text: &str) -> Result<I, Poison> {
    text.parse::<Uuid>().map(I::from).map_err(|error| Poison(format!("an id does not parse: {error}")))
}

fn currency(code: &str) -> Result<kernel::Currency, Poison> {
    code.parse().map_err(|error| Poison(format!("{code:?}: {error}")))
}

#[cfg(test)]
mod tests {
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
