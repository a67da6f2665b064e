//! The rules of the organization: the tree of branches, who works there, which roles exist and which keys open the
//! door. Pure: no I/O, no clock, no randomness; what verbs need comes in through the world and the context.

mod api_key;
mod branch;
pub mod calendar;
mod power;
mod role;
mod staff_member;
mod stored_role;
mod tally;
mod team;
mod verbs;

use ::calendar::CalendarSpec;
use commit::{Claims, Slot};
use uuid::Uuid;

pub use api_key::{ApiKey, ApiKeyState, ApiKeyUse, FormerSecret};
pub use branch::{Branch, BranchKind, Children};
pub use calendar::{BranchCalendar, HolidaySet, HolidayUse, HoursInForce, OpeningHours};
pub use power::{Power, held_everywhere};
pub use role::{ADMIN, DEFAULT_ROLES, Permission, Reach, permissions_of};
pub use staff_member::{ExternalIdentity, RoleGrant, Skill, StaffMember};
pub use stored_role::Role;
pub use tally::{Counted, Tally};
pub use team::{Presence, PresenceState, Roster, Shift, Team};
pub use verbs::{
    Asker, BranchChange, CancelShift, ClearBranchCalendar, CloseBranch, CreateApiKey, CreateBranch, CreateHolidaySet,
    CreateRole, CreateStaffMember, CreateTeam, DeactivateStaffMember, DeleteRole, DissolveTeam, EndStaffRole,
    GrantStaffRole, Grantor, LinkStaffIdentity, MoveBranch, PlanShift, RecordApiKeyUse, RegisterFirstKey, ResumeBranch,
    RevokeApiKey, RotateApiKey, SetBranchCalendar, SetPresence, SetStaffMatching, SetStaffSkills, SuspendBranch,
    UpdateBranch, UpdateHolidaySet, UpdateRole, UpdateStaffMember, UpdateTeam,
};

kernel::ids! {
    /// A branch: a node in the tree of the business.
    pub BranchId;
    /// Someone who works for the business.
    pub StaffMemberId;
    /// An API key.
    pub ApiKeyId;
    /// A set of holidays.
    pub HolidaySetId;
    /// A role.
    pub RoleId;
    /// A team of staff members.
    pub TeamId;
    /// A shift of a staff member.
    pub ShiftId;
}

/// Natural key: the code of a branch.
const CLAIM_CODE: &str = "branch_code";
/// Natural key: the one root of the tree.
const CLAIM_ROOT: &str = "root_branch";
/// Natural key: the one key that was made without a caller.
const CLAIM_FIRST_KEY: &str = "first_key";
/// Natural key: the code of a set of holidays.
const CLAIM_HOLIDAY_SET: &str = "holiday_set";
/// Natural key: what an issuer of tokens calls someone.
const CLAIM_IDENTITY: &str = "external_identity";

commit::world! {
    /// What the organization service knows.
    pub struct Business {
        /// Branches by id.
        pub branches: Slot<Branch>,
        /// Which branches work below each, by the id of the upper one.
        pub children: Slot<Children>,
        /// Own hours of branches, by the id of the branch.
        pub calendars: Slot<BranchCalendar>,
        /// Sets of holidays by id.
        pub holiday_sets: Slot<HolidaySet>,
        /// Which branches keep them, by the id of the set.
        pub holiday_uses: Slot<HolidayUse>,
        /// Staff members by id.
        pub staff: Slot<StaffMember>,
        /// Teams by id.
        pub teams: Slot<Team>,
        /// Shifts by id.
        pub shifts: Slot<Shift>,
        /// Shifts that are not over, by the id of the person.
        pub rosters: Slot<Roster>,
        /// Who is there, by the id of the person.
        pub presences: Slot<Presence>,
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
    /// More branches would have to be told than one change can tell.
    TreeTooWide,
    /// No such set of holidays.
    HolidaySetNotFound,
    /// Another set of holidays has the code.
    HolidaySetCodeTaken,
    /// The business has as many sets of holidays as it may have.
    TooManyHolidaySets,
    /// The branch has no hours of its own.
    NoOwnCalendar,
    /// The hours make no sense.
    HoursFaulty {
        /// Where.
        field: String,
        /// Why.
        why: String,
    },
    /// The branch would not open in the next 370 days.
    CalendarNeverOpens,
    /// No such staff member, or out of the caller's reach.
    StaffMemberNotFound,
    /// The person does not work here any more.
    StaffMemberDeactivated,
    /// Only the person can say this of themselves.
    OnlyThePerson,
    /// A skill is given twice.
    SkillTwice,
    /// The person would have more grants than can be.
    TooManyGrants,
    /// The person does not have the role there.
    GrantNotFound,
    /// No such team, or out of the caller's reach.
    TeamNotFound,
    /// The team was dissolved.
    TeamDissolved,
    /// A team is led by one of its members.
    LeadNotMember,
    /// The person would be in more teams than can be.
    TooManyTeams,
    /// No such shift, or out of the caller's reach.
    ShiftNotFound,
    /// The shift ends before it begins, is too long, or too far away.
    ShiftFaulty,
    /// The person has another shift then.
    ShiftOverlaps,
    /// The person has as many coming shifts as can be.
    TooManyShifts,
    /// The shift was cancelled already.
    ShiftCancelled,
    /// The shift is over.
    ShiftOver,
    /// Nobody said where the person is.
    PlaceMissing,
    /// What was said would not hold any more.
    UntilPassed,
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
    /// A branch was created.
    BranchCreated {
        /// The branch.
        branch: Branch,
        /// The hours that hold there; `None` means day and night.
        hours: Option<CalendarSpec>,
    },
    /// A branch was changed.
    BranchUpdated {
        /// The branch after the change.
        branch: Branch,
        /// The fields that changed.
        changed: Vec<&'static str>,
        /// The hours that hold there; `None` means day and night.
        hours: Option<CalendarSpec>,
    },
    /// A set of holidays was made.
    HolidaySetCreated(HolidaySet),
    /// A set of holidays was changed.
    HolidaySetUpdated(HolidaySet),
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
    /// Someone ceased to work for the business.
    StaffMemberDeactivated(StaffMemberId),
    /// A team was made.
    TeamCreated(Team),
    /// A team was changed.
    TeamUpdated(Team),
    /// A team was dissolved.
    TeamDissolved(TeamId),
    /// A shift was planned.
    ShiftPlanned(Shift),
    /// A shift was cancelled.
    ShiftCancelled(Shift),
    /// Someone is there for customers, or not any more.
    PresenceChanged(Presence),
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
/// Reply of a verb that took something away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleared<T>(pub T);
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
/// Reply of a verb that gave something away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted<T>(pub T);
/// Reply of a verb that ended something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended<T>(pub T);
/// Reply of a verb that ended all work of someone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deactivated<T>(pub T);
/// Reply of a verb that said what someone can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skilled<T>(pub T);
/// Reply of a verb that said by what someone may be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<T>(pub T);
/// Reply of a verb that called something off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled<T>(pub T);
/// Reply of a verb that dissolved something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dissolved<T>(pub T);
/// Reply of a verb that planned something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned<T>(pub T);
/// Reply of a verb that said who is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present<T>(pub T);
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
