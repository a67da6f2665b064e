//! `CustomerService`: tokens of customers, and the one thing that each of them opens. The services are asked in the name
//! of the customer with no more than it takes, and what comes back is checked to be theirs and cut to what is for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kernel::BranchScope;
use proto::Permission;
use proto::karibu::gateway::v1 as gw;
use proto::karibu::gateway::v1::create_customer_token_request::Thing as Wanted;
use proto::karibu::gateway::v1::customer_service_server::CustomerService;
use proto::karibu::loyalty::v1 as loyalty;
use proto::karibu::loyalty::v1::loyalty_service_client::LoyaltyServiceClient;
use proto::karibu::ticketing::v1 as ticketing;
use proto::karibu::ticketing::v1::ticketing_service_client::TicketingServiceClient;
use server::auth::{Minter, Principal};
use server::hop::{Acting, Peers};
use server::limits::MAX_REPLY_BYTES;
use server::{Call, status};
use tonic::{Code, Request, Response, Status};
use uuid::Uuid;

use crate::admission::CustomerTokens;
use crate::admission::customer::{Own, Thing};
use crate::door::Shown;
use crate::limits;

const TICKETING: &str = "ticketing";
const LOYALTY: &str = "loyalty";

/// The service.
#[derive(Clone, Debug)]
pub struct Api {
    /// The services that are asked.
    pub peers: Peers,
    /// Makes tokens in the name of the caller.
    pub minter: Minter,
    /// Makes and reads the tokens of customers.
    pub tokens: CustomerTokens,
}

#[tonic::async_trait]
impl CustomerService for Api {
    async fn create_customer_token(
        &self,
        request: Request<gw::CreateCustomerTokenRequest>,
    ) -> Result<Response<gw::CreateCustomerTokenResponse>, Status> {
        let Call { body, principal, .. } = Call::admit(request)?;
        let end_s = end(body.expire_time.as_ref())?;
        let (customer_id, thing) = match body.thing {
            // Asked in the name of the caller: who cannot see a thing cannot let another see it.
            Some(Wanted::ComplaintId(id)) => {
                (self.complaint(principal.clone(), &id).await?.customer_id, Thing::Complaint(record(&id)?))
            }
            Some(Wanted::AccountId(id)) => {
                (self.account(principal.clone(), &id).await?.customer_id, Thing::Card(record(&id)?))
            }
            None => return Err(status::invalid([("thing", "must be given")])),
        };
        let Ok(customer) = customer_id.parse() else {
            let message = "the complaint is of nobody who is known";
            return Err(status::with_reason(Code::FailedPrecondition, "CUSTOMER_UNKNOWN", message));
        };
        let token = self.tokens.make(&Own { customer, thing }, end_s);
        tracing::info!(by = %principal.subject, ?thing, "a customer's token was made");
        let expire_time = Some(proto::timestamp_from_us(i64::try_from(end_s * 1_000_000).unwrap_or(i64::MAX)));
        Ok(Response::new(gw::CreateCustomerTokenResponse { token, expire_time, customer_id }))
    }

    async fn get_own_complaint(
        &self,
        request: Request<gw::GetOwnComplaintRequest>,
    ) -> Result<Response<gw::GetOwnComplaintResponse>, Status> {
        let own = self.own(&request)?;
        Call::admit(request)?;
        let Thing::Complaint(id) = own.thing else { return Err(not_theirs()) };
        let found = self.complaint(asking(&own, Permission::ComplaintRead), &id.to_string()).await?;
        theirs(&own, &found.customer_id)?;
        let complaint = gw::OwnComplaint {
            number: found.number,
            state: found.state,
            waiting_on: found.waiting_on,
            subject: found.subject,
            paraphrase: found.paraphrase,
            decision: found.decision,
            decision_reason: found.decision_reason,
            open_time: found.open_time,
            acknowledge_time: found.acknowledge_time,
            resolve_time: found.resolve_time,
            close_time: found.close_time,
        };
        Ok(Response::new(gw::GetOwnComplaintResponse { complaint: Some(complaint) }))
    }

    async fn get_own_card(
        &self,
        request: Request<gw::GetOwnCardRequest>,
    ) -> Result<Response<gw::GetOwnCardResponse>, Status> {
        let own = self.own(&request)?;
        Call::admit(request)?;
        let Thing::Card(id) = own.thing else { return Err(not_theirs()) };
        let found = self.account(asking(&own, Permission::LoyaltyRead), &id.to_string()).await?;
        theirs(&own, &found.customer_id)?;
        let card = gw::OwnCard {
            card_number: found.card_number,
            state: found.state,
            balances: found.balances,
            update_time: found.update_time,
        };
        Ok(Response::new(gw::GetOwnCardResponse { card: Some(card) }))
    }
}

impl Api {
    /// What the token of this call opens. The door has let it in; nobody else gets here.
    fn own<T>(&self, request: &Request<T>) -> Result<Own, Status> {
        let shown = request.extensions().get::<Shown>();
        shown.and_then(|shown| self.tokens.read(&shown.credential)).ok_or_else(status::unauthenticated)
    }

    async fn complaint(&self, principal: Principal, id: &str) -> Result<ticketing::Complaint, Status> {
        let client = TicketingServiceClient::new(self.peer(TICKETING, principal)?);
        let request = ticketing::GetComplaintRequest { complaint_id: id.to_owned() };
        let answer = client.max_decoding_message_size(MAX_REPLY_BYTES).get_complaint(timed(request)).await?;
        answer.into_inner().complaint.ok_or_else(status::internal)
    }

    async fn account(&self, principal: Principal, id: &str) -> Result<loyalty::Account, Status> {
        let client = LoyaltyServiceClient::new(self.peer(LOYALTY, principal)?);
        let request = loyalty::GetAccountRequest { account_id: id.to_owned() };
        let answer = client.max_decoding_message_size(MAX_REPLY_BYTES).get_account(timed(request)).await?;
        answer.into_inner().account.ok_or_else(status::internal)
    }

    fn peer(&self, name: &str, principal: Principal) -> Result<Acting, Status> {
        let upstream = self.peers.find(name).ok_or_else(|| status::unavailable(name))?;
        Ok(upstream.acting_as(principal, self.minter.clone(), name))
    }
}

/// The customer as who asks a service for this one thing. A customer belongs to no branch; that the thing is theirs is
/// checked on the answer.
fn asking(own: &Own, permission: Permission) -> Principal {
    let permissions = [permission].into_iter().collect();
    Principal { permissions, scope: BranchScope::All, ..own.principal() }
}

fn theirs(own: &Own, customer_id: &str) -> Result<(), Status> {
    if customer_id == own.customer.to_string() { Ok(()) } else { Err(not_theirs()) }
}

fn not_theirs() -> Status {
    status::with_reason(Code::NotFound, "NOT_OWN", "the token is for something else")
}

fn record(id: &str) -> Result<Uuid, Status> {
    id.parse().map_err(|_| status::invalid([("thing", "is no UUID")]))
}

fn timed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limits::VERIFY_TIMEOUT);
    request
}

/// When a new token ends, seconds since the Unix epoch by the wall clock: tokens never follow the business clock.
fn end(asked: Option<&prost_types::Timestamp>) -> Result<u64, Status> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (usual, most) = limits::CUSTOMER_TOKEN_LIFE;
    let Some(asked) = asked else { return Ok((now + usual).as_secs()) };
    let end = Duration::from_secs(u64::try_from(asked.seconds).unwrap_or(0));
    let within = end > now && end <= now + most;
    within.then_some(end.as_secs()).ok_or_else(|| status::invalid([("expire_time", "must be within a year from now")]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_a_month_and_a_year_at_most() {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let at = |seconds: u64| prost_types::Timestamp { seconds: seconds as i64, nanos: 0 };
        let (month, year) = (30 * 24 * 3600, 365 * 24 * 3600);
        assert!(end(None).unwrap().abs_diff(now + month) < 60);
        assert_eq!(end(Some(&at(now + 600))).unwrap(), now + 600);
        for wrong in [at(0), at(now), at(now + year + 600), prost_types::Timestamp { seconds: -1, nanos: 0 }] {
            assert_eq!(end(Some(&wrong)).unwrap_err().code(), Code::InvalidArgument, "{wrong:?}");
        }
    }
}
