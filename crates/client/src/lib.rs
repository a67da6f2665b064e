//! The typed client for users of the suite: one connection to the gateway, one key, every service.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let karibu = karibu_client::Karibu::connect("http://127.0.0.1:8080", "kb_…").await?;
//! let request = proto::karibu::ticketing::v1::GetComplaintRequest { complaint_id: "0198…".into() };
//! let complaint = karibu.ticketing().get_complaint(request).await?.into_inner().complaint;
//! # Ok(()) }
//! ```

mod patience;

use std::time::Duration;

use proto::karibu::audit::v1::audit_service_client::AuditServiceClient;
use proto::karibu::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::karibu::gateway::v1::customer_service_client::CustomerServiceClient;
use proto::karibu::gateway::v1::event_service_client::EventServiceClient;
use proto::karibu::gateway::v1::overview_service_client::OverviewServiceClient;
use proto::karibu::loyalty::v1::loyalty_service_client::LoyaltyServiceClient;
use proto::karibu::organization::v1::access_service_client::AccessServiceClient;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use proto::karibu::profile::v1::profile_service_client::ProfileServiceClient;
use proto::karibu::ticketing::v1::ticketing_service_client::TicketingServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

pub use patience::{is_passing, patiently, reason, retry_after};

/// Longest time to reach the gateway.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer, bytes.
const MAX_REPLY_BYTES: usize = 4 << 20;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not a URI, or nobody answers there.
    #[error("cannot reach the gateway at {address}")]
    Unreachable {
        /// The address given.
        address: String,
        /// What went wrong.
        source: tonic::transport::Error,
    },
    /// The key holds characters that no key has.
    #[error("the API key holds characters that no key has")]
    Key,
}

/// A connection that shows the key with every call.
pub type Link = InterceptedService<Channel, Bearer>;

/// Puts the key on every call.
#[derive(Clone)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.0 {
            request.metadata_mut().insert("authorization", key.clone());
        }
        Ok(request)
    }
}

/// The suite, seen through its gateway. Cheap to clone; clones share the connection.
#[derive(Clone)]
pub struct Karibu {
    channel: Channel,
    bearer: Bearer,
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident: $client:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> $client<Link> {
            $client::with_interceptor(self.channel.clone(), self.bearer.clone())
                .max_decoding_message_size(MAX_REPLY_BYTES)
        }
    )+};
}

impl Karibu {
    /// Connects to the gateway at `address` (`http://host:port`) with an API key, an access token or a customer's token.
    /// It is checked by the first call.
    pub async fn connect(address: &str, api_key: &str) -> Result<Self, ConnectError> {
        let mut key: MetadataValue<Ascii> = format!("Bearer {api_key}").parse().map_err(|_| ConnectError::Key)?;
        key.set_sensitive(true);
        Self::dial(address, Bearer(Some(key))).await
    }

    /// Connects without a key, for what everyone may call: survey pages and their answers.
    pub async fn connect_publicly(address: &str) -> Result<Self, ConnectError> {
        Self::dial(address, Bearer(None)).await
    }

    async fn dial(address: &str, bearer: Bearer) -> Result<Self, ConnectError> {
        let unreachable = |source| ConnectError::Unreachable { address: address.to_owned(), source };
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(unreachable)?;
        let endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true);
        Ok(Self { channel: endpoint.connect().await.map_err(unreachable)?, bearer })
    }

    services! {
        /// Branches, staff, roles and API keys.
        organization: OrganizationServiceClient;
        /// Outer identities of staff.
        access: AccessServiceClient;
        /// Customers, visits, purchases, the timeline.
        profile: ProfileServiceClient;
        /// Complaints and what becomes of them.
        ticketing: TicketingServiceClient;
        /// Programmes, accounts and the points ledger.
        loyalty: LoyaltyServiceClient;
        /// Surveys, invitations, answers and scores.
        feedback: FeedbackServiceClient;
        /// Who did what, in every service.
        audit: AuditServiceClient;
        /// The events of all services.
        events: EventServiceClient;
        /// The 360° view of a customer.
        overview: OverviewServiceClient;
        /// Tokens of customers, and what a customer sees with one.
        customers: CustomerServiceClient;
    }
}

/// A new key for a request: send the same one again to repeat a call whose answer was lost.
pub fn request_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
