//! Imports of CSV files through the gateway: every row is taken or refused with line, column and reason,
//! and a second run of the same file changes nothing.

mod complaints;
mod mapping;
mod purchases;
mod report;
mod send;
mod table;

use std::path::PathBuf;
use std::time::Duration;

use client::Karibu;
use proto::karibu::organization::v1::{Branch, ListBranchesRequest};

pub use complaints::complaints;
pub use mapping::{ComplaintMapping, MappingError, PurchaseMapping};
pub use purchases::purchases;
pub use report::{Refused, Report};

/// Longest wait for one batch to be taken.
const PATIENCE: Duration = Duration::from_secs(60);
/// Items of one call; the contract allows no more.
const BATCH_ITEMS: usize = 500;
/// Batches on their way at the same time.
const IN_FLIGHT: usize = 8;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Task {
    /// The CSV file, UTF-8 with a header line.
    pub file: PathBuf,
    /// Name of a built-in mapping, or a TOML file with one; guessed from the header when left out.
    pub mapping: Option<String>,
    /// Columns by hand, as `field=Column`; they win over the mapping.
    pub columns: Vec<(String, String)>,
    /// The code of the branch that the rows belong to.
    pub branch: String,
    /// Show a progress bar (on a terminal).
    pub progress: bool,
}

/// The branch with this code.
async fn find_branch(client: &Karibu, code: &str) -> anyhow::Result<Branch> {
    let request = ListBranchesRequest { code: code.to_owned(), ..Default::default() };
    let reply = client.organization().list_branches(request).await?.into_inner();
    reply.branches.into_iter().next().ok_or_else(|| anyhow::anyhow!("there is no branch with the code {code}"))
}
