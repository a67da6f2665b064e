//! Where journeys take place: the suite embedded in the test's process, or spread over six processes with
//! PostgreSQL and NATS. A journey gets a `Place` and cannot tell which.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod distributed;
mod embedded;
mod foreign;
pub mod matrix;
pub mod scan;

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

pub use distributed::{Distributed, distributed};
pub use embedded::{embedded, embedded_with};
pub use foreign::Foreign;

/// A suite that runs, as its users see it.
pub struct Place {
    /// Which mode, for messages.
    pub mode: &'static str,
    /// The gateway, `http://host:port`.
    pub address: String,
    /// An administrator's API key.
    pub key: String,
    /// Moves business time forward everywhere.
    pub advance: Arc<dyn Fn(i64) -> anyhow::Result<()> + Send + Sync>,
    /// Keeps what runs; the suite ends when it is dropped.
    pub keep: Box<dyn Any + Send>,
}

impl Place {
    /// A client with the administrator's key.
    pub async fn client(&self) -> client::Karibu {
        client::Karibu::connect(&self.address, &self.key).await.expect("the gateway answers")
    }
}

/// Whether every service answers a call through the gateway.
pub async fn all_answer(address: &str, key: &str) -> bool {
    use proto::karibu::{feedback, loyalty, organization, profile, ticketing};
    let Ok(karibu) = client::Karibu::connect(address, key).await else { return false };
    karibu.organization().list_roles(organization::v1::ListRolesRequest::default()).await.is_ok()
        && karibu.profile().list_customers(profile::v1::ListCustomersRequest::default()).await.is_ok()
        && karibu.ticketing().list_complaints(ticketing::v1::ListComplaintsRequest::default()).await.is_ok()
        && karibu.loyalty().list_programs(loyalty::v1::ListProgramsRequest::default()).await.is_ok()
        && karibu.feedback().list_surveys(feedback::v1::ListSurveysRequest::default()).await.is_ok()
}

/// A file of the real data, which lives beside the repository and is never committed.
///
/// # Panics
/// When it is not there, with the way to get it.
pub fn real_data(file: &str) -> PathBuf {
    let folder =
        std::env::var_os("KARIBU_DATA").map_or_else(|| testkit::workspace_root().join("../shared/data"), PathBuf::from);
    let path = folder.join(file);
    assert!(
        path.exists(),
        "{} is missing. It is a sample of public data: \"Online Retail\" of the UCI Machine Learning Repository, and the \
         Consumer Complaint Database of the US CFPB. Put {file} into a folder and name it in KARIBU_DATA.",
        path.display()
    );
    path
}
