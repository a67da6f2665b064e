//! What ticketing tells the others: facts in ids, codes and amounts, without anyone's words. How they are
//! named and encoded stands in the room `events`.

use super::care::EvidenceKind;
use super::class::{CaseKind, LinkKind, Priority};
use super::code::Channel;
use super::compensation::Terms;
use super::complaint::{Decision, Severity, WaitingOn};
use super::finding::FactStatus;
use super::follow_up::{FollowUpKind, FollowUpState};
use super::historical::CompanyResponse;
use super::interaction::Direction;
use super::lifecycle::State;
use super::proposal::ProposalKind;
use super::routing::Trigger;
use super::sla::Metric;
use super::{
    BranchId, ClarificationId, CompensationId, ComplaintId, CustomerId, EvidenceId, FindingId, FollowUpId,
    InteractionId, PromiseId, ProposalId, ProposalSetId, SlaPolicyId, StaffId,
};

/// A fact about a complaint. Fields are as in the payload of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Event {
    /// It came in.
    Opened {
        complaint: ComplaintId,
        number: String,
        customer: Option<CustomerId>,
        branch: BranchId,
        channel: Channel,
        severity: Severity,
        category: Option<String>,
        touchpoint: Option<String>,
        kind: CaseKind,
        follow_on_of: Option<ComplaintId>,
    },
    /// The customer knows that we have it.
    Acknowledged { complaint: ComplaintId, channel: Channel },
    /// Our words for it were confirmed, or it is on record why not.
    Understood { complaint: ComplaintId, confirmed: bool, category: String, severity: Severity, apologized: bool },
    /// It got an owner.
    Assigned { complaint: ComplaintId, from: Option<StaffId>, to: StaffId },
    /// We look for the cause.
    InvestigationStarted { complaint: ComplaintId, owner: StaffId },
    /// Something was found out.
    FindingRecorded { complaint: ComplaintId, finding: FindingId, cause: Option<String>, status: FactStatus },
    /// Words were exchanged.
    InteractionAdded {
        complaint: ComplaintId,
        interaction: InteractionId,
        direction: Direction,
        channel: Option<Channel>,
    },
    /// The customer has solutions to choose from.
    ProposalsOffered {
        complaint: ComplaintId,
        set: ProposalSetId,
        round: i32,
        kinds: Vec<ProposalKind>,
        expires_at_us: Option<i64>,
    },
    /// The customer chose a solution.
    ProposalChosen { complaint: ComplaintId, set: ProposalSetId, proposal: ProposalId, kind: ProposalKind },
    /// We promised something.
    PromiseMade { complaint: ComplaintId, promise: PromiseId, due_at_us: Option<i64> },
    /// We kept a promise.
    PromiseKept { complaint: ComplaintId, promise: PromiseId },
    /// A compensation is agreed; whoever gives it does so once per id.
    CompensationApproved {
        complaint: ComplaintId,
        compensation: CompensationId,
        customer: Option<CustomerId>,
        branch: BranchId,
        terms: Terms,
    },
    /// The customer has the compensation.
    CompensationIssued { complaint: ComplaintId, compensation: CompensationId },
    /// A compensation could not be given.
    CompensationFailed { complaint: ComplaintId, compensation: CompensationId, reason: String },
    /// It is done.
    Resolved {
        complaint: ComplaintId,
        customer: Option<CustomerId>,
        branch: BranchId,
        decision: Decision,
        root_cause: Option<String>,
        resolution_count: i32,
        channel: Option<Channel>,
        duration_ms: i64,
    },
    /// The time has come to ask the customer again.
    FollowUpDue {
        complaint: ComplaintId,
        follow_up: FollowUpId,
        customer: Option<CustomerId>,
        branch: BranchId,
        kind: FollowUpKind,
        attempt: i32,
        due_at_us: i64,
    },
    /// A follow-up was done.
    FollowUpCompleted { complaint: ComplaintId, follow_up: FollowUpId, outcome: FollowUpState },
    /// It is over.
    Closed { complaint: ComplaintId, customer: Option<CustomerId>, branch: BranchId },
    /// It is open again.
    Reopened { complaint: ComplaintId, reopen_count: i32, resolution_count: i32, reason_code: String },
    /// We said that we are sorry.
    Apologized { complaint: ComplaintId, channel: Option<Channel>, admits_liability: bool },
    /// We said that we see how the customer feels.
    EmpathyShown { complaint: ComplaintId },
    /// We asked the customer something.
    QuestionAsked { complaint: ComplaintId, clarification: ClarificationId },
    /// The customer answered.
    QuestionAnswered { complaint: ComplaintId, clarification: ClarificationId },
    /// There is something that shows what happened.
    EvidenceAdded { complaint: ComplaintId, evidence: EvidenceId, kind: EvidenceKind },
    /// It is known what it means for the customer.
    ImpactRecorded {
        complaint: ComplaintId,
        severity: Severity,
        occasion: bool,
        safety: bool,
        vulnerable: bool,
        repeat_of: Option<ComplaintId>,
    },
    /// It waits for somebody else.
    WaitingChanged { complaint: ComplaintId, from: WaitingOn, to: WaitingOn },
    /// It is taken up sooner or later than before.
    PriorityChanged { complaint: ComplaintId, from: Priority, to: Priority },
    /// Somebody says that it is another kind of case.
    ReclassificationRequested { complaint: ComplaintId, kind: CaseKind },
    /// It is another kind of case.
    Reclassified { complaint: ComplaintId, kind: CaseKind, customer: Option<CustomerId>, branch: BranchId },
    /// Most of the time of a clock has passed.
    SlaWarning { complaint: ComplaintId, branch: BranchId, owner: Option<StaffId>, metric: Metric, due_at_us: i64 },
    /// The time of a clock is over.
    SlaBreached {
        complaint: ComplaintId,
        branch: BranchId,
        owner: Option<StaffId>,
        metric: Metric,
        due_at_us: i64,
        by_change: bool,
    },
    /// The customer has not heard from us for longer than we said.
    Stale { complaint: ComplaintId, branch: BranchId, owner: Option<StaffId>, due_at_us: i64 },
    /// Clocks were reckoned anew.
    SlaRecalculated { complaint: ComplaintId, policy: String, due_at_us: Option<i64> },
    /// A policy was made, changed or retired.
    SlaPolicyChanged { policy: SlaPolicyId, code: String, retired: bool },
    /// Somebody else must agree before it is offered.
    ApprovalRequested { complaint: ComplaintId, set: ProposalSetId, round: i32, missing: i32, split: bool },
    /// Somebody agreed.
    ProposalsApproved { complaint: ComplaintId, set: ProposalSetId, missing: i32 },
    /// Somebody did not agree.
    ProposalsDeclined { complaint: ComplaintId, set: ProposalSetId },
    /// The customer takes none of the solutions.
    ProposalsCountered { complaint: ComplaintId, set: ProposalSetId, round: i32, wished: bool },
    /// The customer may not choose any more.
    ProposalsExpired { complaint: ComplaintId, set: ProposalSetId, round: i32 },
    /// What an offer may cost is reserved.
    CompensationReserved { complaint: ComplaintId, set: ProposalSetId, unit: String, amount: i64 },
    /// What was reserved is free again.
    CompensationReleased { complaint: ComplaintId, unit: String, amount: i64 },
    /// What was given is taken back.
    CompensationReversed {
        complaint: ComplaintId,
        compensation: CompensationId,
        reverses: CompensationId,
        customer: Option<CustomerId>,
        branch: BranchId,
        terms: Terms,
        reason_code: String,
    },
    /// A promise falls due soon.
    PromiseDue { complaint: ComplaintId, promise: PromiseId, owner: Option<StaffId>, due_at_us: i64 },
    /// The time of a promise ran out.
    PromiseBroken { complaint: ComplaintId, promise: PromiseId, due_at_us: i64, severity: Severity },
    /// The customer let us off a promise.
    PromiseWaived { complaint: ComplaintId, promise: PromiseId },
    /// It goes on in another one.
    Merged { complaint: ComplaintId, into: ComplaintId, customer: Option<CustomerId>, branch: BranchId },
    /// Another one goes on in it.
    Absorbed { complaint: ComplaintId, other: ComplaintId },
    /// It goes on by itself again.
    MergeUndone { complaint: ComplaintId, from: ComplaintId },
    /// Another one does not go on in it any more.
    Released { complaint: ComplaintId, other: ComplaintId },
    /// Another one belongs to it.
    Linked { complaint: ComplaintId, other: ComplaintId, kind: LinkKind },
    /// Somebody is asked to take it.
    Asked { complaint: ComplaintId, staff: StaffId, score: i64, until_us: i64 },
    /// Whoever was asked does not take it.
    AskEnded { complaint: ComplaintId, staff: StaffId, timed_out: bool },
    /// It waits in the queue of its place.
    Queued { complaint: ComplaintId, branch: BranchId, nobody: bool },
    /// Its owner lets somebody else deal with it.
    SteppedBack { complaint: ComplaintId, staff: StaffId, reason_code: String },
    /// Somebody must not work on it.
    Recused { complaint: ComplaintId, staff: StaffId },
    /// Another branch handles it.
    Transferred { complaint: ComplaintId, from: BranchId, to: BranchId, reason_code: String },
    /// Its owner works here no longer.
    OwnerLeft { complaint: ComplaintId, staff: StaffId },
    /// It goes to a higher place.
    Escalated { complaint: ComplaintId, level: i32, branch: BranchId, staff: Option<StaffId>, trigger: Trigger },
    /// Somebody at the higher place took it over.
    EscalationAccepted { complaint: ComplaintId, level: i32, staff: StaffId },
    /// The customer withdrew it.
    Withdrawn { complaint: ComplaintId },
    /// It was handled elsewhere and brought in.
    Imported {
        complaint: ComplaintId,
        number: String,
        branch: BranchId,
        source_system: String,
        source_ref: String,
        state: State,
        response: CompanyResponse,
        channel: Option<Channel>,
    },
}

impl Event {
    /// The code that belongs to the step in the history of the complaint, if it has one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Opened { category, .. } => category.as_deref(),
            Self::Understood { category, .. } => Some(category),
            Self::FindingRecorded { cause, .. } => cause.as_deref(),
            Self::ProposalChosen { kind, .. } => Some(kind.code()),
            Self::CompensationFailed { reason, .. } => Some(reason),
            Self::Resolved { decision, .. } => Some(decision.code()),
            Self::FollowUpDue { kind, .. } => Some(kind.code()),
            Self::FollowUpCompleted { outcome, .. } => Some(outcome.code()),
            Self::Reopened { reason_code, .. } => Some(reason_code),
            Self::Imported { response, .. } => Some(response.code()),
            Self::EvidenceAdded { kind, .. } => Some(kind.code()),
            Self::Linked { kind, .. } => Some(kind.code()),
            Self::SteppedBack { reason_code, .. } | Self::Transferred { reason_code, .. } => Some(reason_code),
            Self::Escalated { trigger, .. } => Some(trigger.code()),
            Self::CompensationReserved { unit, .. } | Self::CompensationReleased { unit, .. } => Some(unit),
            Self::CompensationReversed { reason_code, .. } => Some(reason_code),
            Self::PromiseBroken { severity, .. } => Some(severity.code()),
            Self::ImpactRecorded { severity, .. } => Some(severity.code()),
            Self::SlaWarning { metric, .. } | Self::SlaBreached { metric, .. } => Some(metric.code()),
            Self::WaitingChanged { to, .. } => Some(to.code()),
            Self::PriorityChanged { to, .. } => Some(to.code()),
            Self::ReclassificationRequested { kind, .. } | Self::Reclassified { kind, .. } => Some(kind.code()),
            _ => None,
        }
    }
}
