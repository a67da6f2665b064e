//! Staff: what ticketing knows of the people who work on complaints. Told by the organization; what they can do and
//! whether they are there, they and their leads say here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{BranchId, ComplaintId, StaffId};

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
    /// What they can do, and whether they are there.
    #[serde(default)]
    pub profile: Profile,
    /// Cases that they were given. Those that are over or went to others are taken out when one looks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cases: Vec<ComplaintId>,
    /// When we first heard of them.
    #[serde(default)]
    pub created_at_us: i64,
    /// When what we know of them last changed.
    #[serde(default)]
    pub updated_at_us: i64,
}

/// What somebody can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Its code.
    pub code: String,
    /// 1 to 10.
    pub level: u8,
    /// Until when their training holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained_until_us: Option<i64>,
}

/// Cases that somebody can have at once, where nothing else is said.
const USUAL_CAPACITY: i64 = 10;

/// What somebody can do, and whether they are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What they can do.
    pub skills: Vec<Skill>,
    /// Languages that they speak, BCP 47.
    pub languages: Vec<String>,
    /// Traits by which they agreed to be matched with what customers prefer.
    pub opted_in: Vec<String>,
    /// They may work on what is about the conduct of staff.
    pub cleared: bool,
    /// They are there.
    pub present: bool,
    /// Cases that they can have at once.
    pub capacity: i64,
    /// When they were last given a case.
    pub last_assigned_at_us: i64,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            skills: Vec::new(),
            languages: Vec::new(),
            opted_in: Vec::new(),
            cleared: false,
            present: true,
            capacity: USUAL_CAPACITY,
            last_assigned_at_us: 0,
        }
    }
}

impl Staff {
    /// Somebody of whom nothing else is known.
    pub fn new(id: StaffId) -> Self {
        Self {
            id,
            version: 0,
            home: None,
            grants: Vec::new(),
            left: false,
            profile: Profile::default(),
            cases: Vec::new(),
            created_at_us: 0,
            updated_at_us: 0,
        }
    }

    /// Gives them a case.
    pub fn give(&mut self, complaint: ComplaintId, now_us: i64) {
        if !self.cases.contains(&complaint) {
            self.cases.push(complaint);
        }
        self.profile.last_assigned_at_us = now_us;
    }

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
