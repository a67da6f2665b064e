//! A fresh database on each engine, and the whole service on a SQLite file of its own with typed clients to it.

use kernel::{BranchScope, Clock};
use organization::{Config, NAME, Office};
use proto::karibu::events::v1::log_service_client::LogServiceClient;
use proto::karibu::events::v1::{EventRecord, ReadLogRequest};
use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::access_service_client::AccessServiceClient;
use proto::karibu::organization::v1::calendar_service_client::CalendarServiceClient;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use proto::karibu::organization::v1::staff_service_client::StaffServiceClient;
use server::auth::{Kind, PermissionSet, Principal};
use server::{House, Upstream};
use stage::{Bench, Ground};
pub use stage::{fields, reason};
use uuid::Uuid;

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    stage::both(NAME, organization::MIGRATIONS).await
}

pub type Client = OrganizationServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub house: House,
    pub office: Office,
    routes: tonic::service::Routes,
    _ground: Ground,
}

impl Place {
    /// On a SQLite file of its own.
    pub async fn new() -> Self {
        Self::at(Ground::sqlite(NAME)).await
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::at(Ground::postgres(NAME).await).await]
    }

    async fn at(ground: Ground) -> Self {
        let house = House::embedded(Clock::manual(1_795_000_000_000_000)).unwrap();
        let kit = house.kit(NAME, ground.url.clone());
        let office = organization::open(&kit, &Config::default()).await.unwrap();
        let routes = organization::serve(&kit, office.clone()).routes;
        Self { house, office, routes, _ground: ground }
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        OrganizationServiceClient::new(self.acting(principal))
    }

    /// A client of the care of roles, identities and keys, in the name of `principal`.
    pub fn access(&self, principal: Principal) -> AccessServiceClient<server::hop::Acting> {
        AccessServiceClient::new(self.acting(principal))
    }

    /// A client of the opening hours, in the name of `principal`.
    pub fn calendars(&self, principal: Principal) -> CalendarServiceClient<server::hop::Acting> {
        CalendarServiceClient::new(self.acting(principal))
    }

    /// A client of the people at work, in the name of `principal`.
    pub fn staff(&self, principal: Principal) -> StaffServiceClient<server::hop::Acting> {
        StaffServiceClient::new(self.acting(principal))
    }

    /// Everything told so far.
    pub async fn events(&self) -> Vec<EventRecord> {
        let mut log = LogServiceClient::new(self.acting(Principal::system("test")));
        log.read_log(ReadLogRequest { max_events: 1_000, ..Default::default() }).await.unwrap().into_inner().events
    }

    fn acting(&self, principal: Principal) -> server::hop::Acting {
        let minter = self.house.minter.clone().unwrap();
        Upstream::Local(self.routes.clone()).acting_as(principal, minter, NAME)
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        self.client(admin())
    }

    /// A client of a key with the permissions of `role` in `branches`.
    pub fn with_role(&self, role: &str, branches: &[Uuid]) -> Client {
        self.client(holder(role, branches))
    }
}

/// A key with the permissions of `role` in `branches`.
pub fn holder(role: &str, branches: &[Uuid]) -> Principal {
    let permissions = organization::domain::permissions_of([role]);
    Principal {
        subject: "tester".into(),
        kind: Kind::Key,
        permissions: permissions.into_iter().map(organization::domain::Permission::number).collect(),
        scope: BranchScope::only(branches.iter().copied()),
    }
}

/// Creates a staff member with one role, in these branches or (none) everywhere.
pub async fn staff(client: &mut Client, name: &str, role: &str, branches: &[&String]) -> wire::StaffMember {
    let request = wire::CreateStaffMemberRequest {
        display_name: name.into(),
        role_grants: vec![wire::RoleGrant {
            role: role.into(),
            all_branches: branches.is_empty(),
            branch_ids: branches.iter().map(|&id| id.clone()).collect(),
        }],
        ..Default::default()
    };
    client.create_staff_member(request).await.unwrap().into_inner().staff_member.unwrap()
}

/// Everything everywhere, but no part of Karibu itself.
pub fn admin() -> Principal {
    let permissions: PermissionSet =
        organization::domain::Permission::ALL.iter().map(|permission| permission.number()).collect();
    Principal { subject: "admin".into(), kind: Kind::Key, permissions, scope: BranchScope::All }
}

pub fn branch_request(code: &str, parent: &str, kind: wire::BranchKind) -> wire::CreateBranchRequest {
    wire::CreateBranchRequest {
        request_id: String::new(),
        code: code.into(),
        display_name: format!("Branch {code}"),
        parent_branch_id: parent.into(),
        kind: kind.into(),
        time_zone: "Africa/Kigali".into(),
        currency_code: "RWF".into(),
        locale: "rw".into(),
    }
}

/// Creates a branch and gives its id.
pub async fn branch(client: &mut Client, code: &str, parent: &str, kind: wire::BranchKind) -> String {
    let reply = client.create_branch(branch_request(code, parent, kind)).await.unwrap().into_inner();
    reply.branch.unwrap().branch_id
}

/// A business with two regions, a branch in each and a desk in the first: ids by code.
pub async fn tree(client: &mut Client) -> std::collections::HashMap<&'static str, String> {
    use wire::BranchKind::{Branch, Business, Desk, Region};
    let top = branch(client, "TOP", "", Business).await;
    let rw = branch(client, "RW", &top, Region).await;
    let gb = branch(client, "GB", &top, Region).await;
    let kgl = branch(client, "KGL-1", &rw, Branch).await;
    let ldn = branch(client, "LDN-1", &gb, Branch).await;
    let desk = branch(client, "KGL-1-D", &kgl, Desk).await;
    [("TOP", top), ("RW", rw), ("GB", gb), ("KGL-1", kgl), ("LDN-1", ldn), ("DESK", desk)].into()
}
