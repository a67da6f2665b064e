//! A fresh database on each engine, and the whole service on a SQLite file of its own with typed clients to it.

use kernel::{BranchScope, Clock};
use organization::{Config, NAME, Office};
use proto::karibu::organization::v1 as wire;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use server::auth::{Kind, PermissionSet, Principal};
use server::{House, Upstream};
use store::{Db, Options};
use tempfile::TempDir;
use testkit::Postgres;
use tonic_types::StatusExt;
use uuid::Uuid;

/// One database with a name for messages.
pub struct Bench {
    pub name: &'static str,
    pub db: Db,
    _folder: Option<TempDir>,
}

async fn open(url: &str) -> Db {
    let db = Db::open(&Options::new(url, "organization-test")).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, organization::MIGRATIONS]).await.unwrap();
    db
}

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("organization.db").display());
    let sqlite = Bench { name: "sqlite", db: open(&url).await, _folder: Some(folder) };
    let url = Postgres::start().await.database("organization").await;
    vec![sqlite, Bench { name: "postgres", db: open(&url).await, _folder: None }]
}

pub type Client = OrganizationServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub house: House,
    pub office: Office,
    routes: tonic::service::Routes,
    _folder: Option<TempDir>,
}

impl Place {
    /// On a SQLite file of its own.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("organization.db").display());
        Self { _folder: Some(folder), ..Self::at(url).await }
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::at(Postgres::start().await.database("organization").await).await]
    }

    async fn at(url: String) -> Self {
        let house = House::embedded(Clock::manual(1_795_000_000_000_000)).unwrap();
        let kit = house.kit(NAME, url);
        let office = organization::open(&kit, &Config::default()).await.unwrap();
        let routes = organization::serve(&kit, office.clone()).routes;
        Self { house, office, routes, _folder: None }
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        let minter = self.house.minter.clone().unwrap();
        OrganizationServiceClient::new(Upstream::Local(self.routes.clone()).acting_as(principal, minter, NAME))
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        self.client(admin())
    }

    /// A client of a key with the permissions of `role` in `branches`.
    pub fn with_role(&self, role: &str, branches: &[Uuid]) -> Client {
        let permissions = organization::domain::permissions_of([role]);
        self.client(Principal {
            subject: "tester".into(),
            kind: Kind::Key,
            permissions: permissions.into_iter().map(organization::domain::Permission::number).collect(),
            scope: BranchScope::only(branches.iter().copied()),
        })
    }
}

/// Everything everywhere, but no part of Karibu itself.
pub fn admin() -> Principal {
    let permissions: PermissionSet =
        organization::domain::Permission::ALL.iter().map(|permission| permission.number()).collect();
    Principal { subject: "admin".into(), kind: Kind::Key, permissions, scope: BranchScope::All }
}

/// The reason in the `ErrorInfo` of a failure.
pub fn reason<T: std::fmt::Debug>(outcome: Result<T, tonic::Status>) -> String {
    outcome.expect_err("it must fail").get_details_error_info().expect("every error has an ErrorInfo").reason
}

/// The fields at fault.
pub fn fields<T: std::fmt::Debug>(outcome: Result<T, tonic::Status>) -> Vec<String> {
    let details = outcome.expect_err("it must fail").get_details_bad_request().expect("a field is at fault");
    details.field_violations.into_iter().map(|violation| violation.field).collect()
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
