//! The handlers of `AccessService`.

use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::access_service_server::AccessService;
use server::{Call, status};
use tonic::{Code, Request, Response, Status};

use super::key_text::KeyText;
use super::service::{Api, grantor, wall_us};
use super::wire as to;
use crate::domain::{
    ApiKeyId, CreateRole, DeleteRole, ExternalIdentity, LinkStaffIdentity, RecordApiKeyUse, RotateApiKey,
    StaffMemberId, UpdateRole,
};

/// One answer for an unknown identity and for one that was let go.
fn unknown() -> Status {
    status::with_reason(Code::Unauthenticated, "PRINCIPAL_UNKNOWN", "the identity belongs to nobody who works here")
}

/// How long an old secret opens the door beside the new one when nobody says, in microseconds: a day.
const DEFAULT_OVERLAP_US: i64 = 24 * 3_600 * 1_000_000;

#[tonic::async_trait]
impl AccessService for Api {
    async fn create_role(
        &self,
        request: Request<wire::CreateRoleRequest>,
    ) -> Result<Response<wire::CreateRoleResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = CreateRole {
            grantor: grantor(&call.principal),
            code: call.body.role.clone(),
            display_name: call.body.display_name.clone(),
            permissions: to::permissions(&call.body.permissions)?,
        };
        self.submit(&call, verb).await
    }

    async fn update_role(
        &self,
        request: Request<wire::UpdateRoleRequest>,
    ) -> Result<Response<wire::UpdateRoleResponse>, Status> {
        let call = Call::admit(request)?;
        let body = &call.body;
        let named = |field: &str| to::is_named(body.update_mask.as_ref(), field);
        let display_name = named("display_name").then(|| body.display_name.clone());
        if display_name.as_ref().is_some_and(String::is_empty) {
            return Err(status::invalid([("display_name", "must be given")]));
        }
        let verb = UpdateRole {
            grantor: grantor(&call.principal),
            code: body.role.clone(),
            expected_version: to::expected_version(&body.etag),
            display_name,
            permissions: named("permissions").then(|| to::permissions(&body.permissions)).transpose()?,
        };
        self.submit(&call, verb).await
    }

    async fn delete_role(
        &self,
        request: Request<wire::DeleteRoleRequest>,
    ) -> Result<Response<wire::DeleteRoleResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = DeleteRole {
            grantor: grantor(&call.principal),
            code: call.body.role.clone(),
            expected_version: to::expected_version(&call.body.etag),
        };
        self.submit(&call, verb).await
    }

    async fn rotate_api_key(
        &self,
        request: Request<wire::RotateApiKeyRequest>,
    ) -> Result<Response<wire::RotateApiKeyResponse>, Status> {
        let call = Call::admit(request)?;
        let id = to::id(&call.body.api_key_id);
        let drawn = KeyText::renew(&self.key_environment, id);
        let overlap_us = call.body.overlap.as_ref().map_or(DEFAULT_OVERLAP_US, |overlap| {
            overlap.seconds.saturating_mul(1_000_000).saturating_add(i64::from(overlap.nanos / 1_000))
        });
        let verb = RotateApiKey {
            grantor: grantor(&call.principal),
            id: ApiKeyId(id),
            expected_version: to::expected_version(&call.body.etag),
            secret_hash: drawn.secret_hash,
            overlap_us,
            wall_us: wall_us(),
        };
        let mut response = self.submit(&call, verb).await?;
        // A repeat gets the stored reply of the first time, which is about another secret: that one is gone.
        let reply = response.get_mut();
        if reply.api_key.as_ref().is_some_and(|key| key.secret_hint == to::secret_hint(&drawn.secret_hash)) {
            reply.secret = drawn.into_text();
        }
        Ok(response)
    }

    async fn record_api_key_use(
        &self,
        request: Request<wire::RecordApiKeyUseRequest>,
    ) -> Result<Response<wire::RecordApiKeyUseResponse>, Status> {
        let call = Call::admit(request)?;
        let used = |used: &wire::ApiKeyUse| {
            to::instant(used.use_time.as_ref()).map(|used_at_us| (ApiKeyId(to::id(&used.api_key_id)), used_at_us))
        };
        let verb = RecordApiKeyUse { uses: call.body.uses.iter().filter_map(used).collect() };
        self.submit(&call, verb).await?;
        Ok(Response::new(wire::RecordApiKeyUseResponse {}))
    }

    async fn link_staff_identity(
        &self,
        request: Request<wire::LinkStaffIdentityRequest>,
    ) -> Result<Response<wire::LinkStaffIdentityResponse>, Status> {
        let call = Call::admit(request)?;
        let verb = LinkStaffIdentity {
            grantor: grantor(&call.principal),
            id: StaffMemberId(to::id(&call.body.staff_member_id)),
            expected_version: to::expected_version(&call.body.etag),
            issuer: call.body.issuer.clone(),
            subject: call.body.subject.clone(),
        };
        self.submit(&call, verb).await
    }

    async fn resolve_principal(
        &self,
        request: Request<wire::ResolvePrincipalRequest>,
    ) -> Result<Response<wire::ResolvePrincipalResponse>, Status> {
        let Call { body, .. } = Call::admit(request)?;
        let identity = ExternalIdentity { issuer: body.issuer, subject: body.subject };
        let member = self.reads.find_staff_member_of(&identity).await.map_err(|error| status::of_store(&error))?;
        let member = member.ok_or_else(unknown)?;
        let powers = self.reads.list_powers(&member).await.map_err(|error| status::of_store(&error))?;
        let principal = Some(to::staff_principal(&member, &powers));
        Ok(Response::new(wire::ResolvePrincipalResponse { principal }))
    }
}
