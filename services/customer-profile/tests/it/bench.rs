//! A fresh database on each engine, and the whole service beside logs of the others, with typed clients to it.

use kernel::{BranchScope, Clock};
use profile::{Config, NAME};
use proto::Permission;
use proto::karibu::events::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::karibu::events::v1::{DeadLetter, ListDeadLettersRequest};
use proto::karibu::organization::v1::BranchCreated;
use proto::karibu::profile::v1 as pb;
use proto::karibu::profile::v1::profile_service_client::ProfileServiceClient;
use server::auth::{Kind, Principal};
use server::{House, Kit, Upstream};
use stage::{About, Bench, Ground, Neighbours};
pub use stage::{SOON, fields, reason};
use store::{Db, Options, Sql};
use testkit::assert_eventually;
use uuid::Uuid;

use crate::neighbours;

/// The business time of the tests, microseconds since the Unix epoch.
pub const NOW_US: i64 = 1_795_000_000_000_000;
/// A branch where Kinyarwanda is spoken.
pub const HERE: Uuid = Uuid::from_u128(0x1000);
/// A branch where English is spoken.
pub const THERE: Uuid = Uuid::from_u128(0x2000);

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    stage::both(NAME, profile::MIGRATIONS).await
}

pub type Client = ProfileServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub name: &'static str,
    pub house: House,
    pub neighbours: Neighbours,
    kit: Kit,
    routes: tonic::service::Routes,
    _ground: Ground,
}

impl Place {
    /// On a SQLite file of its own, with two branches known.
    pub async fn new() -> Self {
        Self::at(Ground::sqlite(NAME)).await
    }

    /// On a PostgreSQL database of its own.
    pub async fn on_postgres() -> Self {
        Self::at(Ground::postgres(NAME).await).await
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::on_postgres().await]
    }

    async fn at(ground: Ground) -> Self {
        let mut house = House::embedded(Clock::manual(NOW_US)).unwrap();
        house.privacy.audit_reads = true;
        let kit = house.kit(NAME, ground.url.clone());
        let routes = profile::start(&kit, Config::default()).await.unwrap().routes;
        let neighbours = neighbours::start(&house, ground.folder.path()).await;
        let place = Self { name: ground.name, house, neighbours, kit, routes, _ground: ground };
        for (branch, locale) in [(HERE, "rw"), (THERE, "en")] {
            let about = About { branch: Some(branch), occurred_at_us: Some(1), ..About::thing(branch) };
            let created =
                BranchCreated { branch_id: branch.to_string(), locale: locale.into(), ..BranchCreated::default() };
            place.neighbours.tell(about, created).await;
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

    /// The way of somebody who may do everything everywhere.
    pub fn acting_admin(&self) -> server::hop::Acting {
        self.acting(staff("admin", BranchScope::All))
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
    let permissions = [
        Permission::CustomerRead,
        Permission::CustomerWrite,
        Permission::CustomerErase,
        Permission::PurchaseRead,
        Permission::PurchaseWrite,
        Permission::AuditRead,
    ];
    Principal { subject: subject.into(), kind: Kind::Staff, permissions: permissions.into_iter().collect(), scope }
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
