//! The handlers of `StaffService`. What a handler of teams, shifts and presence decodes stands in `team_handlers`.

use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::staff_service_server::StaffService;
use server::auth::{Kind, Principal};
use server::{Call, status};
use tonic::{Request, Response, Status};

use super::service::{Api, grantor};
use super::wire as to;
use crate::domain::{
    Asker, BranchId, DeactivateStaffMember, EndStaffRole, GrantStaffRole, RoleGrant, SetStaffMatching, SetStaffSkills,
    Skill, StaffMemberId, UpdateStaffMember,
};
use crate::error::refusal;

pub(super) fn asker(principal: &Principal) -> Asker {
    let is_staff = principal.kind == Kind::Staff;
    let has_record = is_staff || principal.kind == Kind::Key;
    let subject = has_record.then(|| principal.subject.parse().ok()).flatten();
    Asker { grantor: grantor(principal), subject, is_staff }
}

fn role_grant(told: Option<&wire::RoleGrant>) -> Result<RoleGrant, Status> {
    // Validation has refused requests without one.
    let told = told.cloned().unwrap_or_default();
    let reach = to::reach(told.all_branches, &told.branch_ids).map_err(refusal)?;
    Ok(RoleGrant { role: told.role, reach })
}

#[tonic::async_trait]
impl StaffService for Api {
    async fn update_staff_member(
        &self,
        request: Request<wire::UpdateStaffMemberRequest>,
    ) -> Result<Response<wire::UpdateStaffMemberResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let named = |field: &str| to::is_named(body.update_mask.as_ref(), field);
        let display_name = named("display_name").then(|| body.display_name.clone());
        if display_name.as_ref().is_some_and(String::is_empty) {
            return Err(status::invalid([("display_name", "must be given")]));
        }
        let verb = UpdateStaffMember {
            scope: call.principal.scope.clone(),
            id: StaffMemberId(to::id(&body.staff_member_id)),
            expected_version: to::expected_version(&body.etag),
            display_name,
            home: named("home_branch_id").then(|| to::maybe_id(&body.home_branch_id).map(BranchId)),
            languages: named("languages").then(|| body.languages.clone()),
        };
        self.submit(&call, verb).await
    }

    async fn grant_staff_role(
        &self,
        request: Request<wire::GrantStaffRoleRequest>,
    ) -> Result<Response<wire::GrantStaffRoleResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = GrantStaffRole {
            grantor: grantor(&call.principal),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
            grant: role_grant(call.body.role_grant.as_ref())?,
        };
        self.submit(&call, verb).await
    }

    async fn end_staff_role(
        &self,
        request: Request<wire::EndStaffRoleRequest>,
    ) -> Result<Response<wire::EndStaffRoleResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = EndStaffRole {
            grantor: grantor(&call.principal),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
            grant: role_grant(call.body.role_grant.as_ref())?,
        };
        self.submit(&call, verb).await
    }

    async fn set_staff_skills(
        &self,
        request: Request<wire::SetStaffSkillsRequest>,
    ) -> Result<Response<wire::SetStaffSkillsResponse>, Status> {
        let call = Call::admit(request)?;
        let skill = |told: &wire::Skill| Skill {
            code: told.skill.clone(),
            level: told.level,
            trained_until_us: to::instant(told.trained_until_time.as_ref()),
        };
        let verb = SetStaffSkills {
            scope: call.principal.scope.clone(),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
            skills: call.body.skills.iter().map(skill).collect(),
        };
        self.submit(&call, verb).await
    }

    async fn set_staff_matching(
        &self,
        request: Request<wire::SetStaffMatchingRequest>,
    ) -> Result<Response<wire::SetStaffMatchingResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = SetStaffMatching {
            asker: asker(&call.principal),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
            attributes: call.body.attributes.clone(),
        };
        self.submit(&call, verb).await
    }

    async fn deactivate_staff_member(
        &self,
        request: Request<wire::DeactivateStaffMemberRequest>,
    ) -> Result<Response<wire::DeactivateStaffMemberResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = DeactivateStaffMember {
            grantor: grantor(&call.principal),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn create_team(
        &self,
        request: Request<wire::CreateTeamRequest>,
    ) -> Result<Response<wire::CreateTeamResponse>, Status> {
        self.make_team(request).await
    }

    async fn get_team(
        &self,
        request: Request<wire::GetTeamRequest>,
    ) -> Result<Response<wire::GetTeamResponse>, Status> {
        self.read_team(request).await
    }

    async fn list_teams(
        &self,
        request: Request<wire::ListTeamsRequest>,
    ) -> Result<Response<wire::ListTeamsResponse>, Status> {
        self.read_teams(request).await
    }

    async fn update_team(
        &self,
        request: Request<wire::UpdateTeamRequest>,
    ) -> Result<Response<wire::UpdateTeamResponse>, Status> {
        self.change_team(request).await
    }

    async fn dissolve_team(
        &self,
        request: Request<wire::DissolveTeamRequest>,
    ) -> Result<Response<wire::DissolveTeamResponse>, Status> {
        self.end_team(request).await
    }

    async fn plan_shift(
        &self,
        request: Request<wire::PlanShiftRequest>,
    ) -> Result<Response<wire::PlanShiftResponse>, Status> {
        self.make_shift(request).await
    }

    async fn cancel_shift(
        &self,
        request: Request<wire::CancelShiftRequest>,
    ) -> Result<Response<wire::CancelShiftResponse>, Status> {
        self.end_shift(request).await
    }

    async fn list_shifts(
        &self,
        request: Request<wire::ListShiftsRequest>,
    ) -> Result<Response<wire::ListShiftsResponse>, Status> {
        self.read_shifts(request).await
    }

    async fn set_presence(
        &self,
        request: Request<wire::SetPresenceRequest>,
    ) -> Result<Response<wire::SetPresenceResponse>, Status> {
        self.say_presence(request).await
    }

    async fn list_presence(
        &self,
        request: Request<wire::ListPresenceRequest>,
    ) -> Result<Response<wire::ListPresenceResponse>, Status> {
        self.read_presences(request).await
    }
}
