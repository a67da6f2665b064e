//! What ticketing tells the others, and what it makes of what they tell: the only place that knows the
//! names of event types.

use ::events::Poison;
use commit::{DomainEvent, Effect, LogEvent};
use prost::Message;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::organization::v1 as organization;
use proto::karibu::ticketing::v1 as wire;
use proto::{EventPayload, timestamp_from_us};
use uuid::Uuid;

use crate::Ticketing;
use crate::domain::verbs::{CloseBranch, PutBranch, SettleCompensation, Settlement, UpdateBranch};
use crate::domain::{Event, StaffId};
use crate::grpc::wire as to;

/// The logs that ticketing follows.
pub(crate) const SOURCES: &[&str] = &["organization", "loyalty"];

/// The full type of an event of ticketing, such as `karibu.ticketing.complaint.opened.v1`.
pub(crate) fn full_type(kind: &str) -> String {
    format!("karibu.{}.{kind}.v1", crate::NAME)
}

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "complaint.opened",
            Self::Acknowledged { .. } => "complaint.acknowledged",
            Self::Understood { .. } => "complaint.understood",
            Self::Assigned { .. } => "complaint.assigned",
            Self::InvestigationStarted { .. } => "complaint.investigation_started",
            Self::FindingRecorded { .. } => "complaint.finding_recorded",
            Self::InteractionAdded { .. } => "complaint.interaction_added",
            Self::ProposalsOffered { .. } => "proposal.offered",
            Self::ProposalChosen { .. } => "proposal.chosen",
            Self::PromiseMade { .. } => "promise.made",
            Self::PromiseKept { .. } => "promise.kept",
            Self::CompensationApproved { .. } => "compensation.approved",
            Self::CompensationIssued { .. } => "compensation.issued",
            Self::CompensationFailed { .. } => "compensation.failed",
            Self::Resolved { .. } => "complaint.resolved",
            Self::FollowUpDue { .. } => "complaint.follow_up_due",
            Self::FollowUpCompleted { .. } => "complaint.follow_up_completed",
            Self::Closed { .. } => "complaint.closed",
            Self::Reopened { .. } => "complaint.reopened",
            Self::Withdrawn { .. } => "complaint.withdrawn",
            Self::Imported { .. } => "complaint.imported",
        }
    }

    // One arm per event: the length is that of the contract.
    #[allow(clippy::too_many_lines)]
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Opened { complaint, number, customer, branch, channel, severity, category, touchpoint } => {
                wire::ComplaintOpened {
                    complaint_id: complaint.to_string(),
                    number: number.clone(),
                    customer_id: to::optional_id(*customer),
                    branch_id: branch.to_string(),
                    channel: to::number(*channel),
                    severity: to::number(*severity),
                    category_code: to::optional_text(category.as_deref()),
                    touchpoint_code: to::optional_text(touchpoint.as_deref()),
                }
                .encode_to_vec()
            }
            Self::Acknowledged { complaint, channel } => {
                wire::ComplaintAcknowledged { complaint_id: complaint.to_string(), channel: to::number(*channel) }
                    .encode_to_vec()
            }
            Self::Understood { complaint, confirmed, category, severity, apologized } => wire::ComplaintUnderstood {
                complaint_id: complaint.to_string(),
                paraphrase_confirmed: *confirmed,
                category_code: category.clone(),
                severity: to::number(*severity),
                apologized: *apologized,
            }
            .encode_to_vec(),
            Self::Assigned { complaint, from, to } => wire::ComplaintAssigned {
                complaint_id: complaint.to_string(),
                from_staff_id: to::optional_id(*from),
                to_staff_id: StaffId::to_string(to),
            }
            .encode_to_vec(),
            Self::InvestigationStarted { complaint, owner } => wire::ComplaintInvestigationStarted {
                complaint_id: complaint.to_string(),
                owner_staff_id: owner.to_string(),
            }
            .encode_to_vec(),
            Self::FindingRecorded { complaint, finding, cause, status } => wire::ComplaintFindingRecorded {
                complaint_id: complaint.to_string(),
                finding_id: finding.to_string(),
                cause_code: to::optional_text(cause.as_deref()),
                fact_status: to::number(*status),
            }
            .encode_to_vec(),
            Self::InteractionAdded { complaint, interaction, direction, channel } => wire::ComplaintInteractionAdded {
                complaint_id: complaint.to_string(),
                interaction_id: interaction.to_string(),
                direction: to::number(*direction),
                channel: to::optional_number(*channel),
            }
            .encode_to_vec(),
            Self::ProposalsOffered { complaint, set, round, kinds, expires_at_us } => wire::ProposalOffered {
                complaint_id: complaint.to_string(),
                proposal_set_id: set.to_string(),
                round: *round,
                kinds: kinds.iter().map(|kind| to::number(*kind)).collect(),
                expire_time: expires_at_us.map(timestamp_from_us),
            }
            .encode_to_vec(),
            Self::ProposalChosen { complaint, set, proposal, kind } => wire::ProposalChosen {
                complaint_id: complaint.to_string(),
                proposal_set_id: set.to_string(),
                proposal_id: proposal.to_string(),
                kind: to::number(*kind),
            }
            .encode_to_vec(),
            Self::PromiseMade { complaint, promise, due_at_us } => wire::PromiseMade {
                complaint_id: complaint.to_string(),
                promise_id: promise.to_string(),
                due_time: due_at_us.map(timestamp_from_us),
            }
            .encode_to_vec(),
            Self::PromiseKept { complaint, promise } => {
                wire::PromiseKept { complaint_id: complaint.to_string(), promise_id: promise.to_string() }
                    .encode_to_vec()
            }
            Self::CompensationApproved { complaint, compensation, customer, branch, terms } => {
                wire::CompensationApproved {
                    compensation_id: compensation.to_string(),
                    complaint_id: complaint.to_string(),
                    customer_id: to::optional_id(*customer),
                    branch_id: branch.to_string(),
                    kind: to::compensation_kind(terms).into(),
                    value: Some(to::compensation_value(terms)),
                }
                .encode_to_vec()
            }
            Self::CompensationIssued { complaint, compensation } => wire::CompensationIssued {
                compensation_id: compensation.to_string(),
                complaint_id: complaint.to_string(),
            }
            .encode_to_vec(),
            Self::CompensationFailed { complaint, compensation, reason } => wire::CompensationFailed {
                compensation_id: compensation.to_string(),
                complaint_id: complaint.to_string(),
                reason: reason.clone(),
            }
            .encode_to_vec(),
            Self::Resolved {
                complaint,
                customer,
                branch,
                decision,
                root_cause,
                resolution_count,
                channel,
                duration_ms,
            } => wire::ComplaintResolved {
                complaint_id: complaint.to_string(),
                customer_id: to::optional_id(*customer),
                branch_id: branch.to_string(),
                decision: to::number(*decision),
                root_cause_code: to::optional_text(root_cause.as_deref()),
                resolution_count: *resolution_count,
                channel: to::optional_number(*channel),
                duration_ms: *duration_ms,
            }
            .encode_to_vec(),
            Self::FollowUpDue { complaint, follow_up, customer, branch, kind, attempt, due_at_us } => {
                wire::ComplaintFollowUpDue {
                    complaint_id: complaint.to_string(),
                    follow_up_id: follow_up.to_string(),
                    customer_id: to::optional_id(*customer),
                    branch_id: branch.to_string(),
                    kind: to::number(*kind),
                    attempt: *attempt,
                    due_time: Some(timestamp_from_us(*due_at_us)),
                }
                .encode_to_vec()
            }
            Self::FollowUpCompleted { complaint, follow_up, outcome } => wire::ComplaintFollowUpCompleted {
                complaint_id: complaint.to_string(),
                follow_up_id: follow_up.to_string(),
                outcome: to::number(*outcome),
            }
            .encode_to_vec(),
            Self::Closed { complaint, customer, branch } => wire::ComplaintClosed {
                complaint_id: complaint.to_string(),
                customer_id: to::optional_id(*customer),
                branch_id: branch.to_string(),
            }
            .encode_to_vec(),
            Self::Reopened { complaint, reopen_count, resolution_count, reason_code } => wire::ComplaintReopened {
                complaint_id: complaint.to_string(),
                reopen_count: *reopen_count,
                resolution_count: *resolution_count,
                reason_code: reason_code.clone(),
            }
            .encode_to_vec(),
            Self::Withdrawn { complaint } => {
                wire::ComplaintWithdrawn { complaint_id: complaint.to_string() }.encode_to_vec()
            }
            Self::Imported { complaint, number, branch, source_system, source_ref, state, response, channel } => {
                wire::ComplaintImported {
                    complaint_id: complaint.to_string(),
                    number: number.clone(),
                    branch_id: branch.to_string(),
                    source_system: source_system.clone(),
                    source_ref: source_ref.clone(),
                    state: to::number(*state),
                    company_response: to::number(*response),
                    channel: to::optional_number(*channel),
                }
                .encode_to_vec()
            }
        }
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
