//! The handlers of `FeedbackService`.

use commit::Door;
use kernel::{BranchScope, Clock};
use prost::Message;
use proto::karibu::feedback::v1 as wire;
use proto::karibu::feedback::v1::feedback_service_server::FeedbackService;
use proto::timestamp_from_us;
use server::{Call, status};
use tonic::{Code, Request, Response, Status};

use super::link::Links;
use super::wire as to;
use crate::Feedback;
use crate::domain::{ActivateSurvey, CloseSurvey, CreateSurvey, InvitationId, PauseSurvey, SubmitResponse, SurveyId};
use crate::error::{link_unknown, refusal, refused};
use crate::store::{Reads, ScoreFilter};

/// Where the survey page of a token stands at the gateway.
const PAGE_PATH: &str = "/s/";

/// Answers the calls.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) door: Door<Feedback>,
    pub(crate) reads: Reads,
    pub(crate) links: Links,
    pub(crate) clock: Clock,
}

impl Api {
    async fn submit<T, V: commit::Verb<Feedback>>(
        &self,
        call: &Call<T>,
        verb: V,
    ) -> Result<Response<<V::Reply as commit::Answer>::Wire>, Status>
    where
        T: Message + proto::Validate,
    {
        self.door.submit(call.submission(), verb).await.map(Response::new).map_err(refused)
    }
}

fn found<T>(found: Result<Option<T>, ::store::Error>, reason: &str, what: &str) -> Result<T, Status> {
    read(found)?.ok_or_else(|| status::with_reason(Code::NotFound, reason, format!("there is no such {what}")))
}

fn read<T>(outcome: Result<T, ::store::Error>) -> Result<T, Status> {
    outcome.map_err(|error| status::of_store(&error))
}

#[tonic::async_trait]
impl FeedbackService for Api {
    async fn create_survey(
        &self,
        request: Request<wire::CreateSurveyRequest>,
    ) -> Result<Response<wire::CreateSurveyResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let verb = CreateSurvey {
            scope: call.principal.scope.clone(),
            code: body.code.clone(),
            display_name: body.display_name.clone(),
            kind: to::read_survey_kind(body.kind()),
            questionnaire: to::read_questionnaire(&body.locales, &body.questions),
            trigger: body.trigger.as_ref().map(to::read_trigger).transpose().map_err(refusal)?,
            branches: body.branch_ids.iter().map(|id| to::id(id)).collect(),
            link_ttl_ms: to::read_link_ttl(body.link_ttl.as_ref()),
        };
        self.submit(&call, verb).await
    }

    async fn get_survey(
        &self,
        request: Request<wire::GetSurveyRequest>,
    ) -> Result<Response<wire::GetSurveyResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let survey = self.reads.find_survey(to::id(&body.survey_id), &principal.scope).await;
        let survey = found(survey, "SURVEY_NOT_FOUND", "survey")?;
        Ok(Response::new(wire::GetSurveyResponse { survey: Some(to::survey(&survey)) }))
    }

    async fn list_surveys(
        &self,
        request: Request<wire::ListSurveysRequest>,
    ) -> Result<Response<wire::ListSurveysResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("surveys", size, &token, &body)?;
        let state = to::read_survey_state(body.state());
        let list = read(self.reads.list_surveys(state, &principal.scope, &page).await)?;
        let surveys = list.items.iter().map(to::survey).collect();
        Ok(Response::new(wire::ListSurveysResponse { surveys, next_page_token: list.next }))
    }

    async fn activate_survey(
        &self,
        request: Request<wire::ActivateSurveyRequest>,
    ) -> Result<Response<wire::ActivateSurveyResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = ActivateSurvey {
            scope: call.principal.scope.clone(),
            id: SurveyId(to::id(&call.body.survey_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn pause_survey(
        &self,
        request: Request<wire::PauseSurveyRequest>,
    ) -> Result<Response<wire::PauseSurveyResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = PauseSurvey {
            scope: call.principal.scope.clone(),
            id: SurveyId(to::id(&call.body.survey_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn close_survey(
        &self,
        request: Request<wire::CloseSurveyRequest>,
    ) -> Result<Response<wire::CloseSurveyResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = CloseSurvey {
            scope: call.principal.scope.clone(),
            id: SurveyId(to::id(&call.body.survey_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn list_invitations(
        &self,
        request: Request<wire::ListInvitationsRequest>,
    ) -> Result<Response<wire::ListInvitationsResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("invitations", size, &token, &body)?;
        let (survey, customer) = (to::maybe_id(&body.survey_id), to::maybe_id(&body.customer_id));
        let state = to::read_invitation_state(body.state());
        let list = read(self.reads.list_invitations(survey, customer, state, &principal.scope, &page).await)?;
        let invitations = list.items.iter().map(to::invitation).collect();
        Ok(Response::new(wire::ListInvitationsResponse { invitations, next_page_token: list.next }))
    }

    async fn get_invitation(
        &self,
        request: Request<wire::GetInvitationRequest>,
    ) -> Result<Response<wire::GetInvitationResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let invitation = self.reads.find_invitation(to::id(&body.invitation_id), &principal.scope).await;
        let invitation = found(invitation, "INVITATION_NOT_FOUND", "invitation")?;
        Ok(Response::new(wire::GetInvitationResponse { invitation: Some(to::invitation(&invitation)) }))
    }

    async fn create_invitation_link(
        &self,
        request: Request<wire::CreateInvitationLinkRequest>,
    ) -> Result<Response<wire::CreateInvitationLinkResponse>, Status> {
        // A link follows from its invitation and the secret: nothing is written, and a repeat gives the same one.
        let Call { body, principal, .. } = Call::admit(request)?;
        let invitation = self.reads.find_invitation(to::id(&body.invitation_id), &principal.scope).await;
        let invitation = found(invitation, "INVITATION_NOT_FOUND", "invitation")?;
        if invitation.sent_at_us.is_none() {
            return Err(status::with_reason(
                Code::FailedPrecondition,
                "INVITATION_NOT_SENT",
                "the invitation has not gone out",
            ));
        }
        let token = self.links.token(invitation.id.uuid());
        Ok(Response::new(wire::CreateInvitationLinkResponse {
            url_path: format!("{PAGE_PATH}{token}"),
            token,
            expire_time: invitation.expires_at_us.map(timestamp_from_us),
        }))
    }

    async fn get_survey_page(
        &self,
        request: Request<wire::GetSurveyPageRequest>,
    ) -> Result<Response<wire::GetSurveyPageResponse>, Status> {
        // The token is what gives access here, in the place of a scope.
        let body = Call::admit(request)?.body;
        let id = self.links.read(&body.token).ok_or_else(link_unknown)?;
        let invitation = read(self.reads.find_invitation(id, &BranchScope::All).await)?;
        let invitation = invitation.filter(|invitation| invitation.sent_at_us.is_some()).ok_or_else(link_unknown)?;
        let survey = read(self.reads.find_survey(invitation.survey.uuid(), &BranchScope::All).await)?;
        let survey = survey.ok_or_else(link_unknown)?;
        let page = to::page(&invitation, &survey, &body.locale, self.clock.now_us());
        Ok(Response::new(wire::GetSurveyPageResponse { page: Some(page) }))
    }

    async fn submit_response(
        &self,
        request: Request<wire::SubmitResponseRequest>,
    ) -> Result<Response<wire::SubmitResponseResponse>, Status> {
        let mut call = Call::admit(request)?;
        let id = self.links.read(&call.body.token).ok_or_else(link_unknown)?;
        let verb = SubmitResponse {
            invitation: InvitationId(id),
            submission: to::id(&call.body.client_submission_id),
            answers: to::read_answers(std::mem::take(&mut call.body.answers)),
            locale: std::mem::take(&mut call.body.locale),
        };
        self.submit(&call, verb).await
    }

    async fn get_response(
        &self,
        request: Request<wire::GetResponseRequest>,
    ) -> Result<Response<wire::GetResponseResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let response = self.reads.find_response(to::id(&body.response_id), &principal.scope).await;
        let response = found(response, "RESPONSE_NOT_FOUND", "response")?;
        Ok(Response::new(wire::GetResponseResponse { response: Some(to::response(&response)) }))
    }

    async fn list_responses(
        &self,
        request: Request<wire::ListResponsesRequest>,
    ) -> Result<Response<wire::ListResponsesResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("responses", size, &token, &body)?;
        let (survey, customer) = (to::maybe_id(&body.survey_id), to::maybe_id(&body.customer_id));
        let branch = to::maybe_id(&body.branch_id);
        let list = read(self.reads.list_responses(survey, customer, branch, &principal.scope, &page).await)?;
        let responses = list.items.iter().map(to::response).collect();
        Ok(Response::new(wire::ListResponsesResponse { responses, next_page_token: list.next }))
    }

    async fn get_survey_score(
        &self,
        request: Request<wire::GetSurveyScoreRequest>,
    ) -> Result<Response<wire::GetSurveyScoreResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let now_us = self.clock.now_us();
        let survey = self.reads.find_survey(to::id(&body.survey_id), &principal.scope).await;
        let survey = found(survey, "SURVEY_NOT_FOUND", "survey")?;
        let filter = ScoreFilter {
            survey: survey.id.uuid(),
            branch: to::maybe_id(&body.branch_id),
            start_us: to::instant(body.start_time.as_ref()),
            end_us: to::instant(body.end_time.as_ref()),
        };
        let (by_number, sent_count) = read(self.reads.count(&filter, &principal.scope).await)?;
        let score = to::survey_score(&survey, &by_number, sent_count, now_us);
        Ok(Response::new(wire::GetSurveyScoreResponse { score: Some(score) }))
    }
}
