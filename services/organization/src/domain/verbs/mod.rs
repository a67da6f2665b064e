//! The verbs of the organization, one tight family per file.

mod branch;
mod branch_move;
mod branch_pause;
mod calendar;
mod holiday_set;
mod hours;
mod identity;
mod key;
mod key_care;
mod presence;
mod role;
mod shift;
mod staff;
mod staff_care;
mod staff_roles;
mod team;

pub use branch::{BranchChange, CloseBranch, CreateBranch, UpdateBranch};
pub use branch_move::MoveBranch;
pub use branch_pause::{ResumeBranch, SuspendBranch};
pub use calendar::{ClearBranchCalendar, SetBranchCalendar};
pub use holiday_set::{CreateHolidaySet, UpdateHolidaySet};
pub use identity::LinkStaffIdentity;
pub use key::{CreateApiKey, RegisterFirstKey, RevokeApiKey};
pub use key_care::{RecordApiKeyUse, RotateApiKey};
pub use presence::SetPresence;
pub use role::{CreateRole, DeleteRole, UpdateRole};
pub use shift::{CancelShift, PlanShift};
pub use staff::CreateStaffMember;
pub use staff_care::{Asker, SetStaffMatching, SetStaffSkills, UpdateStaffMember};
pub use staff_roles::{DeactivateStaffMember, EndStaffRole, GrantStaffRole};
pub use team::{CreateTeam, DissolveTeam, UpdateTeam};

use std::collections::BTreeSet;

use commit::{Stop, ensure, refuse};
use kernel::BranchScope;
use uuid::Uuid;

use super::{
    Business, Counted, Permission, Reach, Refusal, Role, RoleId, StaffMember, StaffMemberId, Tally, check_version,
};

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
        ensure!(find_role(world, role)?.is_some(), Refusal::RoleNotFound);
        for branch in reach.branches() {
            known_branch(world, *branch, &self.scope)?;
        }
        self.check_held(world, role, reach)
    }

    /// Refuses what exceeds the grantor in a grant that stands; a role that was deleted allows nothing.
    fn check_held(&self, world: &mut Business, role: &str, reach: &Reach) -> Result<(), Stop<Refusal>> {
        let allowed = find_role(world, role)?.map(|role| role.allowed()).unwrap_or_default();
        let holds = allowed.is_subset(&self.permissions) && reach.is_within(&self.scope);
        ensure!(holds, Refusal::GrantExceedsCaller);
        Ok(())
    }
}

/// The role with this code as it is today: stored, or by default.
fn find_role(world: &mut Business, code: &str) -> Result<Option<Role>, Stop<Refusal>> {
    Ok(match world.roles.get(RoleId::of(code))? {
        Some(role) => Some(role.clone()).filter(|role| role.deleted_at_us.is_none()),
        None => Role::find_default(code),
    })
}

/// Counts `by` more of something and gives the number there is now.
fn count(world: &mut Business, counted: Counted, by: i64) -> Result<i64, Stop<Refusal>> {
    let id = counted.id();
    if let Some(tally) = world.tallies.edit(id)? {
        tally.count += by;
        return Ok(tally.count);
    }
    world.tallies.insert(Tally { id, count: by, version: 0 });
    Ok(by)
}

/// Keeps count of the ways in for administrators, of which one that `before` said to be one and `after` no longer is may
/// not be the last.
fn keep_an_administrator(world: &mut Business, before: bool, after: bool) -> Result<(), Stop<Refusal>> {
    match (before, after) {
        (true, false) => ensure!(count(world, Counted::Administrators, -1)? > 0, Refusal::LastAdministrator),
        (false, true) => {
            count(world, Counted::Administrators, 1)?;
        }
        _ => {}
    }
    Ok(())
}

/// Refuses a branch that does not exist or lies out of reach: the two must look the same.
fn known_branch(world: &mut Business, id: Uuid, scope: &BranchScope) -> Result<(), Stop<Refusal>> {
    ensure!(scope.allows(id), Refusal::BranchNotFound);
    ensure!(world.branches.get(id)?.is_some(), Refusal::BranchNotFound);
    Ok(())
}

/// A staff member within reach who works here, at the version that the caller knows.
fn working_member(
    world: &mut Business,
    id: StaffMemberId,
    scope: &BranchScope,
    expected: Option<i64>,
) -> Result<StaffMember, Stop<Refusal>> {
    let member = match world.staff.get(id)? {
        Some(member) if member.is_within(scope) => member.clone(),
        _ => refuse!(Refusal::StaffMemberNotFound),
    };
    check_version(expected, member.version).map_err(Stop::Refused)?;
    ensure!(member.is_active(), Refusal::StaffMemberDeactivated);
    Ok(member)
}
