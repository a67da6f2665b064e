//! The handlers of `RoutingService`, one per method, and how a case came to whoever has it as messages.

use commit::Answer;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::routing_service_server::RoutingService;
use proto::timestamp_from_us;
use server::field;
use tonic::{Request, Response, Status};

use super::Api;
use super::codes::Coded;
use super::decode::{case, id, instant, optional_text, required};
use super::service::{open, store};
use super::wire::{optional_id, optional_text as text};
use crate::domain::routing::{Ask, Escalation, Needs};
use crate::domain::staff::{Profile, Skill, Staff};
use crate::domain::verbs::{AcceptEscalation, AnswerAsk, Escalate, PutProfile, Recuse, Route, StepBack, Transfer};
use crate::domain::{Refusal, StaffId};
use crate::error::refused_by;

/// A part of a score, which is far below the bounds.
fn permille(part: i64) -> i32 {
    i32::try_from(part).unwrap_or(i32::MAX)
}

/// Somebody was asked.
pub(super) fn ask(ask: &Ask) -> wire::RoutingAsk {
    wire::RoutingAsk {
        ask_id: ask.id.to_string(),
        staff_id: ask.staff.to_string(),
        score: Some(wire::RoutingScore {
            skill_permille: permille(ask.score.skill),
            capacity_permille: permille(ask.score.capacity),
            affinity_permille: permille(ask.score.affinity),
            preference_permille: permille(ask.score.preference),
            idle_permille: permille(ask.score.idle),
            total_permille: permille(ask.score.total),
        }),
        relaxed: ask.relaxed,
        state: ask.state.number(),
        ask_time: Some(timestamp_from_us(ask.at_us)),
    }
}

/// The case went to a higher place.
pub(super) fn escalation(risen: &Escalation) -> wire::Escalation {
    wire::Escalation {
        escalation_id: risen.id.to_string(),
        level: i32::from(risen.level),
        branch_id: risen.branch.to_string(),
        staff_id: optional_id(risen.staff),
        trigger: risen.trigger.number(),
        escalate_time: Some(timestamp_from_us(risen.at_us)),
        accepted_by: text(risen.accepted.as_ref().map(|(by, _)| by.as_str())),
        accept_time: risen.accepted.as_ref().map(|(_, at_us)| timestamp_from_us(*at_us)),
    }
}

fn profile(staff: &Staff) -> wire::StaffProfile {
    let Profile { skills, languages, opted_in, cleared, present, capacity, .. } = &staff.profile;
    let skill = |skill: &Skill| wire::Skill {
        skill_code: skill.code.clone(),
        level: i32::from(skill.level),
        trained_until_time: skill.trained_until_us.map(timestamp_from_us),
    };
    wire::StaffProfile {
        staff_id: staff.id.to_string(),
        home_branch_id: optional_id(staff.home),
        skills: skills.iter().map(skill).collect(),
        languages: languages.clone(),
        opted_in_traits: opted_in.clone(),
        cleared: *cleared,
        present: *present,
        capacity: permille(*capacity),
        left: staff.left,
        etag: staff.version.to_string(),
        create_time: Some(timestamp_from_us(staff.created_at_us)),
        update_time: Some(timestamp_from_us(staff.updated_at_us)),
    }
}

/// A level that validation has found to be within 0 and 10; 0 means 1.
fn level(number: i32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX).max(1)
}

impl Answer for Staff {
    type Wire = wire::StaffProfile;
    fn to_wire(&self) -> Self::Wire {
        profile(self)
    }
}

#[tonic::async_trait]
impl RoutingService for Api {
    async fn route_complaint(
        &self,
        request: Request<wire::RouteComplaintRequest>,
    ) -> Result<Response<wire::RouteComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let needs = Needs {
            skill: optional_text(body.skill_code).map(|code| (code, level(body.skill_level))),
            language: optional_text(body.language),
            clearance: false,
            preferred: body.preferred_traits,
        };
        let verb = Route { case: case(&call.principal, &body.complaint_id, &body.etag), needs };
        self.advance(&call, verb, |complaint| wire::RouteComplaintResponse { complaint }).await
    }

    async fn answer_ask(
        &self,
        request: Request<wire::AnswerAskRequest>,
    ) -> Result<Response<wire::AnswerAskResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = AnswerAsk { case: case(&call.principal, &body.complaint_id, &body.etag), takes: body.takes };
        self.advance(&call, verb, |complaint| wire::AnswerAskResponse { complaint }).await
    }

    async fn step_back(
        &self,
        request: Request<wire::StepBackRequest>,
    ) -> Result<Response<wire::StepBackResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = StepBack { case, reason_code: body.reason_code };
        self.advance(&call, verb, |complaint| wire::StepBackResponse { complaint }).await
    }

    async fn transfer_complaint(
        &self,
        request: Request<wire::TransferComplaintRequest>,
    ) -> Result<Response<wire::TransferComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = Transfer { case, to: id(&body.branch_id), reason_code: body.reason_code };
        self.advance(&call, verb, |complaint| wire::TransferComplaintResponse { complaint }).await
    }

    async fn recuse(&self, request: Request<wire::RecuseRequest>) -> Result<Response<wire::RecuseResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = Recuse { case: case(&call.principal, &body.complaint_id, &body.etag), staff: id(&body.staff_id) };
        self.advance(&call, verb, |complaint| wire::RecuseResponse { complaint }).await
    }

    async fn escalate_complaint(
        &self,
        request: Request<wire::EscalateComplaintRequest>,
    ) -> Result<Response<wire::EscalateComplaintResponse>, Status> {
        let (body, call) = open(request)?;
        let case = case(&call.principal, &body.complaint_id, &body.etag);
        let verb = Escalate { case, trigger: required(body.trigger, "trigger")? };
        self.advance(&call, verb, |complaint| wire::EscalateComplaintResponse { complaint }).await
    }

    async fn accept_escalation(
        &self,
        request: Request<wire::AcceptEscalationRequest>,
    ) -> Result<Response<wire::AcceptEscalationResponse>, Status> {
        let (body, call) = open(request)?;
        let verb = AcceptEscalation { case: case(&call.principal, &body.complaint_id, &body.etag) };
        self.advance(&call, verb, |complaint| wire::AcceptEscalationResponse { complaint }).await
    }

    async fn put_staff_profile(
        &self,
        request: Request<wire::PutStaffProfileRequest>,
    ) -> Result<Response<wire::PutStaffProfileResponse>, Status> {
        let (body, call) = open(request)?;
        let skill = |skill: wire::Skill| Skill {
            level: level(skill.level),
            trained_until_us: instant(skill.trained_until_time.as_ref()),
            code: skill.skill_code,
        };
        let verb = PutProfile {
            scope: call.principal.scope.clone(),
            staff: id(&body.staff_id),
            expected_version: field::expected_version(&body.etag),
            profile: Profile {
                skills: body.skills.into_iter().map(skill).collect(),
                languages: body.languages,
                opted_in: body.opted_in_traits,
                cleared: body.cleared,
                present: body.present,
                capacity: i64::from(body.capacity),
                last_assigned_at_us: 0,
            },
        };
        let staff_profile = Some(self.submit(&call, verb).await?);
        Ok(Response::new(wire::PutStaffProfileResponse { staff_profile }))
    }

    async fn get_staff_profile(
        &self,
        request: Request<wire::GetStaffProfileRequest>,
    ) -> Result<Response<wire::GetStaffProfileResponse>, Status> {
        let (body, call) = open(request)?;
        let staff: StaffId = id(&body.staff_id);
        let scope = &call.principal.scope;
        let found = self.reads.find_staff(staff).await.map_err(store)?;
        let found = found.filter(|staff| staff.home.map_or(scope.is_all(), |home| scope.allows(home.uuid())));
        let found = found.ok_or_else(|| refused_by(&Refusal::StaffUnknown))?;
        Ok(Response::new(wire::GetStaffProfileResponse { staff_profile: Some(profile(&found)) }))
    }
}
