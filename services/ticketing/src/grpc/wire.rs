//! Domain types as messages of the contract.

use commit::Answer;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::types::v1 as types;
use proto::timestamp_from_us;
use uuid::Uuid;

use super::codes::Coded;
use super::{casework, conversation, routing};
use crate::domain::compensation::{Compensation, CompensationState, Good, Terms};
use crate::domain::complaint::Complaint;
use crate::domain::finding::Finding;
use crate::domain::follow_up::FollowUp;
use crate::domain::historical::HistoricalCase;
use crate::domain::history::HistoryEntry;
use crate::domain::interaction::Interaction;
use crate::domain::promise::{Promise, PromiseState};
use crate::domain::proposal::{Proposal, ProposalSet, SetState};
use crate::domain::verbs::{Added, Imports};
use crate::domain::{CaseFile, ProposalId};
use crate::store::{Count, Statistics};
use crate::{error, events};

/// The number of a value that may not be known.
pub(crate) fn optional_number<C: Coded>(value: Option<C>) -> i32 {
    value.map(C::number).unwrap_or_default()
}

/// An id that may not be there, as text.
pub(crate) fn optional_id<I: Into<Uuid>>(id: Option<I>) -> String {
    id.map(|id| id.into().to_string()).unwrap_or_default()
}

/// A text that may not be there.
pub(crate) fn optional_text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// What is given.
pub(crate) const fn compensation_kind(terms: &Terms) -> wire::CompensationKind {
    match terms {
        Terms::Points(_) => wire::CompensationKind::Points,
        Terms::Worth { good: Good::Refund, .. } => wire::CompensationKind::Refund,
        Terms::Worth { good: Good::Voucher, .. } => wire::CompensationKind::Voucher,
        Terms::Worth { good: Good::Discount, .. } => wire::CompensationKind::Discount,
        Terms::Worth { good: Good::Gift, .. } => wire::CompensationKind::Gift,
    }
}

/// How much is given, in an event.
pub(crate) fn compensation_value(terms: &Terms) -> wire::compensation_approved::Value {
    match terms {
        Terms::Points(points) => wire::compensation_approved::Value::Points(points.0),
        Terms::Worth { amount, .. } => wire::compensation_approved::Value::Amount((*amount).into()),
    }
}

fn terms(terms: &Terms) -> wire::CompensationTerms {
    let value = match terms {
        Terms::Points(points) => wire::compensation_terms::Value::Points(points.0),
        Terms::Worth { amount, .. } => wire::compensation_terms::Value::Amount((*amount).into()),
    };
    wire::CompensationTerms { kind: compensation_kind(terms).into(), value: Some(value) }
}

fn finding(finding: &Finding) -> wire::Finding {
    wire::Finding {
        finding_id: finding.id.to_string(),
        summary: finding.summary.clone(),
        cause_code: optional_text(finding.cause.as_deref()),
        fact_status: finding.status.number(),
        evidence_refs: finding.evidence.clone(),
        recorded_by: finding.recorded_by.clone(),
        create_time: Some(timestamp_from_us(finding.recorded_at_us)),
    }
}

fn proposal(proposal: &Proposal, chosen: Option<ProposalId>) -> wire::Proposal {
    wire::Proposal {
        proposal_id: proposal.id.to_string(),
        kind: proposal.kind.number(),
        description: proposal.description.clone(),
        cost: proposal.cost.map(Into::into),
        compensation: proposal.compensation.as_ref().map(terms),
        fulfil_by_time: proposal.fulfil_by_us.map(timestamp_from_us),
        chosen: chosen == Some(proposal.id),
    }
}

fn proposal_set(set: &ProposalSet) -> wire::ProposalSet {
    let (state, choice) = match &set.state {
        SetState::Offered => (wire::ProposalSetState::Offered, None),
        SetState::Chosen(choice) => (wire::ProposalSetState::Chosen, Some(choice)),
        SetState::Expired => (wire::ProposalSetState::Expired, None),
        SetState::Withdrawn => (wire::ProposalSetState::Withdrawn, None),
        SetState::Pending { .. } => (wire::ProposalSetState::Pending, None),
        SetState::Declined { .. } => (wire::ProposalSetState::Declined, None),
        SetState::Countered { .. } => (wire::ProposalSetState::Countered, None),
    };
    let (missing, wish) = match &set.state {
        SetState::Pending { missing } => (i32::from(*missing), None),
        SetState::Countered { wish, .. } => (0, Some(wish.as_str())),
        _ => (0, None),
    };
    let chosen = choice.map(|choice| choice.proposal);
    wire::ProposalSet {
        proposal_set_id: set.id.to_string(),
        round: set.round,
        state: state.into(),
        proposals: set.proposals.iter().map(|one| proposal(one, chosen)).collect(),
        offer_time: Some(timestamp_from_us(set.offered_at_us)),
        expire_time: set.expires_at_us.map(timestamp_from_us),
        choose_time: choice.map(|choice| timestamp_from_us(choice.at_us)),
        offered_by: set.offered_by.clone(),
        missing_approvals: missing,
        approved_by: set.approved_by.clone(),
        split: set.split,
        wish: optional_text(wish),
    }
}

fn promise(promise: &Promise) -> wire::Promise {
    let (state, kept_at_us, proof) = match &promise.state {
        PromiseState::Open => (wire::PromiseState::Open, None, None),
        PromiseState::Kept { at_us, proof } => (wire::PromiseState::Kept, Some(*at_us), proof.as_deref()),
        PromiseState::Broken { .. } => (wire::PromiseState::Broken, None, None),
        PromiseState::Waived { .. } => (wire::PromiseState::Waived, None, None),
    };
    let (broken_at_us, waived) = match &promise.state {
        PromiseState::Broken { at_us } => (Some(*at_us), None),
        PromiseState::Waived { reason, .. } => (None, Some(reason.as_str())),
        _ => (None, None),
    };
    wire::Promise {
        promise_id: promise.id.to_string(),
        text: promise.text.clone(),
        state: state.into(),
        due_time: promise.due_at_us.map(timestamp_from_us),
        keep_time: kept_at_us.map(timestamp_from_us),
        proof_ref: optional_text(proof),
        owner_staff_id: optional_id(promise.owner),
        break_time: broken_at_us.map(timestamp_from_us),
        waive_reason: optional_text(waived),
    }
}

fn compensation(compensation: &Compensation) -> wire::Compensation {
    let (state, reason, issued_at_us) = match &compensation.state {
        CompensationState::Approved => (wire::CompensationState::Approved, None, None),
        CompensationState::Issued { at_us } => (wire::CompensationState::Issued, None, Some(*at_us)),
        CompensationState::Failed { reason } => (wire::CompensationState::Failed, Some(reason.as_str()), None),
    };
    wire::Compensation {
        compensation_id: compensation.id.to_string(),
        proposal_id: compensation.proposal.to_string(),
        terms: Some(terms(&compensation.terms)),
        state: state.into(),
        failure_reason: optional_text(reason),
        approve_time: Some(timestamp_from_us(compensation.approved_at_us)),
        issue_time: issued_at_us.map(timestamp_from_us),
        reverses_compensation_id: optional_id(compensation.reverses),
    }
}

/// A follow-up.
pub(crate) fn follow_up(follow_up: &FollowUp) -> wire::FollowUp {
    wire::FollowUp {
        follow_up_id: follow_up.id.to_string(),
        complaint_id: follow_up.complaint.to_string(),
        complaint_number: follow_up.complaint_number.clone(),
        customer_id: optional_id(follow_up.customer),
        branch_id: follow_up.branch.to_string(),
        kind: follow_up.kind.number(),
        state: follow_up.state.number(),
        attempt: follow_up.attempt,
        due_time: Some(timestamp_from_us(follow_up.due_at_us)),
        complete_time: follow_up.completed_at_us.map(timestamp_from_us),
        outcome_note: follow_up.note.clone(),
    }
}

fn historical_case(case: &HistoricalCase, complaint: &Complaint) -> wire::HistoricalCase {
    wire::HistoricalCase {
        source_system: case.source_system.clone(),
        source_ref: case.source_ref.clone(),
        product: case.product.clone(),
        sub_product: case.sub_product.clone(),
        issue: case.issue.clone(),
        sub_issue: case.sub_issue.clone(),
        organization: case.organization.clone(),
        region: case.region.clone(),
        channel: optional_number(complaint.channel),
        company_response: case.response.number(),
        timely: ternary(case.timely).into(),
        disputed: ternary(case.disputed).into(),
        receive_date: Some(local_date(case.received_on)),
        send_date: case.sent_on.map(local_date),
    }
}

const fn ternary(flag: Option<bool>) -> wire::Ternary {
    match flag {
        Some(true) => wire::Ternary::Yes,
        Some(false) => wire::Ternary::No,
        None => wire::Ternary::Unspecified,
    }
}

fn local_date(date: jiff::civil::Date) -> types::LocalDate {
    types::LocalDate { year: date.year().into(), month: date.month().into(), day: date.day().into() }
}

/// A complaint with its follow-ups.
pub(crate) fn complaint(file: &CaseFile) -> wire::Complaint {
    let CaseFile { complaint, follow_ups } = file;
    let story = &complaint.story;
    let resolution = story.resolution.as_ref();
    let understanding = story.understanding.as_ref();
    wire::Complaint {
        complaint_id: complaint.id.to_string(),
        number: complaint.number.clone(),
        state: complaint.state.number(),
        waiting_on: story.waiting_on.number(),
        customer_id: optional_id(complaint.customer),
        branch_id: complaint.branch.to_string(),
        channel: optional_number(complaint.channel),
        touchpoint_code: optional_text(story.touchpoint.as_deref()),
        category_code: optional_text(story.category.as_deref()),
        severity: story.severity.number(),
        subject: story.subject.clone(),
        narrative: story.narrative.clone(),
        paraphrase: optional_text(understanding.map(|words| words.paraphrase.as_str())),
        paraphrase_confirmed: understanding.is_some_and(|words| words.unconfirmed_reason.is_none()),
        desired_outcome: optional_text(story.desired_outcome.as_deref()),
        purchase_ids: story.purchases.iter().map(ToString::to_string).collect(),
        owner_staff_id: optional_id(complaint.owner),
        findings: story.findings.iter().map(finding).collect(),
        proposal_sets: story.proposal_sets.iter().map(proposal_set).collect(),
        chosen_proposal_id: optional_id(story.chosen_proposal()),
        promises: story.promises.iter().map(promise).collect(),
        compensations: story.compensations.iter().map(compensation).collect(),
        follow_ups: follow_ups.iter().map(follow_up).collect(),
        decision: optional_number(resolution.map(|resolution| resolution.decision)),
        decision_reason: optional_text(resolution.map(|resolution| resolution.reason.as_str())),
        root_cause_code: optional_text(resolution.and_then(|resolution| resolution.root_cause.as_deref())),
        apologized: !story.care.apologies.is_empty(),
        resolution_count: story.resolution_count,
        reopen_count: story.reopen_count(),
        open_time: Some(timestamp_from_us(complaint.opened_at_us)),
        acknowledge_time: story.acknowledged_at_us.map(timestamp_from_us),
        resolve_time: story.resolved_at_us().map(timestamp_from_us),
        close_time: story.closed_at_us.map(timestamp_from_us),
        historical_case: story.origin.as_ref().map(|case| historical_case(case, complaint)),
        allowed_verbs: complaint.state.allowed().map(|command| command.code().to_owned()).collect(),
        etag: complaint.version.to_string(),
        create_time: Some(timestamp_from_us(complaint.created_at_us)),
        update_time: Some(timestamp_from_us(complaint.updated_at_us)),
        kind: story.class.kind.number(),
        priority: story.priority().number(),
        confidentiality: story.class.confidentiality.number(),
        regime_code: optional_text(story.class.regime.as_deref()),
        impact: story.care.impact.as_ref().map(casework::impact),
        clarifications: story.care.clarifications.iter().map(casework::clarification).collect(),
        empathies: story.care.empathies.iter().map(casework::empathy).collect(),
        apologies: story.care.apologies.iter().map(casework::apology).collect(),
        evidence: story.care.evidence.iter().map(casework::evidence).collect(),
        escalation_level: i32::from(story.routing.level()),
        escalations: story.routing.escalations.iter().map(routing::escalation).collect(),
        asks: story.routing.asks.iter().map(routing::ask).collect(),
        merged_into_complaint_id: optional_id(story.merge.as_ref().map(|merge| merge.into)),
        absorbed_complaint_ids: story.absorbed.iter().map(ToString::to_string).collect(),
        receive_time: Some(timestamp_from_us(story.received_at_us.unwrap_or(complaint.opened_at_us))),
        recused_staff_ids: story.recused.iter().map(ToString::to_string).collect(),
        links: story.links.iter().map(casework::link).collect(),
        outcome: optional_number(resolution.map(|resolution| resolution.ending)),
        sla_state: story.sla.state.number(),
        sla_due_time: story.sla.due_at_us.map(timestamp_from_us),
    }
}

/// Words on record.
pub(crate) fn interaction(interaction: &Interaction) -> wire::Interaction {
    let words = &interaction.words;
    wire::Interaction {
        interaction_id: interaction.id.to_string(),
        complaint_id: interaction.complaint.to_string(),
        seq: interaction.seq,
        direction: words.direction.number(),
        channel: optional_number(words.channel),
        body: words.body.clone(),
        external_message_id: optional_text(words.external_message_id.as_deref()),
        recorded_by: interaction.recorded_by.clone(),
        occur_time: Some(timestamp_from_us(words.occurred_at_us)),
        create_time: Some(timestamp_from_us(interaction.recorded_at_us)),
        attachments: words.extras.attachments.iter().map(conversation::attachment).collect(),
        cues: words.extras.cues.iter().map(conversation::cue).collect(),
        emotion: optional_number(words.extras.emotion.map(|(emotion, _)| emotion)),
        emotion_intensity: words.extras.emotion.map_or(0, |(_, intensity)| intensity),
        duration_s: words.extras.duration_s.unwrap_or_default(),
    }
}

/// A step in the history.
pub(crate) fn history_entry(entry: &HistoryEntry) -> wire::HistoryEntry {
    wire::HistoryEntry {
        version: entry.version,
        event_type: events::full_type(&entry.kind),
        actor: entry.actor.clone(),
        from_state: optional_number(entry.from),
        to_state: entry.to.number(),
        code: optional_text(entry.code.as_deref()),
        occur_time: Some(timestamp_from_us(entry.occurred_at_us)),
    }
}

/// Complaints in numbers.
pub(crate) fn statistics(statistics: Statistics) -> wire::ComplaintStatistics {
    let counts = |counts: Count| counts.into_iter().map(|(key, count)| types::KeyCount { key, count }).collect();
    wire::ComplaintStatistics {
        total_count: statistics.total,
        by_state: counts(statistics.by_state),
        by_channel: counts(statistics.by_channel),
        by_branch: counts(statistics.by_branch),
        by_product: counts(statistics.by_product),
        by_company_response: counts(statistics.by_company_response),
        by_timely: counts(statistics.by_timely),
        by_disputed: counts(statistics.by_disputed),
    }
}

impl Answer for CaseFile {
    type Wire = wire::Complaint;
    fn to_wire(&self) -> Self::Wire {
        complaint(self)
    }
}

impl Answer for Added {
    type Wire = wire::AddInteractionResponse;
    fn to_wire(&self) -> Self::Wire {
        wire::AddInteractionResponse {
            interaction: Some(interaction(&self.interaction)),
            complaint: Some(complaint(&self.file)),
        }
    }
}

impl Answer for Imports {
    type Wire = wire::ImportComplaintsResponse;
    fn to_wire(&self) -> Self::Wire {
        use wire::complaint_import_result::Result as Outcome;
        let results = self.0.iter().map(|result| match result {
            Ok(imported) => wire::ComplaintImportResult {
                result: Some(Outcome::ComplaintId(imported.complaint.to_string())),
                already_imported: imported.already,
            },
            Err(refusal) => wire::ComplaintImportResult {
                result: Some(Outcome::Error(error::item(refusal))),
                already_imported: false,
            },
        });
        wire::ImportComplaintsResponse { results: results.collect() }
    }
}
