//! Staff: what ticketing knows of the people who work on complaints. Told by the organization; what they can do and
//! whether they are there, they and their leads say here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BranchId, StaffId};

/// A role, and where it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Code of the role.
    pub role: String,
    /// Where, with everything below; `None` = everywhere.
    pub branches: Option<Vec<BranchId>>,
}

/// Somebody who works for the business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Their id.
    pub id: StaffId,
    /// Counts up with every change.
    pub version: i64,
    /// Where they mainly work.
    pub home: Option<BranchId>,
    /// Their roles.
    pub grants: Vec<Grant>,
    /// They work here no longer.
    #[serde(default)]
    pub left: bool,
}

impl Staff {
    /// Codes of the roles at the first of `path`, the branches from one upwards.
    pub fn roles_at(&self, path: &[BranchId]) -> Vec<String> {
        let holds = |grant: &&Grant| match &grant.branches {
            None => true,
            Some(branches) => branches.iter().any(|branch| path.contains(branch)),
        };
        let roles = self.grants.iter().filter(holds).map(|grant| grant.role.clone());
        if self.left { Vec::new() } else { roles.collect() }
    }
}

/// The member of staff that a subject of a caller names; programs have none.
pub fn staff_named(by: &str) -> Option<StaffId> {
    by.parse::<Uuid>().ok().map(StaffId)
}
