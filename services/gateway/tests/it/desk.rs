//! The service behind the door in these tests: it answers a few methods of the contract, knows some keys, and notes
//! what reaches it. Real gRPC behind the real edge; the real services are tried in the journeys of the workspace.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use proto::Permission;
use proto::karibu::organization::v1::access_service_server::{AccessService, AccessServiceServer};
use proto::karibu::organization::v1::organization_service_server::{OrganizationService, OrganizationServiceServer};
use proto::karibu::organization::v1::*;
use server::auth::{KeyText, Principal as Caller};
use server::{Call, Kit, Started, status};
use tokio::sync::Notify;
use tonic::{Code, Request, Response, Status};

use crate::not_here::not_here;

pub const KNOWN: &str = "0190163d-8694-739b-aea5-966c26f8ad91";
/// Below [`KNOWN`].
pub const CHILD: &str = "0190163d-8694-739b-aea5-966c26f8ad92";
/// Beside it.
pub const OTHER: &str = "0190163d-8694-739b-aea5-966c26f8ad93";
/// Reading this branch takes for ever.
pub const SLOW: &str = "0190163d-8694-739b-aea5-966c26f8ad94";

/// What a call looked like to the service.
#[derive(Clone, Debug)]
pub struct Seen {
    pub metadata: tonic::metadata::MetadataMap,
    pub caller: Caller,
}

#[derive(Clone, Default)]
pub struct Desk {
    pub keys: Arc<Mutex<HashMap<String, Principal>>>,
    /// Staff by issuer and subject.
    pub people: Arc<Mutex<HashMap<(String, String), Principal>>>,
    /// What the gateway told of the use of keys.
    pub uses: Arc<Mutex<Vec<ApiKeyUse>>>,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub last_close: Arc<Mutex<Option<CloseBranchRequest>>>,
    /// Told when a slow call has begun.
    pub slow_began: Arc<Notify>,
}

impl Desk {
    pub fn start(&self, kit: &Kit) -> Started {
        let access = AccessServiceServer::new(self.clone());
        kit.routes().with(OrganizationServiceServer::new(self.clone())).with(access).started(|| async { Ok(()) })
    }

    /// A key with these permissions, everywhere.
    pub fn key(&self, name: &str, permissions: impl IntoIterator<Item = Permission>) -> String {
        self.key_in(name, permissions, None)
    }

    /// A key with these permissions, in these branches.
    pub fn key_in(
        &self,
        name: &str,
        permissions: impl IntoIterator<Item = Permission>,
        branches: Option<&[&str]>,
    ) -> String {
        let key = KeyText::generate("test", 0).into_text();
        let principal = Principal {
            subject: name.to_owned(),
            kind: PrincipalKind::ApiKey.into(),
            permissions: permissions.into_iter().map(i32::from).collect(),
            all_branches: branches.is_none(),
            branch_ids: branches.unwrap_or_default().iter().map(|id| (*id).to_owned()).collect(),
            ..Default::default()
        };
        self.keys.lock().unwrap().insert(key.clone(), principal);
        key
    }

    /// A staff member whom the issuer calls `subject`, with these permissions everywhere.
    pub fn person(&self, issuer: &str, subject: &str, permissions: impl IntoIterator<Item = Permission>) {
        let principal = Principal {
            subject: format!("staff-{subject}"),
            kind: PrincipalKind::Staff.into(),
            permissions: permissions.into_iter().map(i32::from).collect(),
            all_branches: true,
            ..Default::default()
        };
        self.people.lock().unwrap().insert((issuer.to_owned(), subject.to_owned()), principal);
    }

    fn admit<T: prost::Message + proto::Validate>(&self, request: Request<T>) -> Result<Call<T>, Status> {
        let metadata = request.metadata().clone();
        let call = Call::admit(request)?;
        self.seen.lock().unwrap().push(Seen { metadata, caller: call.principal.clone() });
        Ok(call)
    }
}

fn branch(branch_id: &str, parent: &str) -> Branch {
    Branch {
        branch_id: branch_id.to_owned(),
        parent_branch_id: parent.to_owned(),
        code: "KGL-1".into(),
        display_name: "Kigali “Heights” – ☕".into(),
        kind: BranchKind::Branch.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        etag: "7".into(),
        create_time: Some(proto::timestamp_from_us(1_795_341_600_123_456)),
        ..Default::default()
    }
}

#[tonic::async_trait]
impl OrganizationService for Desk {
    async fn verify_api_key(
        &self,
        request: Request<VerifyApiKeyRequest>,
    ) -> Result<Response<VerifyApiKeyResponse>, Status> {
        let call = Call::admit(request)?;
        let known = self.keys.lock().unwrap().get(&call.body.secret).cloned();
        let principal = known.ok_or_else(|| status::with_reason(Code::Unauthenticated, "API_KEY_INVALID", "no"))?;
        Ok(Response::new(VerifyApiKeyResponse { principal: Some(principal) }))
    }

    async fn get_branch(&self, request: Request<GetBranchRequest>) -> Result<Response<GetBranchResponse>, Status> {
        let call = self.admit(request)?;
        match call.body.branch_id.as_str() {
            KNOWN => Ok(Response::new(GetBranchResponse { branch: Some(branch(KNOWN, "")), ..Default::default() })),
            SLOW => {
                self.slow_began.notify_one();
                std::future::pending().await
            }
            _ => Err(status::with_facts(Code::NotFound, "BRANCH_NOT_FOUND", "no such branch", [("a", "b")])),
        }
    }

    async fn list_branches(&self, _: Request<ListBranchesRequest>) -> Result<Response<ListBranchesResponse>, Status> {
        let branches = vec![branch(KNOWN, ""), branch(CHILD, KNOWN), branch(OTHER, "")];
        Ok(Response::new(ListBranchesResponse { branches, next_page_token: String::new() }))
    }

    async fn close_branch(
        &self,
        request: Request<CloseBranchRequest>,
    ) -> Result<Response<CloseBranchResponse>, Status> {
        let call = self.admit(request)?;
        *self.last_close.lock().unwrap() = Some(call.body.clone());
        if !matches!(call.body.etag.as_str(), "" | "7") {
            return Err(status::with_facts(Code::Aborted, "VERSION_MISMATCH", "it is 7", [("etag", "7")]));
        }
        Ok(Response::new(CloseBranchResponse { branch: Some(branch(&call.body.branch_id, "")) }))
    }

    not_here! {
        create_branch(CreateBranchRequest) -> CreateBranchResponse;
        update_branch(UpdateBranchRequest) -> UpdateBranchResponse;
        suspend_branch(SuspendBranchRequest) -> SuspendBranchResponse;
        resume_branch(ResumeBranchRequest) -> ResumeBranchResponse;
        move_branch(MoveBranchRequest) -> MoveBranchResponse;
        create_staff_member(CreateStaffMemberRequest) -> CreateStaffMemberResponse;
        get_staff_member(GetStaffMemberRequest) -> GetStaffMemberResponse;
        list_staff_members(ListStaffMembersRequest) -> ListStaffMembersResponse;
        list_roles(ListRolesRequest) -> ListRolesResponse;
        create_api_key(CreateApiKeyRequest) -> CreateApiKeyResponse;
        list_api_keys(ListApiKeysRequest) -> ListApiKeysResponse;
        revoke_api_key(RevokeApiKeyRequest) -> RevokeApiKeyResponse;
    }
}

#[tonic::async_trait]
impl AccessService for Desk {
    async fn resolve_principal(
        &self,
        request: Request<ResolvePrincipalRequest>,
    ) -> Result<Response<ResolvePrincipalResponse>, Status> {
        let call = Call::admit(request)?;
        let known = self.people.lock().unwrap().get(&(call.body.issuer, call.body.subject)).cloned();
        let principal = known.ok_or_else(|| status::with_reason(Code::Unauthenticated, "PRINCIPAL_UNKNOWN", "no"))?;
        Ok(Response::new(ResolvePrincipalResponse { principal: Some(principal) }))
    }

    async fn record_api_key_use(
        &self,
        request: Request<RecordApiKeyUseRequest>,
    ) -> Result<Response<RecordApiKeyUseResponse>, Status> {
        let call = Call::admit(request)?;
        self.uses.lock().unwrap().extend(call.body.uses);
        Ok(Response::new(RecordApiKeyUseResponse {}))
    }

    not_here! {
        link_staff_identity(LinkStaffIdentityRequest) -> LinkStaffIdentityResponse;
        create_role(CreateRoleRequest) -> CreateRoleResponse;
        update_role(UpdateRoleRequest) -> UpdateRoleResponse;
        delete_role(DeleteRoleRequest) -> DeleteRoleResponse;
        rotate_api_key(RotateApiKeyRequest) -> RotateApiKeyResponse;
    }
}
