//! The rules of the organization: the tree of branches, who works there, which roles exist and which keys open the
//! door. Pure: no I/O, no clock, no randomness; what verbs need comes in through the world and the context.

mod api_key;
mod branch;
mod power;
mod role;
mod staff_member;
mod stored_role;
mod tally;
mod verbs;

use commit::{Claims, Slot};
use uuid::Uuid;

pub use api_key::{ApiKey, ApiKeyState, ApiKeyUse, FormerSecret};
pub use branch::{Branch, BranchKind, Children};
pub use power::{Power, held_everywhere};
pub use role::{ADMIN, DEFAULT_ROLES, Permission, Reach, permissions_of};
pub use staff_member::{ExternalIdentity, RoleGrant, Skill, StaffMember};
pub use stored_role::Role;
pub use tally::{Counted, Tally};
pub use verbs::{
    BranchChange, CloseBranch, CreateApiKey, CreateBranch, CreateRole, CreateStaffMember, DeleteRole, Grantor,
    LinkStaffIdentity, MoveBranch, RecordApiKeyUse, RegisterFirstKey, ResumeBranch, RevokeApiKey, RotateApiKey,
    SuspendBranch, UpdateBranch, UpdateRole,
};

kernel::ids! {
    /// A branch: a node in the tree of the business.
    pub BranchId;
    /// Someone who works for the business.
    pub StaffMemberId;
    /// An API key.
    pub ApiKeyId;
    /// A role.
    pub RoleId;
    /// A team of staff members.
    pub TeamId;
}

/// Natural key: the code of a branch.
const CLAIM_CODE: &str = "branch_code";
/// Natural key: the one root of the tree.
const CLAIM_ROOT: &str = "root_branch";
/// Natural key: the one key that was made without a caller.
const CLAIM_FIRST_KEY: &str = "first_key";
/// Natural key: what an issuer of tokens calls someone.
const CLAIM_IDENTITY: &str = "external_identity";

commit::world! {
    /// What the organization service knows.
    pub struct Business {
        /// Branches by id.
        pub branches: Slot<Branch>,
        /// How many branches work below each, by the id of the upper one.
        pub children: Slot<Children>,
        /// Staff members by id.
        pub staff: Slot<StaffMember>,
        /// Stored roles by the id of their code.
        pub roles: Slot<Role>,
        /// API keys by id.
        pub keys: Slot<ApiKey>,
        /// When they were last used, by the id of the key.
        pub uses: Slot<ApiKeyUse>,
        /// Counts by the id of what is counted.
        pub tallies: Slot<Tally>,
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
    /// The branch is suspended already.
    BranchSuspended,
    /// The branch works.
    BranchNotSuspended,
    /// The business as a whole lies below nothing.
    RootStays,
    /// A branch cannot lie below itself.
    WouldCycle,
    /// The tree would have more levels than can be.
    TreeTooDeep,
    /// No such staff member, or out of the caller's reach.
    StaffMemberNotFound,
    /// The person does not work here any more.
    StaffMemberDeactivated,
    /// Half of an outer identity was given.
    IdentityUnclear,
    /// The outer identity belongs to someone else.
    IdentityTaken,
    /// No such role.
    RoleNotFound,
    /// There is or was a role with this code.
    RoleCodeTaken,
    /// The business has as many roles as it may make.
    TooManyRoles,
    /// The administrators' role always allows everything.
    AdminRoleFixed,
    /// Default roles cannot be deleted.
    DefaultRole,
    /// Nobody could administer the business any more.
    LastAdministrator,
    /// A grant names branches and all of them, or none at all.
    GrantUnclear,
    /// The grant allows more than the one who makes it may.
    GrantExceedsCaller,
    /// No such key, or out of the caller's reach.
    ApiKeyNotFound,
    /// The key is revoked already.
    ApiKeyRevoked,
    /// The key's time is over.
    ApiKeyExpired,
    /// The old secret would open the door for too long.
    OverlapTooLong,
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
    /// A branch does not work for the time being.
    BranchSuspended(BranchId),
    /// A suspended branch works again.
    BranchResumed(BranchId),
    /// A branch lies elsewhere now, with everything below it.
    BranchMoved {
        /// The branch.
        id: BranchId,
        /// Below which it lay.
        former: BranchId,
        /// Below which it lies.
        parent: BranchId,
        /// All branches above it, from the root down.
        ancestors: Vec<BranchId>,
    },
    /// Someone began to work for the business.
    StaffMemberCreated(StaffMember),
    /// What is known of a staff member changed.
    StaffMemberUpdated {
        /// The person after the change.
        member: StaffMember,
        /// The fields that changed.
        changed: Vec<&'static str>,
    },
    /// A key was created.
    ApiKeyCreated {
        /// The key.
        id: ApiKeyId,
        /// Its roles.
        roles: Vec<String>,
    },
    /// A key got a new secret.
    ApiKeyRotated {
        /// The key.
        id: ApiKeyId,
        /// Until when the old one still opens the door, microseconds since the Unix epoch.
        former_until_us: Option<i64>,
    },
    /// A key was revoked.
    ApiKeyRevoked(ApiKeyId),
    /// The business made a role.
    RoleCreated(Role),
    /// A role allows something else, or has another name.
    RoleChanged(Role),
    /// A role allows nothing any more.
    RoleDeleted {
        /// Its code.
        code: String,
    },
}

/// Reply of a verb that made something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T>(pub T);
/// Reply of a verb that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated<T>(pub T);
/// Reply of a verb that deleted something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted<T>(pub T);
/// Reply of a verb that gave something a new secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated<T>(pub T);
/// Reply of a verb that joined something to something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked<T>(pub T);
/// Reply of a verb that put something elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved<T>(pub T);
/// Reply of a verb that stopped something for the time being.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspended<T>(pub T);
/// Reply of a verb that let something go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed<T>(pub T);
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
