//! Staff members, and the roles that they have in branches.

use kernel::BranchScope;

use super::{BranchId, Reach, StaffMemberId};

/// A role that someone has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// Code of the role.
    pub role: String,
    /// Where it holds.
    pub reach: Reach,
}

/// Someone who works for the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffMember {
    /// The id.
    pub id: StaffMemberId,
    /// The version.
    pub version: i64,
    /// Name for people; personal data.
    pub display_name: String,
    /// Roles, and where.
    pub grants: Vec<RoleGrant>,
    /// Where the person mainly works.
    pub home: Option<BranchId>,
    /// When the record was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

impl StaffMember {
    /// Whether the person works in a branch of this scope, so that someone there may act for them.
    pub fn is_within(&self, scope: &BranchScope) -> bool {
        scope.is_all()
            || self.home.is_some_and(|home| scope.allows(home.uuid()))
            || self.grants.iter().any(|grant| grant.reach.is_within(scope))
    }
}
