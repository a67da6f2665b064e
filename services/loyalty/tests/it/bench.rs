//! A fresh database on each engine, and the whole service beside logs of the others, with typed clients to it.

use kernel::{BranchScope, Clock};
use loyalty::{Config, NAME};
use proto::karibu::events::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::karibu::events::v1::log_service_client::LogServiceClient;
use proto::karibu::events::v1::{DeadLetter, EventRecord, ListDeadLettersRequest, ReadLogRequest};
use proto::karibu::loyalty::v1 as pb;
use proto::karibu::loyalty::v1::loyalty_service_client::LoyaltyServiceClient;
use proto::karibu::organization::v1::BranchCreated;
use proto::karibu::profile::v1::{PurchaseRecorded, PurchaseReturned};
use proto::karibu::types::v1::Money;
use proto::{EventPayload, Permission, timestamp_from_us};
use server::auth::{Kind, Principal};
use server::{House, Kit, Upstream};
use stage::{About, Bench, Ground, Neighbours};
pub use stage::{SOON, fields, reason};
use store::{Db, Options};
use testkit::assert_eventually;
use uuid::Uuid;

use crate::neighbours;

/// The business time of the tests, microseconds since the Unix epoch.
pub const NOW_US: i64 = 1_795_000_000_000_000;
/// A branch.
pub const HERE: Uuid = Uuid::from_u128(0x1000);
/// Another branch.
pub const THERE: Uuid = Uuid::from_u128(0x2000);
/// A customer.
pub const ANN: Uuid = Uuid::from_u128(0xA);
/// Another customer.
pub const BOB: Uuid = Uuid::from_u128(0xB);

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    stage::both(NAME, loyalty::MIGRATIONS).await
}

pub type Client = LoyaltyServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub name: &'static str,
    neighbours: Neighbours,
    house: House,
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
        let house = House::embedded(Clock::manual(NOW_US)).unwrap();
        let kit = house.kit(NAME, ground.url.clone());
        let routes = loyalty::start(&kit, Config::default()).await.unwrap().routes;
        let neighbours = neighbours::start(&house, ground.folder.path()).await;
        let place = Self { name: ground.name, neighbours, house, kit, routes, _ground: ground };
        for branch in [HERE, THERE] {
            place.open_branch(branch).await;
        }
        place
    }

    /// Tells of a branch and waits until it is known.
    async fn open_branch(&self, branch: Uuid) {
        let created = BranchCreated {
            branch_id: branch.to_string(),
            time_zone: "Africa/Kigali".into(),
            ..BranchCreated::default()
        };
        self.tell(branch, created).await;
        // The account of nobody is not found, but only behind a branch that is known.
        let probe = pb::AdjustPointsRequest {
            account_id: Uuid::max().to_string(),
            points: 1,
            reason_code: "probe".into(),
            branch_id: branch.to_string(),
            ..Default::default()
        };
        assert_eventually(SOON, || async {
            reason(self.admin().adjust_points(probe.clone()).await) == "ACCOUNT_NOT_FOUND"
        })
        .await;
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        LoyaltyServiceClient::new(self.acting(principal))
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

    /// Creates the usual programme: 1 point per RWF 100 or GBP 0.10, enrolling by itself.
    pub async fn program(&self) -> pb::Program {
        self.admin().create_program(program_request("CARD")).await.unwrap().into_inner().program.unwrap()
    }

    /// An event of a neighbour about `subject`, at the beginning of the tests.
    pub async fn tell<P: EventPayload>(&self, subject: Uuid, payload: P) {
        let about = About { occurred_at_us: Some(NOW_US), ..About::thing(subject) };
        self.neighbours.tell(about, payload).await;
    }

    /// A customer buys.
    pub async fn sell(&self, receipt: &str, customer: Option<Uuid>, branch: Uuid, currency: &str, minor: i64) {
        let purchase = commit::key(&[receipt.as_bytes()]);
        let told = PurchaseRecorded {
            purchase_id: purchase.to_string(),
            source_system: "till".into(),
            source_ref: receipt.into(),
            customer_id: text(customer),
            branch_id: branch.to_string(),
            total: money(currency, minor),
            earning_total: money(currency, minor),
            line_count: 1,
            occur_time: Some(timestamp_from_us(NOW_US - 1_000_000)),
        };
        self.tell(purchase, told).await;
    }

    /// A customer brings goods back.
    pub async fn take_back(&self, receipt: &str, original: &str, customer: Option<Uuid>, minor: i64) {
        let purchase = commit::key(&[receipt.as_bytes()]);
        let told = PurchaseReturned {
            purchase_id: purchase.to_string(),
            source_system: "till".into(),
            source_ref: receipt.into(),
            original_source_ref: original.into(),
            customer_id: text(customer),
            branch_id: HERE.to_string(),
            total: money("RWF", minor),
            earning_total: money("RWF", minor),
            line_count: 1,
            occur_time: Some(timestamp_from_us(NOW_US)),
        };
        self.tell(purchase, told).await;
    }

    /// The account of a customer, if there is one.
    pub async fn find(&self, customer: Uuid) -> Option<pb::Account> {
        let request = pb::FindAccountRequest { customer_id: customer.to_string(), program_id: String::new() };
        self.admin().find_account(request).await.ok().and_then(|reply| reply.into_inner().account)
    }

    /// Waits until the customer has so many points to spend and owes so many.
    pub async fn await_points(&self, customer: Uuid, available: i64, debt: i64) -> pb::Account {
        let stands = |account: &pb::Account| {
            account.balances.is_some_and(|balances| (balances.available, balances.debt) == (available, debt))
        };
        assert_eventually(SOON, || async {
            let found = self.find(customer).await;
            found.clone().filter(stands).ok_or(found)
        })
        .await
    }

    /// The audit of a programme.
    pub async fn verify(&self, program_id: &str) -> pb::VerifyLedgerResponse {
        let request = pb::VerifyLedgerRequest { program_id: program_id.into() };
        self.admin().verify_ledger(request).await.unwrap().into_inner()
    }

    /// Everything that the service told.
    pub async fn told(&self) -> Vec<EventRecord> {
        let mut log = LogServiceClient::new(self.acting(Principal::system("test")));
        log.read_log(ReadLogRequest { max_events: 1_000, ..Default::default() }).await.unwrap().into_inner().events
    }

    /// What the service told in events of one type.
    pub async fn told_of<P: EventPayload>(&self) -> Vec<P> {
        let told = self.told().await.into_iter().filter(|event| event.r#type == P::TYPE);
        told.map(|event| P::decode(&event.payload[..]).unwrap()).collect()
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

    /// The database itself, for tests that tamper with it. On PostgreSQL only: a SQLite file has one owner.
    pub async fn database(&self) -> Db {
        Db::open(&Options::new(&self.kit.database, "loyalty-test")).await.unwrap()
    }
}

fn staff(subject: &str, scope: BranchScope) -> Principal {
    let permissions = [Permission::LoyaltyRead, Permission::LoyaltyWrite, Permission::LoyaltyAdjust];
    Principal { subject: subject.into(), kind: Kind::Staff, permissions: permissions.into_iter().collect(), scope }
}

fn text(id: Option<Uuid>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

fn money(currency: &str, minor_units: i64) -> Option<Money> {
    Some(Money { currency_code: currency.into(), minor_units })
}

/// The usual programme under a code.
pub fn program_request(code: &str) -> pb::CreateProgramRequest {
    let rule =
        |currency: &str, per_minor_units| pb::EarnRule { currency_code: currency.into(), points: 1, per_minor_units };
    pb::CreateProgramRequest {
        code: code.into(),
        display_name: "Card".into(),
        earn_rules: vec![rule("RWF", 100), rule("GBP", 10)],
        auto_enrol: true,
        goodwill_max_points: 1_000,
        ..Default::default()
    }
}
