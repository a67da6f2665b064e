//! What each event of ticketing is told as: one line per event, from its fields to those of its payload.

use commit::DomainEvent;
use prost::Message;
use proto::karibu::ticketing::v1 as wire;
use proto::{EventPayload, timestamp_from_us};

use super::{PREFIX, VERSION};
use crate::domain::Event;
use crate::grpc::codes::Coded;
use crate::grpc::wire as to;

/// Entity and event of a full type, such as `complaint.opened`.
pub(super) fn kind_of(full_type: &'static str) -> &'static str {
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
    Opened {
        complaint, number, customer, branch, channel, severity, category, touchpoint, kind, follow_on_of
    } => ComplaintOpened {
        complaint_id: complaint.to_string(),
        number: number.clone(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        channel: channel.number(),
        severity: severity.number(),
        category_code: to::optional_text(category.as_deref()),
        touchpoint_code: to::optional_text(touchpoint.as_deref()),
        kind: kind.number(),
        follow_on_of_complaint_id: to::optional_id(*follow_on_of),
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
    Apologized { complaint, channel, admits_liability } => ComplaintApologized {
        complaint_id: complaint.to_string(),
        channel: to::optional_number(*channel),
        admits_liability: *admits_liability,
    }
    EmpathyShown { complaint } => ComplaintEmpathyShown {
        complaint_id: complaint.to_string(),
    }
    QuestionAsked { complaint, clarification } => ComplaintQuestionAsked {
        complaint_id: complaint.to_string(),
        clarification_id: clarification.to_string(),
    }
    QuestionAnswered { complaint, clarification } => ComplaintQuestionAnswered {
        complaint_id: complaint.to_string(),
        clarification_id: clarification.to_string(),
    }
    EvidenceAdded { complaint, evidence, kind } => ComplaintEvidenceAdded {
        complaint_id: complaint.to_string(),
        evidence_id: evidence.to_string(),
        kind: kind.number(),
    }
    ImpactRecorded { complaint, severity, occasion, safety, vulnerable, repeat_of } => ComplaintImpactRecorded {
        complaint_id: complaint.to_string(),
        severity: severity.number(),
        occasion: *occasion,
        safety: *safety,
        vulnerable: *vulnerable,
        repeat_of_complaint_id: to::optional_id(*repeat_of),
    }
    WaitingChanged { complaint, from, to } => ComplaintWaitingChanged {
        complaint_id: complaint.to_string(),
        from: from.number(),
        to: to.number(),
    }
    PriorityChanged { complaint, from, to } => ComplaintPriorityChanged {
        complaint_id: complaint.to_string(),
        from: from.number(),
        to: to.number(),
    }
    ReclassificationRequested { complaint, kind } => ComplaintReclassificationRequested {
        complaint_id: complaint.to_string(),
        kind: kind.number(),
    }
    Reclassified { complaint, kind, customer, branch } => ComplaintReclassified {
        complaint_id: complaint.to_string(),
        kind: kind.number(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
    }
    SlaWarning { complaint, branch, owner, metric, due_at_us } => SlaWarning {
        complaint_id: complaint.to_string(),
        branch_id: branch.to_string(),
        owner_staff_id: to::optional_id(*owner),
        metric: metric.number(),
        due_time: Some(timestamp_from_us(*due_at_us)),
    }
    SlaBreached { complaint, branch, owner, metric, due_at_us, by_change } => SlaBreached {
        complaint_id: complaint.to_string(),
        branch_id: branch.to_string(),
        owner_staff_id: to::optional_id(*owner),
        metric: metric.number(),
        due_time: Some(timestamp_from_us(*due_at_us)),
        by_change: *by_change,
    }
    Stale { complaint, branch, owner, due_at_us } => ComplaintStale {
        complaint_id: complaint.to_string(),
        branch_id: branch.to_string(),
        owner_staff_id: to::optional_id(*owner),
        due_time: Some(timestamp_from_us(*due_at_us)),
    }
    SlaRecalculated { complaint, policy, due_at_us } => SlaRecalculated {
        complaint_id: complaint.to_string(),
        policy_code: policy.clone(),
        due_time: due_at_us.map(timestamp_from_us),
    }
    SlaPolicyChanged { policy, code, retired } => SlaPolicyChanged {
        sla_policy_id: policy.to_string(),
        code: code.clone(),
        retired: *retired,
    }
    ApprovalRequested { complaint, set, round, missing, split } => ProposalApprovalRequested {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        round: *round,
        missing_approvals: *missing,
        split: *split,
    }
    ProposalsApproved { complaint, set, missing } => ProposalApproved {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        missing_approvals: *missing,
    }
    ProposalsDeclined { complaint, set } => ProposalDeclined {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
    }
    ProposalsCountered { complaint, set, round, wished } => ProposalCountered {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        round: *round,
        wished: *wished,
    }
    ProposalsExpired { complaint, set, round } => ProposalExpired {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        round: *round,
    }
    CompensationReserved { complaint, set, unit, amount } => CompensationReserved {
        complaint_id: complaint.to_string(),
        proposal_set_id: set.to_string(),
        unit: unit.clone(),
        amount: *amount,
    }
    CompensationReleased { complaint, unit, amount } => CompensationReleased {
        complaint_id: complaint.to_string(),
        unit: unit.clone(),
        amount: *amount,
    }
    CompensationReversed {
        complaint, compensation, reverses, customer, branch, terms, reason_code
    } => CompensationReversed {
        compensation_id: compensation.to_string(),
        reverses_compensation_id: reverses.to_string(),
        complaint_id: complaint.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
        kind: to::compensation_kind(terms).into(),
        unit: terms.amount().0.code().to_owned(),
        amount: terms.amount().1,
        reason_code: reason_code.clone(),
    }
    PromiseDue { complaint, promise, owner, due_at_us } => PromiseDue {
        complaint_id: complaint.to_string(),
        promise_id: promise.to_string(),
        owner_staff_id: to::optional_id(*owner),
        due_time: Some(timestamp_from_us(*due_at_us)),
    }
    PromiseBroken { complaint, promise, due_at_us, severity } => PromiseBroken {
        complaint_id: complaint.to_string(),
        promise_id: promise.to_string(),
        due_time: Some(timestamp_from_us(*due_at_us)),
        severity: severity.number(),
    }
    PromiseWaived { complaint, promise } => PromiseWaived {
        complaint_id: complaint.to_string(),
        promise_id: promise.to_string(),
    }
    Merged { complaint, into, customer, branch } => ComplaintMerged {
        complaint_id: complaint.to_string(),
        into_complaint_id: into.to_string(),
        customer_id: to::optional_id(*customer),
        branch_id: branch.to_string(),
    }
    Absorbed { complaint, other } => ComplaintAbsorbed {
        complaint_id: complaint.to_string(),
        other_complaint_id: other.to_string(),
    }
    MergeUndone { complaint, from } => ComplaintMergeUndone {
        complaint_id: complaint.to_string(),
        from_complaint_id: from.to_string(),
    }
    Released { complaint, other } => ComplaintReleased {
        complaint_id: complaint.to_string(),
        other_complaint_id: other.to_string(),
    }
    Linked { complaint, other, kind } => ComplaintLinked {
        complaint_id: complaint.to_string(),
        other_complaint_id: other.to_string(),
        kind: kind.number(),
    }
    Asked { complaint, staff, score, until_us } => ComplaintAsked {
        complaint_id: complaint.to_string(),
        staff_id: staff.to_string(),
        score_permille: i32::try_from(*score).unwrap_or(i32::MAX),
        until_time: Some(timestamp_from_us(*until_us)),
    }
    AskEnded { complaint, staff, timed_out } => ComplaintAskEnded {
        complaint_id: complaint.to_string(),
        staff_id: staff.to_string(),
        timed_out: *timed_out,
    }
    Queued { complaint, branch, nobody } => ComplaintQueued {
        complaint_id: complaint.to_string(),
        branch_id: branch.to_string(),
        nobody: *nobody,
    }
    SteppedBack { complaint, staff, reason_code } => ComplaintSteppedBack {
        complaint_id: complaint.to_string(),
        staff_id: staff.to_string(),
        reason_code: reason_code.clone(),
    }
    Recused { complaint, staff } => ComplaintRecused {
        complaint_id: complaint.to_string(),
        staff_id: staff.to_string(),
    }
    Transferred { complaint, from, to, reason_code } => ComplaintTransferred {
        complaint_id: complaint.to_string(),
        from_branch_id: from.to_string(),
        to_branch_id: to.to_string(),
        reason_code: reason_code.clone(),
    }
    OwnerLeft { complaint, staff } => ComplaintOwnerLeft {
        complaint_id: complaint.to_string(),
        staff_id: staff.to_string(),
    }
    Escalated { complaint, level, branch, staff, trigger } => ComplaintEscalated {
        complaint_id: complaint.to_string(),
        level: *level,
        branch_id: branch.to_string(),
        staff_id: to::optional_id(*staff),
        trigger: trigger.number(),
    }
    EscalationAccepted { complaint, level, staff } => ComplaintEscalationAccepted {
        complaint_id: complaint.to_string(),
        level: *level,
        staff_id: staff.to_string(),
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
