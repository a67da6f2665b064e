//! A fresh database on each engine, and the whole service beside logs of the others, with typed clients to it.

use std::time::Duration;

use kernel::{BranchScope, Clock};
use profile::{Config, NAME};
use proto::Permission;
use proto::karibu::events::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::karibu::events::v1::{DeadLetter, ListDeadLettersRequest};
use proto::karibu::profile::v1 as pb;
use proto::karibu::profile::v1::profile_service_client::ProfileServiceClient;
use server::auth::{Kind, Principal};
use server::{House, Kit, Upstream};
use store::{Db, Options, Sql};
use tempfile::TempDir;
use testkit::{Postgres, assert_eventually};
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::neighbours::Neighbours;

/// Time for an event to take effect on a busy machine.
pub const SOON: Duration = Duration::from_secs(20);
/// The business time of the tests, microseconds since the Unix epoch.
pub const NOW_US: i64 = 1_795_000_000_000_000;
/// A branch where Kinyarwanda is spoken.
pub const HERE: Uuid = Uuid::from_u128(0x1000);
/// A branch where English is spoken.
pub const THERE: Uuid = Uuid::from_u128(0x2000);

/// One database with a name for messages.
pub struct Bench {
    pub name: &'static str,
    pub db: Db,
    _folder: Option<TempDir>,
}

async fn open(url: &str) -> Db {
    let db = Db::open(&Options::new(url, "profile-test")).await.unwrap();
    db.migrate(&[commit::MIGRATIONS, profile::MIGRATIONS]).await.unwrap();
    db
}

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("profile.db").display());
    let sqlite = Bench { name: "sqlite", db: open(&url).await, _folder: Some(folder) };
    let url = Postgres::start().await.database("profile").await;
    vec![sqlite, Bench { name: "postgres", db: open(&url).await, _folder: None }]
}

pub type Client = ProfileServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub name: &'static str,
    pub house: House,
    pub neighbours: Neighbours,
    kit: Kit,
    routes: tonic::service::Routes,
    _folder: TempDir,
}

impl Place {
    /// On a SQLite file of its own, with two branches known.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("profile.db").display());
        Self::at("sqlite", url, folder).await
    }

    /// On a PostgreSQL database of its own.
    pub async fn on_postgres() -> Self {
        let url = Postgres::start().await.database("profile").await;
        Self::at("postgres", url, tempfile::tempdir().unwrap()).await
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::on_postgres().await]
    }

    async fn at(name: &'static str, url: String, folder: TempDir) -> Self {
        let house = House::embedded(Clock::manual(NOW_US)).unwrap();
        let kit = house.kit(NAME, url);
        let routes = profile::start(&kit, Config::default()).await.unwrap().routes;
        let neighbours = Neighbours::new(&house, folder.path()).await;
        let place = Self { name, house, neighbours, kit, routes, _folder: folder };
        for (branch, locale) in [(HERE, "rw"), (THERE, "en")] {
            place.neighbours.tell_branch(branch, locale).await;
            // A visit of somebody unknown is refused because of the branch until the branch is known.
            let probe = pb::RecordVisitRequest {
                customer_id: Uuid::max().to_string(),
                branch_id: branch.to_string(),
                ..Default::default()
            };
            assert_eventually(SOON, || async {
                reason(place.admin().record_visit(probe.clone()).await) == "CUSTOMER_NOT_FOUND"
            })
            .await;
        }
        place
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        ProfileServiceClient::new(self.acting(principal))
    }

    fn acting(&self, principal: Principal) -> server::hop::Acting {
        let minter = self.house.minter.clone().unwrap();
        Upstream::Local(self.routes.clone()).acting_as(principal, minter, self.kit.name)
    }

    /// A client that may do everything everywhere.
    pub fn admin(&self) -> Client {
        self.client(staff("admin", BranchScope::All))
    }

    /// A client that may do everything at `branch`.
    pub fn at_branch(&self, branch: Uuid) -> Client {
        self.client(staff("local", BranchScope::only([branch])))
    }

    /// Creates a person at the first branch.
    pub async fn customer(&self, name: &str, handles: Vec<pb::Identifier>) -> pb::Customer {
        let request = pb::CreateCustomerRequest {
            preferred_name: name.into(),
            identifiers: handles,
            home_branch_id: HERE.to_string(),
            ..Default::default()
        };
        self.admin().create_customer(request).await.unwrap().into_inner().customer.unwrap()
    }

    /// Every reply and every event payload that is stored. On PostgreSQL only: a SQLite file has one owner.
    pub async fn stored_bytes(&self) -> Vec<Vec<u8>> {
        let db = Db::open(&Options::new(&self.kit.database, "profile-test")).await.unwrap();
        let all = Sql::same("select reply from request union all select payload from event_log");
        let rows: Vec<(Vec<u8>,)> = db.fetch_all(all, &[]).await.unwrap();
        rows.into_iter().map(|(bytes,)| bytes).collect()
    }

    /// Events that could not be taken in.
    pub async fn dead_letters(&self) -> Vec<DeadLetter> {
        let permissions = [Permission::EventAdmin].into_iter().collect();
        let operator =
            Principal { subject: "operator".into(), kind: Kind::Staff, permissions, scope: BranchScope::All };
        let mut client = DeadLetterServiceClient::new(self.acting(operator));
        let request = ListDeadLettersRequest { service: NAME.into(), ..Default::default() };
        client.list_dead_letters(request).await.unwrap().into_inner().dead_letters
    }

    pub async fn summary(&self, customer_id: &str) -> pb::CustomerSummary {
        let request = pb::GetCustomerSummaryRequest { customer_id: customer_id.into() };
        self.admin().get_customer_summary(request).await.unwrap().into_inner().summary.unwrap()
    }
}

fn staff(subject: &str, scope: BranchScope) -> Principal {
    let permissions =
        [Permission::CustomerRead, Permission::CustomerWrite, Permission::PurchaseRead, Permission::PurchaseWrite];
    Principal { subject: subject.into(), kind: Kind::Staff, permissions: permissions.into_iter().collect(), scope }
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

pub fn email(value: &str) -> pb::Identifier {
    pb::Identifier { r#type: pb::IdentifierType::Email.into(), value: value.into(), issuer: String::new() }
}

/// A sale of two pieces at 700 and a discount of 100, at the first branch, `at_s` seconds after the tests' beginning.
pub fn sale(number: &str, at_s: i64) -> pb::PurchaseInput {
    let line = |sku: &str, quantity, unit_amount_minor, earns| pb::PurchaseLine {
        sku: sku.into(),
        description: format!("{sku} ✓"),
        quantity,
        unit_amount_minor,
        earns,
        ..Default::default()
    };
    pb::PurchaseInput {
        source_system: "till".into(),
        source_ref: number.into(),
        branch_id: HERE.to_string(),
        kind: pb::PurchaseKind::Sale.into(),
        occur_time: Some(proto::timestamp_from_us(NOW_US + at_s * 1_000_000)),
        currency_code: "RWF".into(),
        lines: vec![line("milk", 2, 700, true), line("discount", 1, -100, false)],
        ..Default::default()
    }
}

pub fn by_id(customer_id: &str) -> Option<pb::purchase_input::Customer> {
    Some(pb::purchase_input::Customer::CustomerId(customer_id.into()))
}

pub fn by_handle(handle: pb::Identifier) -> Option<pb::purchase_input::Customer> {
    Some(pb::purchase_input::Customer::Identifier(handle))
}
