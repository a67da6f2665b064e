//! The handlers of `TicketingService`: one per method, each a few lines.

use std::sync::Arc;

use commit::{Answer, Door, Verb};
use prost::Message;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::ticketing_service_server::TicketingService;
use server::auth::Principal;
use server::{Call, status};
use tonic::{Request, Response, Status};

use super::codes::Coded;
use super::decode::{self, case, id, instant, maybe_id, optional_text, required};
use super::{conversation, import, wire as to};
use crate::Ticketing;
use crate::domain::class::Class;
use crate::domain::complaint::Severity;
use crate::domain::verbs::{
    Acknowledge, AddInteraction, Assign, ChooseProposal, Close, CompleteFollowUp, ConfirmUnderstanding, KeepPromise,
    OfferProposals, Open, RecordFinding, Reopen, Resolve, StartInvestigation, Withdraw,
};
use crate::domain::{CaseFile, ComplaintId, Policy, Refusal};
use crate::error::{refused, refused_by};
use crate::store::{ComplaintFilter, FollowUpFilter, Reads, Span, StatisticsFilter};

/// Answers the calls.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) door: Door<Ticketing>,
    pub(crate) reads: Reads,
    pub(crate) policy: Arc<Policy>,
    pub(crate) clock: kernel::Clock,
}

/// An admitted call, without its body.
pub(super) type Envelope = Call<()>;

/// Takes the body out of an admitted call.
pub(super) fn open<T: Message + proto::Validate>(request: Request<T>) -> Result<(T, Envelope), Status> {
    let Call { body, principal, key, fingerprint, until, pages, via, trace } = Call::admit(request)?;
    Ok((body, Call { body: (), principal, key, fingerprint, until, pages, via, trace }))
}

impl Api {
    pub(super) async fn submit<V: Verb<Ticketing>>(
        &self,
        call: &Envelope,
        verb: V,
    ) -> Result<<V::Reply as Answer>::Wire, Status> {
        self.door.submit(call.submission(), verb).await.map_err(refused)
    }

    /// Submits a verb that hands back the case file.
    pub(super) async fn advance<V: Verb<Ticketing, Reply = CaseFile>, R>(
        &self,
        call: &Envelope,
        verb: V,
        reply: impl FnOnce(Option<wire::Complaint>) -> R,
    ) -> Result<Response<R>, Status> {
        let complaint = self.submit(call, verb).await?;
        Ok(Response::new(reply(Some(self.complete(call, complaint).await?))))
    }

    /// The complaint as it stands, where a repeat was answered with no more than where to find it.
    async fn complete(&self, call: &Envelope, complaint: wire::Complaint) -> Result<wire::Complaint, Status> {
        if !to::is_pointer(&complaint) {
            return Ok(complaint);
        }
        let found = self.reads.find_file(id(&complaint.complaint_id), &call.principal.scope).await.map_err(store)?;
        Ok(to::complaint(&found.ok_or_else(|| refused_by(&Refusal::ComplaintNotFound))?))
    }

    /// The complaint whose parts are listed must be one that the caller may see.
    async fn check_seen(&self, complaint: ComplaintId, principal: &Principal) -> Result<(), Status> {
        let found = self.reads.find_complaint(complaint, &principal.scope).await.map_err(store)?;
        found.map(drop).ok_or_else(|| refused_by(&Refusal::ComplaintNotFound))
    }
}

// By value, for `map_err`.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn store(error: ::store::Error) -> Status {
    status::of_store(&error)
}

/// The status of a field that cannot be read.
pub(super) fn invalid((field, what): decode::Fault) -> Status {
    status::invalid([(field, what)])
}

#[tonic::async_trait]
impl TicketingService for Api {
    async fn open_complaint(
        &self,
        request: Request<wire::OpenComplaintRequest>,
    ) -> Result<Response<wire::OpenComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Open {
            scope: call.principal.scope.clone(),
            branch: id(&body.branch_id),
            customer: maybe_id(&body.customer_id),
            channel: required(body.channel, "channel")?,
            touchpoint: optional_text(body.touchpoint_code),
            category: optional_text(body.category_code),
            severity: Coded::read(body.severity).unwrap_or(Severity::Medium),
            subject: body.subject,
            narrative: body.narrative,
            desired_outcome: optional_text(body.desired_outcome),
            purchases: body.purchase_ids.iter().map(|purchase| id(purchase)).collect(),
            class: Class {
                kind: Coded::read(body.kind).unwrap_or_default(),
                confidentiality: Coded::read(body.confidentiality).unwrap_or_default(),
                regime: optional_text(body.regime_code),
                ..Class::default()
            },
        };
        self.advance(&call, verb, |complaint| wire::OpenComplaintResponse { complaint }).await
    }

    async fn acknowledge_complaint(
        &self,
        request: Request<wire::AcknowledgeComplaintRequest>,
    ) -> Result<Response<wire::AcknowledgeComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Acknowledge {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            channel: required(body.channel, "channel")?,
            message: body.message,
        };
        self.advance(&call, verb, |complaint| wire::AcknowledgeComplaintResponse { complaint }).await
    }

    async fn confirm_understanding(
        &self,
        request: Request<wire::ConfirmUnderstandingRequest>,
    ) -> Result<Response<wire::ConfirmUnderstandingResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = ConfirmUnderstanding {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            paraphrase: body.paraphrase,
            confirmed: body.confirmed,
            unconfirmed_reason: body.unconfirmed_reason,
            desired_outcome: optional_text(body.desired_outcome),
            category: optional_text(body.category_code),
            severity: Coded::read(body.severity),
            no_outcome_desired: body.no_outcome_desired,
            apologized: body.apologized,
            unapologized_reason: optional_text(body.unapologized_reason),
        };
        self.advance(&call, verb, |complaint| wire::ConfirmUnderstandingResponse { complaint }).await
    }

    async fn assign_complaint(
        &self,
        request: Request<wire::AssignComplaintRequest>,
    ) -> Result<Response<wire::AssignComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb =
            Assign { case: case(&call.principal, &body.complaint_id, &body.etag), owner: id(&body.owner_staff_id) };
        self.advance(&call, verb, |complaint| wire::AssignComplaintResponse { complaint }).await
    }

    async fn start_investigation(
        &self,
        request: Request<wire::StartInvestigationRequest>,
    ) -> Result<Response<wire::StartInvestigationResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = StartInvestigation { case: case(&call.principal, &body.complaint_id, &body.etag) };
        self.advance(&call, verb, |complaint| wire::StartInvestigationResponse { complaint }).await
    }

    async fn record_finding(
        &self,
        request: Request<wire::RecordFindingRequest>,
    ) -> Result<Response<wire::RecordFindingResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = RecordFinding {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            summary: body.summary,
            cause: optional_text(body.cause_code),
            status: required(body.fact_status, "fact_status")?,
            evidence: body.evidence_refs,
        };
        self.advance(&call, verb, |complaint| wire::RecordFindingResponse { complaint }).await
    }

    async fn offer_proposals(
        &self,
        request: Request<wire::OfferProposalsRequest>,
    ) -> Result<Response<wire::OfferProposalsResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = OfferProposals {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            solutions: decode::solutions(body.proposals).map_err(invalid)?,
            expires_at_us: instant(body.expire_time.as_ref()),
            authority: decode::authority(&call.principal),
            request_approval: body.request_approval,
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::OfferProposalsResponse { complaint }).await
    }

    async fn choose_proposal(
        &self,
        request: Request<wire::ChooseProposalRequest>,
    ) -> Result<Response<wire::ChooseProposalResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = ChooseProposal {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            proposal: id(&body.proposal_id),
            by: required(body.chosen_by, "chosen_by")?,
            consent_note: body.consent_note,
        };
        self.advance(&call, verb, |complaint| wire::ChooseProposalResponse { complaint }).await
    }

    async fn keep_promise(
        &self,
        request: Request<wire::KeepPromiseRequest>,
    ) -> Result<Response<wire::KeepPromiseResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = KeepPromise {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            promise: id(&body.promise_id),
            proof: optional_text(body.proof_ref),
        };
        self.advance(&call, verb, |complaint| wire::KeepPromiseResponse { complaint }).await
    }

    async fn resolve_complaint(
        &self,
        request: Request<wire::ResolveComplaintRequest>,
    ) -> Result<Response<wire::ResolveComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Resolve {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            decision: required(body.decision, "decision")?,
            reason: body.decision_reason,
            root_cause: optional_text(body.root_cause_code),
            ending: Coded::read(body.outcome),
            anything_else_asked: body.anything_else_asked,
            anything_else: body.anything_else,
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::ResolveComplaintResponse { complaint }).await
    }

    async fn close_complaint(
        &self,
        request: Request<wire::CloseComplaintRequest>,
    ) -> Result<Response<wire::CloseComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = Close { case, policy: self.policy.clone() };
        self.advance(&call, verb, |complaint| wire::CloseComplaintResponse { complaint }).await
    }

    async fn reopen_complaint(
        &self,
        request: Request<wire::ReopenComplaintRequest>,
    ) -> Result<Response<wire::ReopenComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Reopen {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            reason_code: body.reason_code,
            reason: body.reason,
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::ReopenComplaintResponse { complaint }).await
    }

    async fn withdraw_complaint(
        &self,
        request: Request<wire::WithdrawComplaintRequest>,
    ) -> Result<Response<wire::WithdrawComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = Withdraw { case, statement: body.statement };
        self.advance(&call, verb, |complaint| wire::WithdrawComplaintResponse { complaint }).await
    }

    async fn add_interaction(
        &self,
        request: Request<wire::AddInteractionRequest>,
    ) -> Result<Response<wire::AddInteractionResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = AddInteraction {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            direction: required(body.direction, "direction")?,
            channel: required(body.channel, "channel")?,
            body: body.body,
            external_message_id: optional_text(body.external_message_id),
            occurred_at_us: instant(body.occur_time.as_ref()),
            extras: conversation::extras(
                body.attachments,
                body.cues,
                body.emotion,
                body.emotion_intensity,
                body.duration_s,
            )?,
        };
        let wire::AddInteractionResponse { interaction, complaint } = self.submit(&call, verb).await?;
        let complaint = Some(self.complete(&call, complaint.unwrap_or_default()).await?);
        let mut interaction = interaction.unwrap_or_default();
        // A repeat, or a message that came before: its words are sealed.
        if interaction.body.is_empty() {
            let found = self.reads.find_interaction(id(&interaction.interaction_id), &call.principal.scope).await;
            interaction = found.map_err(store)?.as_ref().map_or(interaction, to::interaction);
        }
        Ok(Response::new(wire::AddInteractionResponse { interaction: Some(interaction), complaint }))
    }

    async fn list_interactions(
        &self,
        request: Request<wire::ListInteractionsRequest>,
    ) -> Result<Response<wire::ListInteractionsResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("interactions", size, &token, &body)?;
        let complaint = id(&body.complaint_id);
        self.check_seen(complaint, &call.principal).await?;
        let list = self.reads.list_interactions(complaint, &call.principal.scope, &page).await.map_err(store)?;
        let interactions = list.items.iter().map(to::interaction).collect();
        Ok(Response::new(wire::ListInteractionsResponse { interactions, next_page_token: list.next }))
    }

    async fn get_complaint(
        &self,
        request: Request<wire::GetComplaintRequest>,
    ) -> Result<Response<wire::GetComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let found = self.reads.find_file(id(&body.complaint_id), &call.principal.scope).await.map_err(store)?;
        let file = found.ok_or_else(|| refused_by(&Refusal::ComplaintNotFound))?;
        Ok(Response::new(wire::GetComplaintResponse { complaint: Some(to::complaint(&file)) }))
    }

    async fn list_complaints(
        &self,
        request: Request<wire::ListComplaintsRequest>,
    ) -> Result<Response<wire::ListComplaintsResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("complaints", size, &token, &body)?;
        let filter = ComplaintFilter {
            states: body.states.iter().filter_map(|state| Coded::read(*state)).collect(),
            branch: maybe_id(&body.branch_id),
            customer: maybe_id(&body.customer_id),
            owner: maybe_id(&body.owner_staff_id),
            opened: Span::new(instant(body.open_start_time.as_ref()), instant(body.open_end_time.as_ref())),
        };
        let list = self.reads.list_complaints(&filter, &call.principal.scope, &page).await.map_err(store)?;
        let complaints = list.items.iter().map(to::complaint).collect();
        Ok(Response::new(wire::ListComplaintsResponse { complaints, next_page_token: list.next }))
    }

    async fn list_complaint_history(
        &self,
        request: Request<wire::ListComplaintHistoryRequest>,
    ) -> Result<Response<wire::ListComplaintHistoryResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("history", size, &token, &body)?;
        let complaint = id(&body.complaint_id);
        self.check_seen(complaint, &call.principal).await?;
        let list = self.reads.list_history(complaint, &call.principal.scope, &page).await.map_err(store)?;
        let entries = list.items.iter().map(to::history_entry).collect();
        Ok(Response::new(wire::ListComplaintHistoryResponse { entries, next_page_token: list.next }))
    }

    async fn list_follow_ups(
        &self,
        request: Request<wire::ListFollowUpsRequest>,
    ) -> Result<Response<wire::ListFollowUpsResponse>, Status> {
        let (mut body, call) = open(request)?;
        let (size, token) = (std::mem::take(&mut body.page_size), std::mem::take(&mut body.page_token));
        let page = call.pages.read("follow-ups", size, &token, &body)?;
        let filter = FollowUpFilter {
            states: body.states.iter().filter_map(|state| Coded::read(*state)).collect(),
            branch: maybe_id(&body.branch_id),
            due_before_us: instant(body.due_before_time.as_ref()),
        };
        let list = self.reads.list_follow_ups(&filter, &call.principal.scope, &page).await.map_err(store)?;
        let follow_ups = list.items.iter().map(to::follow_up).collect();
        Ok(Response::new(wire::ListFollowUpsResponse { follow_ups, next_page_token: list.next }))
    }

    async fn complete_follow_up(
        &self,
        request: Request<wire::CompleteFollowUpRequest>,
    ) -> Result<Response<wire::CompleteFollowUpResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = CompleteFollowUp {
            case: case(&call.principal, &body.complaint_id, &body.etag),
            follow_up: id(&body.follow_up_id),
            outcome: required(body.outcome, "outcome")?,
            note: body.note,
            policy: self.policy.clone(),
        };
        self.advance(&call, verb, |complaint| wire::CompleteFollowUpResponse { complaint }).await
    }

    async fn import_complaints(
        &self,
        request: Request<wire::ImportComplaintsRequest>,
    ) -> Result<Response<wire::ImportComplaintsResponse>, Status> {
        Ok(Response::new(import::bring_in(&self.door, Call::admit(request)?).await?))
    }

    async fn get_complaint_statistics(
        &self,
        request: Request<wire::GetComplaintStatisticsRequest>,
    ) -> Result<Response<wire::GetComplaintStatisticsResponse>, Status> {
        let (body, call) = open(request)?;
        let filter = StatisticsFilter {
            branch: maybe_id(&body.branch_id),
            source_system: optional_text(body.source_system),
            opened: Span::new(instant(body.open_start_time.as_ref()), instant(body.open_end_time.as_ref())),
        };
        let counted = self.reads.count_complaints(&filter, &call.principal.scope).await.map_err(store)?;
        Ok(Response::new(wire::GetComplaintStatisticsResponse { statistics: Some(to::statistics(counted)) }))
    }
}
