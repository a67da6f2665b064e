//! Roles as data: those that the business made, and default roles that it changed. A default role that nobody changed is
//! stored nowhere and follows the program.

use std::collections::BTreeSet;

use super::RoleId;
use super::role::{ADMIN, Permission, find_default_role};

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Follows from its code.
    pub id: RoleId,
    /// Its version; 0 for a default role that nobody changed.
    pub version: i64,
    /// Its code, which never changes and is never given again.
    pub code: String,
    /// Name for people.
    pub display_name: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
    /// When it was first stored, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// When it was deleted, microseconds since the Unix epoch.
    pub deleted_at_us: Option<i64>,
}

impl RoleId {
    /// The id of the role with this code: the code is the natural key.
    pub fn of(code: &str) -> Self {
        Self(commit::key(&[b"role", code.as_bytes()]))
    }
}

impl Role {
    /// The default role with this code, as the program knows it.
    pub fn find_default(code: &str) -> Option<Self> {
        find_default_role(code).map(|default| Self {
            id: RoleId::of(default.code),
            version: 0,
            code: default.code.to_owned(),
            display_name: default.display_name.to_owned(),
            permissions: default.permissions.iter().copied().collect(),
            created_at_us: 0,
            updated_at_us: 0,
            deleted_at_us: None,
        })
    }

    /// Whether every installation has it.
    pub fn is_default(&self) -> bool {
        find_default_role(&self.code).is_some()
    }

    /// What it allows today: nothing once it is deleted, and everything that there is for administrators, so that nobody
    /// can lock them out.
    pub fn allowed(&self) -> BTreeSet<Permission> {
        if self.code == ADMIN {
            return Permission::ALL.iter().copied().collect();
        }
        if self.deleted_at_us.is_some() { BTreeSet::new() } else { self.permissions.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_role_allows_nothing_and_the_administrators_role_everything() {
        let Some(agent) = Role::find_default("agent") else { unreachable!("agent is a default role") };
        assert!(agent.is_default() && agent.allowed().contains(&Permission::ComplaintWrite));
        assert!(Role { deleted_at_us: Some(1), ..agent.clone() }.allowed().is_empty());
        let robbed = Role { code: ADMIN.to_owned(), permissions: BTreeSet::new(), ..agent };
        assert_eq!(robbed.allowed().len(), Permission::ALL.len());
        assert_eq!(Role::find_default("king"), None);
    }
}
