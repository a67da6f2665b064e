//! The tree of branches, for filters that name a branch and mean everything below it. Asked of the service that owns
//! it, and remembered for half a minute.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use kernel::BranchScope;
use proto::karibu::organization::v1 as org;
use proto::karibu::organization::v1::organization_service_client::OrganizationServiceClient;
use server::auth::{Minter, Principal};
use server::hop::Peers;
use server::status;
use tokio::time::Instant;
use tonic::Status;
use uuid::Uuid;

use crate::{NAME, limits};

/// Short name of the service that owns the tree.
const ORGANIZATION: &str = "organization";
/// Reason for a filter that names a branch which the caller does not see.
const BRANCH_NOT_FOUND: &str = "BRANCH_NOT_FOUND";
/// Branches of one page.
const PAGE_SIZE: i32 = 500;
/// Pages of the largest tree that is read.
const MAX_PAGES: usize = 200;

/// The children of every branch.
type Tree = HashMap<Uuid, Vec<Uuid>>;
/// The tree and when it was read.
type Known = Option<(Instant, Arc<Tree>)>;

/// The tree as this process knows it. Clones share it.
#[derive(Clone, Debug)]
pub struct Branches {
    peers: Peers,
    minter: Minter,
    known: Arc<Mutex<Known>>,
}

impl Branches {
    /// A tree that is read when it is needed.
    pub fn new(peers: Peers, minter: Minter) -> Self {
        Self { peers, minter, known: Arc::default() }
    }

    /// What a caller who may see `scope` reaches when it asks for `wanted` (empty: everything). A branch out of scope is
    /// not found, as one that does not exist, so that a caller notices and learns nothing.
    pub async fn reach(&self, wanted: &[Uuid], scope: &BranchScope) -> Result<BranchScope, Status> {
        if wanted.is_empty() {
            return Ok(scope.clone());
        }
        if !wanted.iter().all(|branch| scope.allows(*branch)) {
            return Err(status::with_reason(tonic::Code::NotFound, BRANCH_NOT_FOUND, "there is no such branch"));
        }
        let tree = self.tree().await?;
        Ok(BranchScope::only(below(&tree, wanted)).intersect(scope))
    }

    /// Takes this for the tree, as read just now.
    #[cfg(test)]
    pub(super) fn remember(&self, pairs: impl IntoIterator<Item = (Uuid, Vec<Uuid>)>) {
        let tree = Arc::new(pairs.into_iter().collect());
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), tree));
    }

    async fn tree(&self) -> Result<Arc<Tree>, Status> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((read_at, tree)) = known
            && read_at.elapsed() < limits::TREE_FRESH
        {
            return Ok(tree);
        }
        let tree = Arc::new(self.read().await?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), tree.clone()));
        Ok(tree)
    }

    async fn read(&self) -> Result<Tree, Status> {
        let upstream = self.peers.find(ORGANIZATION).ok_or_else(|| status::unavailable(ORGANIZATION))?;
        let acting = upstream.acting_as(Principal::system(NAME), self.minter.clone(), ORGANIZATION);
        let mut client =
            OrganizationServiceClient::new(acting).max_decoding_message_size(server::limits::MAX_REPLY_BYTES);
        let (mut tree, mut page_token) = (Tree::new(), String::new());
        for _ in 0..MAX_PAGES {
            let mut request = tonic::Request::new(org::ListBranchesRequest {
                show_closed: true,
                page_size: PAGE_SIZE,
                page_token,
                ..Default::default()
            });
            request.set_timeout(limits::LOG_TIMEOUT);
            let page = client.list_branches(request).await?.into_inner();
            for branch in page.branches {
                if let (Ok(id), Ok(parent)) = (branch.branch_id.parse(), branch.parent_branch_id.parse()) {
                    tree.entry(parent).or_default().push(id);
                }
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok(tree)
    }
}

/// These branches and all below them.
fn below(tree: &Tree, roots: &[Uuid]) -> HashSet<Uuid> {
    let mut found: HashSet<Uuid> = HashSet::new();
    let mut open: Vec<Uuid> = roots.to_vec();
    while let Some(branch) = open.pop() {
        // A tree with a ring in it would be a defect elsewhere; it must not hang this.
        if found.insert(branch) {
            open.extend(tree.get(&branch).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_branch_is_everything_under_it_and_a_ring_ends() {
        let id = Uuid::from_u128;
        let tree: Tree =
            [(id(1), vec![id(2), id(3)]), (id(3), vec![id(4)]), (id(8), vec![id(9)]), (id(9), vec![id(8)])].into();
        assert_eq!(below(&tree, &[id(3)]), HashSet::from([id(3), id(4)]));
        assert_eq!(below(&tree, &[id(1)]).len(), 4);
        assert_eq!(below(&tree, &[id(8)]), HashSet::from([id(8), id(9)]));
    }
}
