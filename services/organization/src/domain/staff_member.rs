//! Staff members: the roles that they have in branches, what they can do, and the outer identity they sign in with.

use kernel::BranchScope;
use uuid::Uuid;

use super::{ADMIN, BranchId, Reach, StaffMemberId, TeamId};

/// A role that someone has, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// Code of the role.
    pub role: String,
    /// Where it holds.
    pub reach: Reach,
}

/// Something that someone can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skill {
    /// Code of the skill.
    pub code: String,
    /// How well, 1 to 10.
    pub level: i32,
    /// Until when the training counts, microseconds since the Unix epoch.
    pub trained_until_us: Option<i64>,
}

/// Who someone is to an issuer of access tokens. Its name is personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The issuer, as in the `iss` of its tokens.
    pub issuer: String,
    /// The name there, as in the `sub` of its tokens.
    pub subject: String,
}

impl ExternalIdentity {
    /// What it is looked up by: a hash, so that no index holds the name.
    pub fn key(&self) -> Uuid {
        commit::key(&[b"external_identity", self.issuer.as_bytes(), self.subject.as_bytes()])
    }
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
    /// Roles, and where: one entry per role and kind of reach.
    pub grants: Vec<RoleGrant>,
    /// Where the person mainly works.
    pub home: Option<BranchId>,
    /// With which the person signs in.
    pub identity: Option<ExternalIdentity>,
    /// What the person can do, by code.
    pub skills: Vec<Skill>,
    /// BCP 47 tags, the best first.
    pub languages: Vec<String>,
    /// What the person lets customers choose them by; empty unless opted in. Personal data.
    pub matching_attributes: Vec<String>,
    /// When the person opted in to that, microseconds since the Unix epoch.
    pub matching_opted_in_at_us: Option<i64>,
    /// The teams the person belongs to.
    pub teams: Vec<TeamId>,
    /// When the record was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// When the person ceased to work here, microseconds since the Unix epoch.
    pub deactivated_at_us: Option<i64>,
}

impl StaffMember {
    /// Someone who begins to work at `now_us`, without roles yet.
    pub fn new(id: StaffMemberId, display_name: &str, now_us: i64) -> Self {
        Self {
            id,
            version: 0,
            display_name: display_name.to_owned(),
            grants: Vec::new(),
            home: None,
            identity: None,
            skills: Vec::new(),
            languages: Vec::new(),
            matching_attributes: Vec::new(),
            matching_opted_in_at_us: None,
            teams: Vec::new(),
            created_at_us: now_us,
            updated_at_us: now_us,
            deactivated_at_us: None,
        }
    }

    /// Whether the person works in a branch of this scope, so that someone there may act for them.
    pub fn is_within(&self, scope: &BranchScope) -> bool {
        scope.is_all()
            || self.home.is_some_and(|home| scope.allows(home.uuid()))
            || self.grants.iter().any(|grant| grant.reach.is_within(scope))
    }

    /// Whether the person works for the business.
    pub const fn is_active(&self) -> bool {
        self.deactivated_at_us.is_none()
    }

    /// Whether the person can sign in and then opens every door.
    pub fn is_administrator(&self) -> bool {
        self.is_active()
            && self.identity.is_some()
            && self.grants.iter().any(|grant| grant.reach.is_all() && grant.role == ADMIN)
    }

    /// The name as searches compare it.
    pub fn search_name(&self) -> String {
        self.display_name.to_lowercase()
    }
}
