//! A fresh database on each engine, and the whole service beside the logs of its neighbours, with typed
//! clients to it and its events in the order of its log.

use commit::LogEvent;
use kernel::{BranchScope, Clock};
use proto::Permission;
use proto::karibu::organization::v1::BranchCreated;
use proto::karibu::ticketing::v1 as wire;
use proto::karibu::ticketing::v1::casework_service_client::CaseworkServiceClient;
use proto::karibu::ticketing::v1::ticketing_service_client::TicketingServiceClient;
use proto::karibu::types::v1::Channel;
use server::auth::{Kind, Principal};
use server::{House, Upstream};
use stage::{About, Bench, Ground, Neighbours};
pub use stage::{SOON, reason};
use testkit::assert_eventually;
use ticketing::{Config, NAME};
use uuid::Uuid;

use crate::neighbours;

/// Wednesday, 18 November 2026, 13:06:40 in Kigali; microseconds since the Unix epoch.
pub const NOW_US: i64 = 1_795_000_000_000_000;
/// A branch in Kigali.
pub const HERE: Uuid = Uuid::from_u128(0x1000);
/// A branch in London.
pub const THERE: Uuid = Uuid::from_u128(0x2000);
/// A customer.
pub const AMINA: Uuid = Uuid::from_u128(0x3000);
/// A member of staff.
pub const GRACE: Uuid = Uuid::from_u128(0x4000);

/// One database on each engine.
pub async fn both() -> Vec<Bench> {
    stage::both(NAME, ticketing::MIGRATIONS).await
}

pub type Client = TicketingServiceClient<server::hop::Acting>;

/// The service, as the suite runs it.
pub struct Place {
    pub house: House,
    pub neighbours: Neighbours,
    routes: tonic::service::Routes,
    _ground: Ground,
}

impl Place {
    /// On a SQLite file of its own, with two branches known.
    pub async fn new() -> Self {
        Self::at(Ground::sqlite(NAME)).await
    }

    /// On a database of each engine.
    pub async fn both() -> Vec<Self> {
        vec![Self::new().await, Self::at(Ground::postgres(NAME).await).await]
    }

    async fn at(ground: Ground) -> Self {
        let house = House::embedded(Clock::manual(NOW_US)).unwrap();
        let kit = house.kit(NAME, ground.url.clone());
        let config = Config { timer_period_ms: 20, ..Config::default() };
        let routes = ticketing::start(&kit, config).await.unwrap().routes;
        let neighbours = neighbours::start(&house, ground.folder.path()).await;
        let place = Self { house, neighbours, routes, _ground: ground };
        for (branch, code, zone, currency) in
            [(HERE, "KGL-1", "Africa/Kigali", "RWF"), (THERE, "LDN", "Europe/London", "GBP")]
        {
            let told = BranchCreated {
                branch_id: branch.to_string(),
                code: code.into(),
                time_zone: zone.into(),
                currency_code: currency.into(),
                ..Default::default()
            };
            place.neighbours.tell(About::thing(branch), told).await;
            place.until_known(branch).await;
        }
        place
    }

    /// Waits until the branch takes cases.
    pub async fn until_known(&self, branch: Uuid) {
        // A case of the far future is refused for its date once the branch is known, and never taken.
        let mut item = past_case(branch, "probe");
        item.historical_case.as_mut().unwrap().receive_date.as_mut().unwrap().year = 9999;
        assert_eventually(SOON, || async {
            let request = wire::ImportComplaintsRequest { complaints: vec![item.clone()], ..Default::default() };
            let reply = self.agent().import_complaints(request).await.unwrap().into_inner();
            import_errors(&reply)[0].as_deref() == Some("INVALID_ARGUMENT")
        })
        .await;
    }

    /// A way to every method of the service in the name of `principal`.
    pub fn way(&self, principal: Principal) -> server::hop::Acting {
        let minter = self.house.minter.clone().unwrap();
        Upstream::Local(self.routes.clone()).acting_as(principal, minter, NAME)
    }

    /// A client in the name of `principal`.
    pub fn client(&self, principal: Principal) -> Client {
        TicketingServiceClient::new(self.way(principal))
    }

    /// An agent of all branches, for casework.
    pub fn casework(&self) -> CaseworkServiceClient<server::hop::Acting> {
        CaseworkServiceClient::new(self.way(staff("grace", BranchScope::All, &[])))
    }

    /// An agent of all branches, with no more than the permissions of one.
    pub fn agent(&self) -> Client {
        self.client(staff("grace", BranchScope::All, &[]))
    }

    /// An agent of one branch.
    pub fn agent_of(&self, branch: Uuid) -> Client {
        self.client(staff("grace", BranchScope::only([branch]), &[]))
    }

    /// Somebody who may promise any compensation.
    pub fn approver(&self) -> Client {
        self.client(staff("boss", BranchScope::All, &[Permission::CompensationApprove]))
    }

    /// Opens a complaint at `branch`.
    pub async fn open(&self, branch: Uuid) -> wire::Complaint {
        self.agent().open_complaint(opening(branch)).await.unwrap().into_inner().complaint.unwrap()
    }

    pub async fn get(&self, complaint_id: &str) -> wire::Complaint {
        let request = wire::GetComplaintRequest { complaint_id: complaint_id.into() };
        self.agent().get_complaint(request).await.unwrap().into_inner().complaint.unwrap()
    }

    /// The events told so far, by their kind.
    pub async fn told(&self) -> Vec<LogEvent> {
        let mut reader = self.house.bus.source(NAME).reader(0);
        let mut told = Vec::new();
        loop {
            let page = reader.next().await.unwrap();
            told.extend(page.events.iter().map(|event| LogEvent::clone(event)));
            if told.last().is_none_or(|last| last.seq >= page.head_seq) {
                return told;
            }
        }
    }
}

pub fn staff(subject: &str, scope: BranchScope, more: &[Permission]) -> Principal {
    let permissions = [Permission::ComplaintRead, Permission::ComplaintWrite, Permission::ComplaintImport];
    let permissions = permissions.into_iter().chain(more.iter().copied()).collect();
    Principal { subject: subject.into(), kind: Kind::Staff, permissions, scope }
}

pub fn opening(branch: Uuid) -> wire::OpenComplaintRequest {
    wire::OpenComplaintRequest {
        branch_id: branch.to_string(),
        customer_id: AMINA.to_string(),
        channel: Channel::InPerson.into(),
        touchpoint_code: "CHECKOUT".into(),
        subject: "Wrong item".into(),
        narrative: "Tea instead of coffee ✓".into(),
        desired_outcome: "The coffee".into(),
        purchase_ids: vec![Uuid::from_u128(5).to_string()],
        ..Default::default()
    }
}

pub fn past_case(branch: Uuid, source_ref: &str) -> wire::ComplaintImport {
    wire::ComplaintImport {
        branch_id: branch.to_string(),
        customer_id: String::new(),
        historical_case: Some(wire::HistoricalCase {
            source_system: "cfpb".into(),
            source_ref: source_ref.into(),
            product: "Mortgage".into(),
            issue: "Loan servicing, payments, escrow account".into(),
            organization: "A bank".into(),
            region: "VA".into(),
            channel: Channel::Web.into(),
            company_response: wire::CompanyResponse::ClosedWithExplanation.into(),
            timely: wire::Ternary::Yes.into(),
            disputed: wire::Ternary::No.into(),
            receive_date: Some(proto::karibu::types::v1::LocalDate { year: 2013, month: 7, day: 29 }),
            send_date: Some(proto::karibu::types::v1::LocalDate { year: 2013, month: 7, day: 30 }),
            ..Default::default()
        }),
    }
}

/// The reasons of the refused items.
pub fn import_errors(reply: &wire::ImportComplaintsResponse) -> Vec<Option<String>> {
    use wire::complaint_import_result::Result as Outcome;
    let reason = |result: &wire::ComplaintImportResult| match result.result.as_ref().unwrap() {
        Outcome::ComplaintId(_) => None,
        Outcome::Error(error) => Some(error.reason.clone()),
    };
    reply.results.iter().map(reason).collect()
}
