//! The handlers of `OrganizationService`.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use commit::Door;
use kernel::Clock;
use prost::Message;
use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::organization_service_server::OrganizationService;
use server::auth::Principal;
use server::{Call, status};
use tonic::{Code, Request, Response, Status};

use super::key_text::KeyText;
use super::wire as to;
use crate::Organization;
use crate::domain::{
    ApiKey, ApiKeyId, ApiKeyState, BranchId, CloseBranch, CreateApiKey, CreateBranch, CreateStaffMember, Grantor,
    MoveBranch, Permission, ResumeBranch, RevokeApiKey, RoleGrant, StaffMemberId, SuspendBranch, UpdateBranch,
};
use crate::error::{refusal, refused};
use crate::store::{BranchFilter, Reads, StaffFilter};

/// Answers the calls.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) door: Door<Organization>,
    pub(crate) reads: Reads,
    /// The clock of the business.
    pub(crate) clock: Clock,
    /// Stands in the text of new keys.
    pub(crate) key_environment: Arc<str>,
}

impl Api {
    pub(super) async fn submit<T, V: commit::Verb<Organization>>(
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

/// Now by the wall clock, microseconds since the Unix epoch: credentials never follow the business clock.
pub(crate) fn wall_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

pub(super) fn grantor(principal: &Principal) -> Grantor {
    Grantor {
        permissions: principal.permissions.iter().filter_map(Permission::find).collect(),
        scope: principal.scope.clone(),
    }
}

pub(super) fn found<T>(found: Option<T>, reason: &str, what: &str) -> Result<T, Status> {
    found.ok_or_else(|| status::with_reason(Code::NotFound, reason, format!("there is no such {what}")))
}

fn key_invalid() -> Status {
    status::with_reason(Code::Unauthenticated, "API_KEY_INVALID", "the API key does not open this door")
}

#[tonic::async_trait]
impl OrganizationService for Api {
    async fn create_branch(
        &self,
        request: Request<wire::CreateBranchRequest>,
    ) -> Result<Response<wire::CreateBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let verb = CreateBranch {
            scope: call.principal.scope.clone(),
            code: body.code.clone(),
            display_name: body.display_name.clone(),
            parent: to::maybe_id(&body.parent_branch_id).map(BranchId),
            kind: to::read_branch_kind(body.kind).ok_or_else(|| status::invalid([("kind", "must be given")]))?,
            time_zone: body.time_zone.clone(),
            currency: body.currency_code.clone(),
            locale: body.locale.clone(),
        };
        self.submit(&call, verb).await
    }

    async fn get_branch(
        &self,
        request: Request<wire::GetBranchRequest>,
    ) -> Result<Response<wire::GetBranchResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let branch = self.reads.find_branch(to::id(&body.branch_id), &principal.scope).await;
        let branch = found(branch.map_err(|error| status::of_store(&error))?, "BRANCH_NOT_FOUND", "branch")?;
        let above = self.reads.list_ancestors(branch.id.uuid()).await.map_err(|error| status::of_store(&error))?;
        let ancestor_branch_ids = above.iter().map(uuid::Uuid::to_string).collect();
        Ok(Response::new(wire::GetBranchResponse { branch: Some(to::branch(&branch)), ancestor_branch_ids }))
    }

    async fn list_branches(
        &self,
        request: Request<wire::ListBranchesRequest>,
    ) -> Result<Response<wire::ListBranchesResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("branches", size, &token, &body)?;
        let filter = BranchFilter {
            parent: to::maybe_id(&body.parent_branch_id),
            kind: to::read_branch_kind(body.kind),
            code: Some(body.code).filter(|code| !code.is_empty()),
            show_closed: body.show_closed,
            subtree: to::maybe_id(&body.subtree_branch_id),
        };
        let list = self.reads.list_branches(&filter, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let branches = list.items.iter().map(to::branch).collect();
        Ok(Response::new(wire::ListBranchesResponse { branches, next_page_token: list.next }))
    }

    async fn update_branch(
        &self,
        request: Request<wire::UpdateBranchRequest>,
    ) -> Result<Response<wire::UpdateBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = UpdateBranch {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
            change: to::branch_change(&call.body)?,
        };
        self.submit(&call, verb).await
    }

    async fn close_branch(
        &self,
        request: Request<wire::CloseBranchRequest>,
    ) -> Result<Response<wire::CloseBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = CloseBranch {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn suspend_branch(
        &self,
        request: Request<wire::SuspendBranchRequest>,
    ) -> Result<Response<wire::SuspendBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = SuspendBranch {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn resume_branch(
        &self,
        request: Request<wire::ResumeBranchRequest>,
    ) -> Result<Response<wire::ResumeBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = ResumeBranch {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn move_branch(
        &self,
        request: Request<wire::MoveBranchRequest>,
    ) -> Result<Response<wire::MoveBranchResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = MoveBranch {
            scope: call.principal.scope.clone(),
            id: BranchId(to::id(&call.body.branch_id)),
            expected_version: to::expected_version(&call.body.etag),
            parent: BranchId(to::id(&call.body.parent_branch_id)),
        };
        self.submit(&call, verb).await
    }

    async fn create_staff_member(
        &self,
        request: Request<wire::CreateStaffMemberRequest>,
    ) -> Result<Response<wire::CreateStaffMemberResponse>, Status> {
        let call = Call::admit(request)?;
        let grants = call.body.role_grants.iter().map(|grant| {
            let reach = to::reach(grant.all_branches, &grant.branch_ids).map_err(refusal)?;
            Ok(RoleGrant { role: grant.role.clone(), reach })
        });
        let verb = CreateStaffMember {
            grantor: grantor(&call.principal),
            display_name: call.body.display_name.clone(),
            grants: grants.collect::<Result<_, Status>>()?,
            home: to::maybe_id(&call.body.home_branch_id).map(BranchId),
        };
        self.submit(&call, verb).await
    }

    async fn get_staff_member(
        &self,
        request: Request<wire::GetStaffMemberRequest>,
    ) -> Result<Response<wire::GetStaffMemberResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let member = self.reads.find_staff_member(to::id(&body.staff_member_id), &principal.scope).await;
        let member = member.map_err(|error| status::of_store(&error))?;
        let member = found(member, "STAFF_MEMBER_NOT_FOUND", "staff member")?;
        Ok(Response::new(wire::GetStaffMemberResponse { staff_member: Some(to::staff_member(&member)) }))
    }

    async fn list_staff_members(
        &self,
        request: Request<wire::ListStaffMembersRequest>,
    ) -> Result<Response<wire::ListStaffMembersResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("staff members", size, &token, &body)?;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let filter = StaffFilter {
            branch: to::maybe_id(&body.branch_id),
            role: some(body.role),
            skill: some(body.skill),
            min_level: body.min_skill_level.into(),
            now_us: self.clock.now_us(),
            language: some(body.language),
            team: to::maybe_id(&body.team_id),
            show_deactivated: body.show_deactivated,
        };
        let list = self.reads.list_staff_members(&filter, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let staff_members = list.items.iter().map(to::staff_member).collect();
        Ok(Response::new(wire::ListStaffMembersResponse { staff_members, next_page_token: list.next }))
    }

    async fn list_roles(
        &self,
        request: Request<wire::ListRolesRequest>,
    ) -> Result<Response<wire::ListRolesResponse>, Status> {
        let Call { body, pages, .. } = Call::admit(request)?;
        let page = pages.read("roles", body.page_size, &body.page_token, &())?;
        let list = self.reads.list_roles(&page).await.map_err(|error| status::of_store(&error))?;
        let (roles, next_page_token) = (list.items.iter().map(to::role).collect(), list.next);
        Ok(Response::new(wire::ListRolesResponse { roles, next_page_token }))
    }

    async fn create_api_key(
        &self,
        request: Request<wire::CreateApiKeyRequest>,
    ) -> Result<Response<wire::CreateApiKeyResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let wall_us = wall_us();
        let drawn = KeyText::generate(&self.key_environment, wall_us);
        let verb = CreateApiKey {
            grantor: grantor(&call.principal),
            id: ApiKeyId(drawn.id),
            secret_hash: drawn.secret_hash,
            display_name: body.display_name.clone(),
            roles: body.roles.clone(),
            reach: to::reach(body.all_branches, &body.branch_ids).map_err(refusal)?,
            staff_member: to::maybe_id(&body.staff_member_id).map(StaffMemberId),
            expires_at_us: to::instant(body.expire_time.as_ref()),
            wall_us,
        };
        let mut response = self.submit(&call, verb).await?;
        // A repeat gets the stored reply of the first time, whose id is another one: its secret is gone.
        let reply = response.get_mut();
        if reply.api_key.as_ref().is_some_and(|key| key.api_key_id == drawn.id.to_string()) {
            reply.secret = drawn.into_text();
        }
        Ok(response)
    }

    async fn list_api_keys(
        &self,
        request: Request<wire::ListApiKeysRequest>,
    ) -> Result<Response<wire::ListApiKeysResponse>, Status> {
        let Call { mut body, principal, pages, .. } = Call::admit(request)?;
        let token = std::mem::take(&mut body.page_token);
        let size = std::mem::take(&mut body.page_size);
        let page = pages.read("api keys", size, &token, &body)?;
        let wall_us = wall_us();
        let active_at_us = (!body.show_inactive).then_some(wall_us);
        let list = self.reads.list_api_keys(active_at_us, &principal.scope, &page).await;
        let list = list.map_err(|error| status::of_store(&error))?;
        let uses = self.reads.list_last_uses(&list.items).await.map_err(|error| status::of_store(&error))?;
        let shown = |key: &ApiKey| wire::ApiKey {
            last_use_time: uses.get(&key.id.uuid()).copied().map(proto::timestamp_from_us),
            ..to::api_key(key, key.state(wall_us))
        };
        let api_keys = list.items.iter().map(shown).collect();
        Ok(Response::new(wire::ListApiKeysResponse { api_keys, next_page_token: list.next }))
    }

    async fn revoke_api_key(
        &self,
        request: Request<wire::RevokeApiKeyRequest>,
    ) -> Result<Response<wire::RevokeApiKeyResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = RevokeApiKey {
            scope: call.principal.scope.clone(),
            id: ApiKeyId(to::id(&call.body.api_key_id)),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn verify_api_key(
        &self,
        request: Request<wire::VerifyApiKeyRequest>,
    ) -> Result<Response<wire::VerifyApiKeyResponse>, Status> {
        let Call { body, .. } = Call::admit(request)?;
        let given = KeyText::read(&body.secret).ok_or_else(key_invalid)?;
        let key = self.reads.find_api_key(given.id).await.map_err(|error| status::of_store(&error))?;
        // An unknown id is compared too, so that it takes the time of a false secret.
        let wall_us = wall_us();
        let stored_hash = key.as_ref().map_or([0; 32], |key| key.secret_hash);
        let former_hash = key.as_ref().and_then(|key| key.former_hash(wall_us)).copied().unwrap_or(stored_hash);
        let fits = given.fits(&stored_hash) | given.fits(&former_hash);
        let key = key.filter(|key| fits && key.state(wall_us) == ApiKeyState::Active).ok_or_else(key_invalid)?;
        let holder = self.reads.find_holder(&key).await.map_err(|error| status::of_store(&error))?;
        let (permissions, branches) = holder.ok_or_else(key_invalid)?;
        let principal = Some(to::key_principal(&key, &permissions, &branches));
        Ok(Response::new(wire::VerifyApiKeyResponse { principal }))
    }
}
