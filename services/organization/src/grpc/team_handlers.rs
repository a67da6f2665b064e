//! What `StaffService` does for teams, shifts and presence.

use proto::karibu::organization::v1 as wire;
use server::{Call, status};
use tonic::{Request, Response, Status};

use super::service::{Api, found};
use super::staff_service::asker;
use super::wire as to;
use crate::domain::{
    BranchId, CancelShift, CreateTeam, DissolveTeam, PlanShift, SetPresence, ShiftId, StaffMemberId, TeamId, UpdateTeam,
};
use crate::store::ShiftFilter;

type Answer<T> = Result<Response<T>, Status>;

fn members(texts: &[String]) -> Vec<StaffMemberId> {
    to::ids(texts).into_iter().map(StaffMemberId).collect()
}

impl Api {
    pub(super) async fn make_team(
        &self,
        request: Request<wire::CreateTeamRequest>,
    ) -> Answer<wire::CreateTeamResponse> {
        let call = Call::admit(request)?;
        let verb = CreateTeam {
            scope: call.principal.scope.clone(),
            branch: BranchId(to::id(&call.body.branch_id)),
            display_name: call.body.display_name.clone(),
            members: members(&call.body.member_ids),
            lead: to::maybe_id(&call.body.lead_id).map(StaffMemberId),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn read_team(&self, request: Request<wire::GetTeamRequest>) -> Answer<wire::GetTeamResponse> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let team = self.reads.find_team(to::id(&body.team_id), &principal.scope).await;
        let team = found(team.map_err(|error| status::of_store(&error))?, "TEAM_NOT_FOUND", "team")?;
        Ok(Response::new(wire::GetTeamResponse { team: Some(to::team(&team)) }))
    }

    pub(super) async fn read_teams(&self, request: Request<wire::ListTeamsRequest>) -> Answer<wire::ListTeamsResponse> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("teams", size, &token, &body)?;
        let branch = to::maybe_id(&body.branch_id);
        let list = self.reads.list_teams(branch, body.show_dissolved, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let teams = list.items.iter().map(to::team).collect();
        Ok(Response::new(wire::ListTeamsResponse { teams, next_page_token: list.next }))
    }

    pub(super) async fn change_team(
        &self,
        request: Request<wire::UpdateTeamRequest>,
    ) -> Answer<wire::UpdateTeamResponse> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let named = |field: &str| to::is_named(body.update_mask.as_ref(), field);
        let display_name = named("display_name").then(|| body.display_name.clone());
        if display_name.as_ref().is_some_and(String::is_empty) {
            return Err(status::invalid([("display_name", "must be given")]));
        }
        let verb = UpdateTeam {
            scope: call.principal.scope.clone(),
            id: TeamId(to::id(&body.team_id)),
            expected_version: to::expected_version(&body.etag),
            display_name,
            members: named("member_ids").then(|| members(&body.member_ids)),
            lead: named("lead_id").then(|| to::maybe_id(&body.lead_id).map(StaffMemberId)),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn end_team(
        &self,
        request: Request<wire::DissolveTeamRequest>,
    ) -> Answer<wire::DissolveTeamResponse> {
        let call = Call::admit(request)?;
        let verb = DissolveTeam {
            scope: call.principal.scope.clone(),
            id: TeamId(to::id(&call.body.team_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn make_shift(&self, request: Request<wire::PlanShiftRequest>) -> Answer<wire::PlanShiftResponse> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let verb = PlanShift {
            scope: call.principal.scope.clone(),
            member: StaffMemberId(to::id(&body.staff_member_id)),
            branch: BranchId(to::id(&body.branch_id)),
            // Validation has refused requests without them.
            starts_at_us: to::instant(body.start_time.as_ref()).unwrap_or_default(),
            ends_at_us: to::instant(body.end_time.as_ref()).unwrap_or_default(),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn end_shift(
        &self,
        request: Request<wire::CancelShiftRequest>,
    ) -> Answer<wire::CancelShiftResponse> {
        let call = Call::admit(request)?;
        let verb = CancelShift {
            scope: call.principal.scope.clone(),
            id: ShiftId(to::id(&call.body.shift_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn read_shifts(
        &self,
        request: Request<wire::ListShiftsRequest>,
    ) -> Answer<wire::ListShiftsResponse> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("shifts", size, &token, &body)?;
        let filter = ShiftFilter {
            branch: to::maybe_id(&body.branch_id),
            member: to::maybe_id(&body.staff_member_id),
            from_us: to::instant(body.start_time.as_ref()),
            to_us: to::instant(body.end_time.as_ref()),
            show_cancelled: body.show_cancelled,
        };
        let list = self.reads.list_shifts(&filter, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let shifts = list.items.iter().map(to::shift).collect();
        Ok(Response::new(wire::ListShiftsResponse { shifts, next_page_token: list.next }))
    }

    pub(super) async fn say_presence(
        &self,
        request: Request<wire::SetPresenceRequest>,
    ) -> Answer<wire::SetPresenceResponse> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let verb = SetPresence {
            asker: asker(&call.principal),
            id: StaffMemberId(to::id(&body.staff_member_id)),
            expected_version: to::expected_version(&body.etag),
            state: to::read_presence_state(body.state).ok_or_else(|| status::invalid([("state", "must be given")]))?,
            branch: to::maybe_id(&body.branch_id).map(BranchId),
            until_us: to::instant(body.until_time.as_ref()),
        };
        self.submit(&call, verb).await
    }

    pub(super) async fn read_presences(
        &self,
        request: Request<wire::ListPresenceRequest>,
    ) -> Answer<wire::ListPresenceResponse> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("presence", size, &token, &body)?;
        let now_us = self.clock.now_us();
        let (branch, state) = (to::maybe_id(&body.branch_id), to::read_presence_state(body.state));
        let list = self.reads.list_presences(branch, state, now_us, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let presences = list.items.iter().map(|said| to::presence(said, now_us)).collect();
        Ok(Response::new(wire::ListPresenceResponse { presences, next_page_token: list.next }))
    }
}
