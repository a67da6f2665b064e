//! The verbs of the organization, one tight family per file.

mod branch;
mod key;
mod staff;

pub use branch::{BranchChange, CloseBranch, CreateBranch, UpdateBranch};
pub use key::{CreateApiKey, RegisterFirstKey, RevokeApiKey};
pub use staff::CreateStaffMember;

use std::collections::BTreeSet;

use commit::{Stop, ensure, refuse};
use kernel::BranchScope;
use uuid::Uuid;

use super::{Business, Permission, Reach, Refusal, find_role};

/// The one who gives a role away: nobody gives more than they have.
#[derive(Clone, Debug)]
pub struct Grantor {
    /// What the grantor may do.
    pub permissions: BTreeSet<Permission>,
    /// Where.
    pub scope: BranchScope,
}

impl Grantor {
    /// Refuses a grant of `role` that is unknown, that reaches an unknown branch, or that exceeds the grantor.
    fn check(&self, world: &mut Business, role: &str, reach: &Reach) -> Result<(), Stop<Refusal>> {
        let Some(role) = find_role(role) else { refuse!(Refusal::RoleNotFound) };
        for branch in reach.branches() {
            known_branch(world, *branch, &self.scope)?;
        }
        let has_all = role.permissions.iter().all(|permission| self.permissions.contains(permission));
        ensure!(has_all && reach.is_within(&self.scope), Refusal::GrantExceedsCaller);
        Ok(())
    }
}

/// Refuses a branch that does not exist or lies out of reach: the two must look the same.
fn known_branch(world: &mut Business, id: Uuid, scope: &BranchScope) -> Result<(), Stop<Refusal>> {
    ensure!(scope.allows(id), Refusal::BranchNotFound);
    ensure!(world.branches.get(id)?.is_some(), Refusal::BranchNotFound);
    Ok(())
}
