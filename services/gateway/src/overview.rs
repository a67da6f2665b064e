//! `OverviewService`: one answer from several services, asked side by side in the name of the caller. What a service
//! does not give in time is missing and named; only without the customer itself there is no answer.

use std::collections::BTreeSet;

use kernel::Clock;
use proto::karibu::feedback::v1 as feedback;
use proto::karibu::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::karibu::gateway::v1 as gw;
use proto::karibu::gateway::v1::overview_service_server::OverviewService;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::loyalty::v1::loyalty_service_client::LoyaltyServiceClient;
use proto::karibu::profile::v1 as profile;
use proto::karibu::profile::v1::profile_service_client::ProfileServiceClient;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::ticketing::v1::ComplaintState;
use proto::karibu::ticketing::v1::ticketing_service_client::TicketingServiceClient;
use server::auth::{Minter, Principal};
use server::hop::{Acting, Peers};
use server::limits::MAX_REPLY_BYTES;
use server::{Call, status};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Request, Response, Status};

use crate::limits;

const PROFILE: &str = "profile";
const TICKETING: &str = "ticketing";
const LOYALTY: &str = "loyalty";
const FEEDBACK: &str = "feedback";

/// States of complaints that still need work.
const OPEN: [ComplaintState; 7] = [
    ComplaintState::Received,
    ComplaintState::Acknowledged,
    ComplaintState::Understood,
    ComplaintState::Investigating,
    ComplaintState::Proposing,
    ComplaintState::Offered,
    ComplaintState::Fulfilling,
];
/// States of complaints that are over, though a resolved one may be reopened.
const PAST: [ComplaintState; 3] = [ComplaintState::Resolved, ComplaintState::Closed, ComplaintState::Withdrawn];

/// The service.
#[derive(Clone, Debug)]
pub struct Api {
    /// The services that are asked.
    pub peers: Peers,
    /// Makes tokens in the name of the caller.
    pub minter: Minter,
    /// Business time.
    pub clock: Clock,
}

#[tonic::async_trait]
impl OverviewService for Api {
    async fn get_customer_overview(
        &self,
        request: Request<gw::GetCustomerOverviewRequest>,
    ) -> Result<Response<gw::GetCustomerOverviewResponse>, Status> {
        let call = Call::admit(request)?;
        let asking = Asking {
            api: self,
            principal: call.principal,
            customer_id: call.body.customer_id,
            late: (Instant::from_std(call.until)).checked_sub(limits::OVERVIEW_RESERVE).unwrap_or_else(Instant::now),
        };
        let (usual, most) = limits::TIMELINE_ENTRIES;
        let size = if call.body.timeline_size == 0 { usual } else { call.body.timeline_size.min(most) };
        let (customer, summary, timeline, open, past, account, invitations, responses) = tokio::join!(
            asking.customer(),
            asking.summary(),
            asking.timeline(size),
            asking.complaints(&OPEN),
            asking.complaints(&PAST),
            asking.account(),
            asking.invitations(),
            asking.responses(),
        );
        let mut missing = Missing::default();
        let (loyalty_account, ledger_entries) = missing.of(LOYALTY, account);
        let overview = gw::CustomerOverview {
            customer: customer?,
            summary: missing.of(PROFILE, summary),
            open_complaints: missing.of(TICKETING, open),
            past_complaints: missing.of(TICKETING, past),
            loyalty_account,
            ledger_entries,
            invitations: missing.of(FEEDBACK, invitations),
            responses: missing.of(FEEDBACK, responses),
            timeline: missing.of(PROFILE, timeline),
            as_of_time: Some(proto::timestamp_from_us(self.clock.now_us())),
        };
        Ok(Response::new(gw::GetCustomerOverviewResponse {
            overview: Some(overview),
            unreachable: missing.unreachable.into_iter().map(str::to_owned).collect(),
            forbidden: missing.forbidden.into_iter().map(str::to_owned).collect(),
        }))
    }
}

/// The services whose part is missing.
#[derive(Default)]
struct Missing {
    unreachable: BTreeSet<&'static str>,
    forbidden: BTreeSet<&'static str>,
}

impl Missing {
    /// The part of `service`, or nothing and why.
    fn of<T: Default>(&mut self, service: &'static str, part: Result<T, Status>) -> T {
        part.unwrap_or_else(|status| {
            match status.code() {
                Code::PermissionDenied => self.forbidden.insert(service),
                _ => self.unreachable.insert(service),
            };
            T::default()
        })
    }
}

/// One overview on its way.
struct Asking<'a> {
    api: &'a Api,
    principal: Principal,
    customer_id: String,
    late: Instant,
}

impl Asking<'_> {
    fn peer(&self, name: &str) -> Result<Acting, Status> {
        let upstream = self.api.peers.find(name).ok_or_else(|| status::unavailable(name))?;
        Ok(upstream.acting_as(self.principal.clone(), self.api.minter.clone(), name))
    }

    /// The request with the time that is left.
    fn timed<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.late.saturating_duration_since(Instant::now()));
        request
    }

    /// An answer that is not there in time is none.
    async fn in_time<T>(&self, answer: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
        let answered = timeout_at(self.late, answer).await.map_err(|_| server::deadline::exceeded())?;
        answered.map(Response::into_inner)
    }

    fn profile(&self) -> Result<ProfileServiceClient<Acting>, Status> {
        Ok(ProfileServiceClient::new(self.peer(PROFILE)?).max_decoding_message_size(MAX_REPLY_BYTES))
    }

    async fn customer(&self) -> Result<Option<profile::Customer>, Status> {
        let request = self.timed(profile::GetCustomerRequest { customer_id: self.customer_id.clone() });
        let answer = self.in_time(self.profile()?.get_customer(request)).await;
        answer.map(|answer| answer.customer).map_err(|status| match status.code() {
            Code::NotFound | Code::PermissionDenied | Code::InvalidArgument => status,
            _ => status::unavailable(PROFILE),
        })
    }

    async fn summary(&self) -> Result<Option<profile::CustomerSummary>, Status> {
        let request = self.timed(profile::GetCustomerSummaryRequest { customer_id: self.customer_id.clone() });
        Ok(self.in_time(self.profile()?.get_customer_summary(request)).await?.summary)
    }

    async fn timeline(&self, page_size: i32) -> Result<Vec<profile::TimelineEntry>, Status> {
        let request = self.timed(profile::ListTimelineEntriesRequest {
            customer_id: self.customer_id.clone(),
            page_size,
            ..Default::default()
        });
        Ok(self.in_time(self.profile()?.list_timeline_entries(request)).await?.entries)
    }

    async fn complaints(&self, states: &[ComplaintState]) -> Result<Vec<ticketing::Complaint>, Status> {
        let mut client = TicketingServiceClient::new(self.peer(TICKETING)?).max_decoding_message_size(MAX_REPLY_BYTES);
        let request = self.timed(ticketing::ListComplaintsRequest {
            states: states.iter().map(|state| (*state).into()).collect(),
            customer_id: self.customer_id.clone(),
            page_size: limits::OVERVIEW_ENTRIES,
            ..Default::default()
        });
        Ok(self.in_time(client.list_complaints(request)).await?.complaints)
    }

    async fn account(&self) -> Result<(Option<loyalty::Account>, Vec<loyalty::LedgerEntry>), Status> {
        let mut client = LoyaltyServiceClient::new(self.peer(LOYALTY)?).max_decoding_message_size(MAX_REPLY_BYTES);
        let find = loyalty::FindAccountRequest { customer_id: self.customer_id.clone(), ..Default::default() };
        let account = match self.in_time(client.find_account(self.timed(find))).await {
            Ok(found) => found.account,
            Err(status) if status.code() == Code::NotFound => None,
            Err(status) => return Err(status),
        };
        let Some(account) = account else { return Ok((None, Vec::new())) };
        let request = self.timed(loyalty::ListLedgerEntriesRequest {
            account_id: account.account_id.clone(),
            page_size: limits::OVERVIEW_ENTRIES,
            ..Default::default()
        });
        let entries = self.in_time(client.list_ledger_entries(request)).await?.entries;
        Ok((Some(account), entries))
    }

    fn feedback(&self) -> Result<FeedbackServiceClient<Acting>, Status> {
        Ok(FeedbackServiceClient::new(self.peer(FEEDBACK)?).max_decoding_message_size(MAX_REPLY_BYTES))
    }

    async fn invitations(&self) -> Result<Vec<feedback::Invitation>, Status> {
        let request = self.timed(feedback::ListInvitationsRequest {
            customer_id: self.customer_id.clone(),
            page_size: limits::OVERVIEW_ENTRIES,
            ..Default::default()
        });
        Ok(self.in_time(self.feedback()?.list_invitations(request)).await?.invitations)
    }

    async fn responses(&self) -> Result<Vec<feedback::Response>, Status> {
        let request = self.timed(feedback::ListResponsesRequest {
            customer_id: self.customer_id.clone(),
            page_size: limits::OVERVIEW_ENTRIES,
            ..Default::default()
        });
        Ok(self.in_time(self.feedback()?.list_responses(request)).await?.responses)
    }
}
