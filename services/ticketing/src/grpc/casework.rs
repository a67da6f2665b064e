//! The handlers of `CaseworkService`, one per method, and what a complaint holds of casework as messages.

use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::casework_service_server::CaseworkService;
use proto::timestamp_from_us;
use server::status;
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{self, case, id, maybe_id, optional_text, required};
use super::service::{invalid, open};
use super::wire::{optional_id, optional_number, optional_text as text};
use crate::domain::care::{Apology, Clarification, Empathy, EvidenceItem, Impact};
use crate::domain::class::Link;
use crate::domain::verbs::{
    AddEvidence, Apologize, AskQuestion, FastTrack, OpenFollowOn, Reclassify, RecordAnswer, RecordImpact, SetPriority,
    SetWaiting, ShowEmpathy,
};

/// That a case belongs to another one.
pub(super) fn link(link: &Link) -> wire::Link {
    wire::Link { complaint_id: link.other.to_string(), kind: link.kind.number() }
}

/// What it means for the customer.
pub(super) fn impact(impact: &Impact) -> wire::Impact {
    wire::Impact {
        money: impact.money.map(Into::into),
        occasion: impact.occasion,
        safety: impact.safety,
        vulnerable: impact.vulnerable,
        repeat_of_complaint_id: optional_id(impact.repeat_of),
    }
}

/// A question and its answer.
pub(super) fn clarification(asked: &Clarification) -> wire::Clarification {
    wire::Clarification {
        clarification_id: asked.id.to_string(),
        question: asked.question.clone(),
        answer: text(asked.answer.as_ref().map(|(answer, _)| answer.as_str())),
        asked_by: asked.asked_by.clone(),
        ask_time: Some(timestamp_from_us(asked.asked_at_us)),
        answer_time: asked.answer.as_ref().map(|(_, at_us)| timestamp_from_us(*at_us)),
    }
}

/// That we said we see how the customer feels.
pub(super) fn empathy(shown: &Empathy) -> wire::Empathy {
    wire::Empathy {
        words: shown.words.clone(),
        shown_by: shown.by.clone(),
        show_time: Some(timestamp_from_us(shown.at_us)),
    }
}

/// That we said we are sorry.
pub(super) fn apology(made: &Apology) -> wire::Apology {
    wire::Apology {
        channel: optional_number(made.channel),
        wording_ref: text(made.wording.as_deref()),
        admits_liability: made.admits_liability,
        made_by: made.by.clone(),
        make_time: Some(timestamp_from_us(made.at_us)),
    }
}

/// What shows what happened.
pub(super) fn evidence(item: &EvidenceItem) -> wire::EvidenceItem {
    wire::EvidenceItem {
        evidence_id: item.id.to_string(),
        kind: item.kind.number(),
        r#ref: item.reference.clone(),
        sha256: text(item.sha256.as_deref()),
        added_by: item.by.clone(),
        add_time: Some(timestamp_from_us(item.at_us)),
    }
}

#[tonic::async_trait]
impl CaseworkService for Api {
    async fn fast_track_complaint(
        &self,
        request: Request<wire::FastTrackComplaintRequest>,
    ) -> Result<Response<wire::FastTrackComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let solution = body.solution.ok_or_else(|| status::invalid([("solution", "must be given")]))?;
        let verb = FastTrack {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            paraphrase: body.paraphrase,
            category: optional_text(body.category_code),
            owner: maybe_id(&body.owner_staff_id),
            finding: body.finding,
            cause: body.cause_code,
            evidence: body.evidence_refs,
            solution: decode::solution("solution", solution).map_err(invalid)?,
            proof: optional_text(body.proof_ref),
            reason: body.decision_reason,
            anything_else_asked: body.anything_else_asked,
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::FastTrackComplaintResponse { complaint }).await
    }

    async fn set_waiting(
        &self,
        request: Request<wire::SetWaitingRequest>,
    ) -> Result<Response<wire::SetWaitingResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = SetWaiting { case, waiting_on: required(body.waiting_on, "waiting_on")? };
        self.advance(&call, verb, |complaint| wire::SetWaitingResponse { complaint }).await
    }

    async fn set_priority(
        &self,
        request: Request<wire::SetPriorityRequest>,
    ) -> Result<Response<wire::SetPriorityResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = SetPriority { case, priority: required(body.priority, "priority")? };
        self.advance(&call, verb, |complaint| wire::SetPriorityResponse { complaint }).await
    }

    async fn ask_question(
        &self,
        request: Request<wire::AskQuestionRequest>,
    ) -> Result<Response<wire::AskQuestionResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = AskQuestion { case, question: body.question };
        self.advance(&call, verb, |complaint| wire::AskQuestionResponse { complaint }).await
    }

    async fn record_answer(
        &self,
        request: Request<wire::RecordAnswerRequest>,
    ) -> Result<Response<wire::RecordAnswerResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = RecordAnswer { case, clarification: id(&body.clarification_id), answer: body.answer };
        self.advance(&call, verb, |complaint| wire::RecordAnswerResponse { complaint }).await
    }

    async fn show_empathy(
        &self,
        request: Request<wire::ShowEmpathyRequest>,
    ) -> Result<Response<wire::ShowEmpathyResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = ShowEmpathy { case: case(&call.principal, &body.complaint_id, &body.etag), words: body.words };
        self.advance(&call, verb, |complaint| wire::ShowEmpathyResponse { complaint }).await
    }

    async fn apologize(
        &self,
        request: Request<wire::ApologizeRequest>,
    ) -> Result<Response<wire::ApologizeResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Apologize {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            channel: required(body.channel, "channel")?,
            wording: optional_text(body.wording_ref),
            admits_liability: body.admits_liability,
            authority: decode::authority(&call.principal),
        };
        self.advance(&call, verb, |complaint| wire::ApologizeResponse { complaint }).await
    }

    async fn add_evidence(
        &self,
        request: Request<wire::AddEvidenceRequest>,
    ) -> Result<Response<wire::AddEvidenceResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = AddEvidence {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            kind: required(body.kind, "kind")?,
            reference: body.r#ref,
            sha256: optional_text(body.sha256),
        };
        self.advance(&call, verb, |complaint| wire::AddEvidenceResponse { complaint }).await
    }

    async fn record_impact(
        &self,
        request: Request<wire::RecordImpactRequest>,
    ) -> Result<Response<wire::RecordImpactResponse>, Status> {
        let (body, call) = open(request)?;
        let impact = decode::impact(body.impact.unwrap_or_default()).map_err(invalid)?;
        let verb = RecordImpact { case: case(&call.principal, &body.complaint_id, &body.etag), impact };
        self.advance(&call, verb, |complaint| wire::RecordImpactResponse { complaint }).await
    }

    async fn reclassify_complaint(
        &self,
        request: Request<wire::ReclassifyComplaintRequest>,
    ) -> Result<Response<wire::ReclassifyComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Reclassify {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            kind: required(body.kind, "kind")?,
            dissatisfied: body.dissatisfied,
            reason: body.reason,
        };
        self.advance(&call, verb, |complaint| wire::ReclassifyComplaintResponse { complaint }).await
    }

    async fn open_follow_on(
        &self,
        request: Request<wire::OpenFollowOnRequest>,
    ) -> Result<Response<wire::OpenFollowOnResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = OpenFollowOn {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            channel: required(body.channel, "channel")?,
            subject: body.subject,
            narrative: body.narrative,
            desired_outcome: optional_text(body.desired_outcome),
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::OpenFollowOnResponse { complaint }).await
    }
}
