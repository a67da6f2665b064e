//! The handlers of `CalendarService`.

use calendar::OpeningCalendar;
use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::calendar_service_server::CalendarService;
use proto::timestamp_from_us;
use server::{Call, status};
use tonic::{Request, Response, Status};

use super::service::{Api, found};
use super::wire as to;
use crate::domain::{
    BranchId, ClearBranchCalendar, CreateHolidaySet, HolidaySetId, SetBranchCalendar, UpdateHolidaySet,
};

#[tonic::async_trait]
impl CalendarService for Api {
    async fn set_branch_calendar(
        &self,
        request: Request<wire::SetBranchCalendarRequest>,
    ) -> Result<Response<wire::SetBranchCalendarResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = SetBranchCalendar {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
            hours: to::opening_hours(&call.body)?,
        };
        self.submit(&call, verb).await
    }

    async fn clear_branch_calendar(
        &self,
        request: Request<wire::ClearBranchCalendarRequest>,
    ) -> Result<Response<wire::ClearBranchCalendarResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = ClearBranchCalendar {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn get_branch_calendar(
        &self,
        request: Request<wire::GetBranchCalendarRequest>,
    ) -> Result<Response<wire::GetBranchCalendarResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let held = self.reads.find_hours(to::id(&body.branch_id), &principal.scope).await;
        let (_, held) = found(held.map_err(|error| status::of_store(&error))?, "BRANCH_NOT_FOUND", "branch")?;
        Ok(Response::new(wire::GetBranchCalendarResponse { calendar: Some(to::branch_calendar(&held)) }))
    }

    async fn get_open_state(
        &self,
        request: Request<wire::GetOpenStateRequest>,
    ) -> Result<Response<wire::GetOpenStateResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let held = self.reads.find_hours(to::id(&body.branch_id), &principal.scope).await;
        let (branch, held) = found(held.map_err(|error| status::of_store(&error))?, "BRANCH_NOT_FOUND", "branch")?;
        let at_us = to::instant(body.at_time.as_ref()).unwrap_or_else(|| self.clock.now_us());
        let mut open_state = wire::OpenState {
            branch_id: branch.id.to_string(),
            at_time: Some(timestamp_from_us(at_us)),
            ..Default::default()
        };
        let calendar = match held.hours {
            Some(hours) => OpeningCalendar::new(hours).ok(),
            None => OpeningCalendar::always(&branch.time_zone),
        };
        if let Some(calendar) = calendar.filter(|_| branch.works()) {
            open_state.is_open = calendar.is_open(at_us);
            open_state.next_open_time = calendar.next_open(at_us).map(timestamp_from_us);
            open_state.next_close_time = calendar.next_close(at_us).map(timestamp_from_us);
        }
        Ok(Response::new(wire::GetOpenStateResponse { open_state: Some(open_state) }))
    }

    async fn create_holiday_set(
        &self,
        request: Request<wire::CreateHolidaySetRequest>,
    ) -> Result<Response<wire::CreateHolidaySetResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = CreateHolidaySet {
            code: call.body.code.clone(),
            display_name: call.body.display_name.clone(),
            holidays: to::holidays(&call.body.holidays)?,
        };
        self.submit(&call, verb).await
    }

    async fn get_holiday_set(
        &self,
        request: Request<wire::GetHolidaySetRequest>,
    ) -> Result<Response<wire::GetHolidaySetResponse>, Status> {
        let Call { body, .. } = Call::admit(request)?;
        let set = self.reads.find_holiday_set(to::id(&body.holiday_set_id)).await;
        let set = set.map_err(|error| status::of_store(&error))?;
        let set = found(set, "HOLIDAY_SET_NOT_FOUND", "set of holidays")?;
        Ok(Response::new(wire::GetHolidaySetResponse { holiday_set: Some(to::holiday_set(&set)) }))
    }

    async fn list_holiday_sets(
        &self,
        request: Request<wire::ListHolidaySetsRequest>,
    ) -> Result<Response<wire::ListHolidaySetsResponse>, Status> {
        let Call { body, pages, .. } = Call::admit(request)?;
        let page = pages.read("holiday sets", body.page_size, &body.page_token, &())?;
        let list = self.reads.list_holiday_sets(&page).await.map_err(|error| status::of_store(&error))?;
        let holiday_sets = list.items.iter().map(to::holiday_set).collect();
        Ok(Response::new(wire::ListHolidaySetsResponse { holiday_sets, next_page_token: list.next }))
    }

    async fn update_holiday_set(
        &self,
        request: Request<wire::UpdateHolidaySetRequest>,
    ) -> Result<Response<wire::UpdateHolidaySetResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let named = |field: &str| to::is_named(body.update_mask.as_ref(), field);
        let display_name = named("display_name").then(|| body.display_name.clone());
        if display_name.as_ref().is_some_and(String::is_empty) {
            return Err(status::invalid([("display_name", "must be given")]));
        }
        let verb = UpdateHolidaySet {
            scope: call.principal.scope.clone(),
            id: HolidaySetId(to::id(&body.holiday_set_id)),
            expected_version: to::expected_version(&body.etag),
            display_name,
            holidays: named("holidays").then(|| to::holidays(&body.holidays)).transpose()?,
        };
        self.submit(&call, verb).await
    }
}
