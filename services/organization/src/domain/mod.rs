//! The rules of the organization: the tree of branches, who works there, which roles exist and which keys open the
//! door. Pure: no I/O, no clock, no randomness; what verbs need comes in through the world and the context.

mod api_key;
mod branch;
mod role;
mod staff_member;
mod verbs;

use commit::{Claims, Slot};
use uuid::Uuid;

pub use api_key::{ApiKey, ApiKeyState};
pub use branch::{Branch, BranchKind, Children};
pub use role::{ADMIN, Permission, ROLES, Reach, Role, find_role, permissions_of};
pub use staff_member::{RoleGrant, StaffMember};
pub use verbs::{
    BranchChange, CloseBranch, CreateApiKey, CreateBranch, CreateStaffMember, Grantor, RegisterFirstKey, RevokeApiKey,
    UpdateBranch,
};

kernel::ids! {
    /// A branch: a node in the tree of the business.
    pub BranchId;
    /// Someone who works for the business.
    pub StaffMemberId;
    /// An API key.
    pub ApiKeyId;
}

/// Natural key: the code of a branch.
const CLAIM_CODE: &str = "branch_code";
/// Natural key: the one root of the tree.
const CLAIM_ROOT: &str = "root_branch";
/// Natural key: the one key that was made without a caller.
const CLAIM_FIRST_KEY: &str = "first_key";

commit::world! {
    /// What the organization service knows.
    pub struct Business {
        /// Branches by id.
        pub branches: Slot<Branch>,
        /// How many branches work below each, by the id of the upper one.
        pub children: Slot<Children>,
        /// Staff members by id.
        pub staff: Slot<StaffMember>,
        /// API keys by id.
        pub keys: Slot<ApiKey>,
        /// Codes, the root, the first key.
        pub claims: Claims,
    }
}

/// Why the organization says no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such branch, or out of the caller's reach.
    BranchNotFound,
    /// The parent is unknown or out of the caller's reach.
    ParentNotFound,
    /// The parent is closed.
    ParentClosed,
    /// Another branch has the code.
    BranchCodeTaken,
    /// The tree has a root already.
    RootExists,
    /// The level does not lie below that of the parent, or a root is not the business as a whole.
    LevelMismatch,
    /// The IANA time zone database has no such zone.
    UnknownTimeZone,
    /// ISO 4217 has no such currency.
    UnknownCurrency,
    /// The branch is closed.
    BranchClosed,
    /// Branches below it still work.
    BranchHasChildren,
    /// No such staff member, or out of the caller's reach.
    StaffMemberNotFound,
    /// No such role.
    RoleNotFound,
    /// A grant names branches and all of them, or none at all.
    GrantUnclear,
    /// The grant allows more than the one who makes it may.
    GrantExceedsCaller,
    /// No such key, or out of the caller's reach.
    ApiKeyNotFound,
    /// The key is revoked already.
    ApiKeyRevoked,
    /// The key would have ended before it began.
    ExpiryPassed,
    /// There is a key already, so none is made without a caller.
    FirstKeyExists,
    /// The caller knows another version than the present one.
    VersionMismatch {
        /// The present version.
        current: i64,
    },
}

/// What the organization tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A branch was created; the payload is the branch itself.
    BranchCreated(Branch),
    /// A branch was changed.
    BranchUpdated {
        /// The branch after the change.
        branch: Branch,
        /// The fields that changed.
        changed: Vec<&'static str>,
    },
    /// A branch was closed for good.
    BranchClosed(BranchId),
    /// Someone began to work for the business.
    StaffMemberCreated(StaffMember),
    /// A key was created.
    ApiKeyCreated {
        /// The key.
        id: ApiKeyId,
        /// Its roles.
        roles: Vec<String>,
    },
    /// A key was revoked.
    ApiKeyRevoked(ApiKeyId),
}

/// Reply of a verb that made something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T>(pub T);
/// Reply of a verb that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated<T>(pub T);
/// Reply of a verb that closed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed<T>(pub T);
/// Reply of a verb that revoked something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked<T>(pub T);

/// Refuses a stale etag. `expected` of `None` does not check.
fn check_version(expected: Option<i64>, current: i64) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != current => Err(Refusal::VersionMismatch { current }),
        _ => Ok(()),
    }
}

/// The ids without repeats, in a stable order.
fn sorted(ids: &[Uuid]) -> Vec<Uuid> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}
