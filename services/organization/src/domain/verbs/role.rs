//! Making, changing and deleting roles. Roles hold in the whole business, so only who reaches all of it changes them, and
//! nobody gives or takes a permission that they do not have.

use std::collections::BTreeSet;

use commit::{Cx, Stop, Verb, ensure, refuse};

use super::{Grantor, count, find_role};
use crate::Organization;
use crate::domain::{
    ADMIN, Business, Counted, Created, Deleted, Event, Permission, Refusal, Role, RoleId, Updated, check_version,
};

/// Most roles that a business makes for itself.
const MAX_OWN_ROLES: i64 = 200;

/// Makes a role.
#[derive(Clone, Debug)]
pub struct CreateRole {
    /// Who makes it.
    pub grantor: Grantor,
    /// Its code.
    pub code: String,
    /// Name for people.
    pub display_name: String,
    /// What it allows.
    pub permissions: BTreeSet<Permission>,
}

impl Verb<Organization> for CreateRole {
    type Reply = Created<Role>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Created<Role>, Stop<Refusal>> {
        check_holds(&self.grantor, &self.permissions)?;
        let id = RoleId::of(&self.code);
        // Also the code of a deleted role: who still carries it must not wake up with the new one.
        let is_taken = world.roles.get(id)?.is_some() || Role::find_default(&self.code).is_some();
        ensure!(!is_taken, Refusal::RoleCodeTaken);
        ensure!(count(world, Counted::OwnRoles, 1)? <= MAX_OWN_ROLES, Refusal::TooManyRoles);
        let role = world.roles.insert(Role {
            id,
            version: 0,
            code: self.code.clone(),
            display_name: self.display_name.clone(),
            permissions: self.permissions.clone(),
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            deleted_at_us: None,
        });
        let told = role.clone();
        cx.emit(role, Event::RoleCreated(told));
        Ok(Created(role.clone()))
    }
}

/// Changes a role; `None` leaves a value as it is.
#[derive(Clone, Debug)]
pub struct UpdateRole {
    /// Who changes it.
    pub grantor: Grantor,
    /// Its code.
    pub code: String,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// New name for people.
    pub display_name: Option<String>,
    /// What it allows from now on.
    pub permissions: Option<BTreeSet<Permission>>,
}

impl Verb<Organization> for UpdateRole {
    type Reply = Updated<Role>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Updated<Role>, Stop<Refusal>> {
        let Some(before) = find_role(world, &self.code)? else { refuse!(Refusal::RoleNotFound) };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        check_holds(&self.grantor, &before.allowed())?;
        let mut after = before.clone();
        if let Some(name) = &self.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(permissions) = &self.permissions {
            check_holds(&self.grantor, permissions)?;
            ensure!(before.code != ADMIN || *permissions == before.allowed(), Refusal::AdminRoleFixed);
            after.permissions.clone_from(permissions);
        }
        if after == before {
            return Ok(Updated(before));
        }
        after.updated_at_us = cx.now_us;
        // A default role is stored when it is changed for the first time.
        let role = match world.roles.edit(before.id)? {
            Some(role) => {
                *role = after;
                role
            }
            None => world.roles.insert(Role { created_at_us: cx.now_us, ..after }),
        };
        let told = role.clone();
        cx.emit(role, Event::RoleChanged(told));
        Ok(Updated(role.clone()))
    }
}

/// Deletes a role that the business made: who still carries it may do nothing by it.
#[derive(Clone, Debug)]
pub struct DeleteRole {
    /// Who deletes it.
    pub grantor: Grantor,
    /// Its code.
    pub code: String,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for DeleteRole {
    type Reply = Deleted<Role>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Deleted<Role>, Stop<Refusal>> {
        let Some(before) = find_role(world, &self.code)? else { refuse!(Refusal::RoleNotFound) };
        check_version(self.expected_version, before.version).map_err(Stop::Refused)?;
        check_holds(&self.grantor, &before.allowed())?;
        ensure!(!before.is_default(), Refusal::DefaultRole);
        let Some(role) = world.roles.edit(before.id)? else { refuse!(Refusal::RoleNotFound) };
        role.deleted_at_us = Some(cx.now_us);
        role.updated_at_us = cx.now_us;
        let code = role.code.clone();
        cx.emit(role, Event::RoleDeleted { code });
        Ok(Deleted(role.clone()))
    }
}

fn check_holds(grantor: &Grantor, permissions: &BTreeSet<Permission>) -> Result<(), Stop<Refusal>> {
    let holds = grantor.scope.is_all() && permissions.is_subset(&grantor.permissions);
    ensure!(holds, Refusal::GrantExceedsCaller);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use Permission as P;
    use commit::Rehearsal;
    use kernel::BranchScope;

    use super::*;
    use crate::domain::permissions_of;

    fn by(role: &str) -> Grantor {
        Grantor { permissions: permissions_of([role]), scope: BranchScope::All }
    }

    fn create(permissions: &[P]) -> CreateRole {
        let permissions = permissions.iter().copied().collect();
        CreateRole { grantor: by(ADMIN), code: "night_desk".into(), display_name: "Night desk".into(), permissions }
    }

    fn update(code: &str, permissions: &[P]) -> UpdateRole {
        UpdateRole {
            grantor: by(ADMIN),
            code: code.into(),
            expected_version: None,
            display_name: None,
            permissions: Some(permissions.iter().copied().collect()),
        }
    }

    fn delete(code: &str) -> DeleteRole {
        DeleteRole { grantor: by(ADMIN), code: code.into(), expected_version: None }
    }

    #[test]
    fn a_role_is_made_changed_and_deleted_and_its_code_goes_once() {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let Created(role) = stage.play(&create(&[P::CustomerRead])).unwrap();
        assert_eq!((role.version, role.is_default()), (1, false));
        assert_eq!(stage.play(&create(&[])), Err(Refusal::RoleCodeTaken));
        let Updated(wider) = stage.play(&update("night_desk", &[P::CustomerRead, P::ComplaintRead])).unwrap();
        assert_eq!((wider.version, wider.permissions.len()), (2, 2));
        stage.told();
        assert_eq!(stage.play(&update("night_desk", &[P::ComplaintRead, P::CustomerRead])).unwrap().0, wider);
        assert_eq!(stage.told(), [], "what already stands is no change");
        assert!(stage.play(&delete("night_desk")).unwrap().0.allowed().is_empty());
        assert_eq!(stage.told(), [Event::RoleDeleted { code: "night_desk".into() }]);
        assert_eq!(stage.play(&delete("night_desk")), Err(Refusal::RoleNotFound));
        assert_eq!(stage.play(&update("night_desk", &[])), Err(Refusal::RoleNotFound));
        assert_eq!(stage.play(&create(&[])), Err(Refusal::RoleCodeTaken), "nobody wakes up with a new role");
    }

    #[test]
    fn a_default_role_can_be_changed_but_not_deleted() {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let stale = UpdateRole { expected_version: Some(3), ..update("agent", &[]) };
        assert_eq!(stage.play(&stale), Err(Refusal::VersionMismatch { current: 0 }));
        let first = UpdateRole { expected_version: Some(0), ..update("agent", &[P::CustomerRead]) };
        let Updated(agent) = stage.play(&first).unwrap();
        assert_eq!((agent.version, agent.is_default(), agent.created_at_us), (1, true, 7));
        assert_eq!(stage.play(&delete("agent")), Err(Refusal::DefaultRole));
        assert_eq!(stage.play(&CreateRole { code: "auditor".into(), ..create(&[]) }), Err(Refusal::RoleCodeTaken));
    }

    #[test]
    fn the_administrators_role_keeps_everything() {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        assert_eq!(stage.play(&update(ADMIN, &[P::CustomerRead])), Err(Refusal::AdminRoleFixed));
        assert_eq!(stage.play(&delete(ADMIN)), Err(Refusal::DefaultRole));
        let rename = UpdateRole { display_name: Some("Owner".into()), permissions: None, ..update(ADMIN, &[]) };
        let Updated(admin) = stage.play(&rename).unwrap();
        assert_eq!((admin.display_name.as_str(), admin.allowed().len()), ("Owner", P::ALL.len()));
    }

    #[test]
    fn nobody_gives_or_takes_what_they_do_not_have_or_acts_for_the_whole_business_from_a_branch() {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let poor = CreateRole { grantor: by("auditor"), ..create(&[P::ComplaintWrite]) };
        assert_eq!(stage.play(&poor), Err(Refusal::GrantExceedsCaller));
        let taking = UpdateRole { grantor: by("auditor"), ..update("agent", &[]) };
        assert_eq!(stage.play(&taking), Err(Refusal::GrantExceedsCaller));
        let local = Grantor { scope: BranchScope::only([]), ..by(ADMIN) };
        let from_below = CreateRole { grantor: local, ..create(&[]) };
        assert_eq!(stage.play(&from_below), Err(Refusal::GrantExceedsCaller));
    }

    #[test]
    fn a_business_makes_only_so_many_roles() {
        let mut stage = Rehearsal::<Organization>::new((), 7);
        for number in 0..MAX_OWN_ROLES {
            stage.play(&CreateRole { code: format!("role-{number}"), ..create(&[]) }).unwrap();
        }
        assert_eq!(stage.play(&create(&[])), Err(Refusal::TooManyRoles));
    }
}
