//! Creating, changing and closing branches.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::branch_move::ancestors_below;
use super::hours::{hours_of, inherited_hours};
use crate::Organization;
use crate::domain::branch::{check_currency, check_time_zone, locale_or_default};
use crate::domain::{
    Branch, BranchId, BranchKind, Business, CLAIM_CODE, CLAIM_ROOT, Children, Closed, Created, Event, Refusal, Updated,
    check_version,
};

/// Adds a branch to the tree.
#[derive(Clone, Debug)]
pub struct CreateBranch {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// Its code.
    pub code: String,
    /// Its name for people.
    pub display_name: String,
    /// The branch above; `None` for the root.
    pub parent: Option<BranchId>,
    /// Its level.
    pub kind: BranchKind,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its ISO 4217 currency.
    pub currency: String,
    /// Its language; empty means the default.
    pub locale: String,
}

impl Verb<Organization> for CreateBranch {
    type Reply = Created<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Created<Branch>, Stop<Refusal>> {
        let time_zone = check_time_zone(&self.time_zone).map_err(Stop::Refused)?;
        let currency = check_currency(&self.currency).map_err(Stop::Refused)?;
        let id = BranchId(cx.new_id());
        match self.parent {
            Some(parent) => {
                let parent_is_open = match world.branches.get(parent)? {
                    Some(above) if self.scope.allows(parent.uuid()) => {
                        ensure!(self.kind.fits_below(above.kind), Refusal::LevelMismatch);
                        above.is_open()
                    }
                    _ => refuse!(Refusal::ParentNotFound),
                };
                ensure!(parent_is_open, Refusal::ParentClosed);
                ancestors_below(world, parent)?;
                add_child(world, parent, id)?;
            }
            None => {
                // Only the root has no parent, and only who reaches everything may found the business.
                ensure!(self.kind == BranchKind::Business, Refusal::LevelMismatch);
                ensure!(self.scope.is_all(), Refusal::ParentNotFound);
                ensure!(world.claims.take(CLAIM_ROOT, b"", id)?.is_ok(), Refusal::RootExists);
            }
        }
        ensure!(world.claims.take(CLAIM_CODE, self.code.as_bytes(), id)?.is_ok(), Refusal::BranchCodeTaken);
        let new = Branch {
            id,
            version: 0,
            parent: self.parent,
            code: self.code.clone(),
            kind: self.kind,
            display_name: self.display_name.clone(),
            time_zone,
            currency,
            locale: locale_or_default(&self.locale),
            created_at_us: cx.now_us,
            updated_at_us: cx.now_us,
            suspended_at_us: None,
            closed_at_us: None,
        };
        let hours = inherited_hours(world, &new)?;
        let branch = world.branches.insert(new);
        let told = branch.clone();
        cx.emit(branch, Event::BranchCreated { branch: told, hours });
        Ok(Created(branch.clone()))
    }
}

/// New values of a branch; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct BranchChange {
    /// Name for people.
    pub display_name: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Language, BCP 47; empty means the default.
    pub locale: Option<String>,
}

/// Changes a branch. A change to what already stands is no change: no event, same etag.
#[derive(Clone, Debug)]
pub struct UpdateBranch {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// The new values.
    pub change: BranchChange,
}

impl Verb<Organization> for UpdateBranch {
    type Reply = Updated<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Updated<Branch>, Stop<Refusal>> {
        let before = open_branch(world, self.id, &self.scope, self.expected_version)?;
        let mut after = before.clone();
        if let Some(name) = &self.change.display_name {
            after.display_name.clone_from(name);
        }
        if let Some(zone) = &self.change.time_zone {
            after.time_zone = check_time_zone(zone).map_err(Stop::Refused)?;
        }
        if let Some(locale) = &self.change.locale {
            after.locale = locale_or_default(locale);
        }
        let changed: Vec<&'static str> = [
            ("display_name", before.display_name != after.display_name),
            ("time_zone", before.time_zone != after.time_zone),
            ("locale", before.locale != after.locale),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect();
        if changed.is_empty() {
            return Ok(Updated(before));
        }
        after.updated_at_us = cx.now_us;
        let hours = hours_of(world, &after)?;
        let branch = world.branches.edit(self.id)?.ok_or(Stop::Refused(Refusal::BranchNotFound))?;
        *branch = after;
        let told = branch.clone();
        cx.emit(branch, Event::BranchUpdated { branch: told, changed, hours });
        Ok(Updated(branch.clone()))
    }
}

/// Closes a branch for good.
#[derive(Clone, Debug)]
pub struct CloseBranch {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for CloseBranch {
    type Reply = Closed<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Closed<Branch>, Stop<Refusal>> {
        let parent = open_branch(world, self.id, &self.scope, self.expected_version)?.parent;
        let is_last = world.children.get(self.id)?.is_none_or(|children| children.ids.is_empty());
        ensure!(is_last, Refusal::BranchHasChildren);
        if let Some(parent) = parent {
            drop_child(world, parent, self.id)?;
        }
        let branch = world.branches.edit(self.id)?.ok_or(Stop::Refused(Refusal::BranchNotFound))?;
        branch.closed_at_us = Some(cx.now_us);
        branch.updated_at_us = cx.now_us;
        cx.emit(branch, Event::BranchClosed(self.id));
        Ok(Closed(branch.clone()))
    }
}

/// A working branch within reach, at the version that the caller knows.
pub(super) fn open_branch(
    world: &mut Business,
    id: BranchId,
    scope: &BranchScope,
    expected: Option<i64>,
) -> Result<Branch, Stop<Refusal>> {
    let branch = match world.branches.get(id)? {
        Some(branch) if scope.allows(id.uuid()) => branch.clone(),
        _ => refuse!(Refusal::BranchNotFound),
    };
    check_version(expected, branch.version).map_err(Stop::Refused)?;
    ensure!(branch.is_open(), Refusal::BranchClosed);
    Ok(branch)
}

/// Says that `child` works below `parent` from now on.
pub(super) fn add_child(world: &mut Business, parent: BranchId, child: BranchId) -> Result<(), Stop<Refusal>> {
    match world.children.edit(parent)? {
        Some(children) => children.ids.push(child),
        None => {
            world.children.insert(Children { id: parent, ids: vec![child], version: 0 });
        }
    }
    Ok(())
}

/// Says that `child` works below `parent` no longer.
pub(super) fn drop_child(world: &mut Business, parent: BranchId, child: BranchId) -> Result<(), Stop<Refusal>> {
    if let Some(children) = world.children.edit(parent)? {
        children.ids.retain(|id| *id != child);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Room;
    use kernel::IdSource;
    use uuid::Uuid;

    use super::*;

    fn create(code: &str, parent: Option<BranchId>, kind: BranchKind) -> CreateBranch {
        CreateBranch {
            scope: BranchScope::All,
            code: code.into(),
            display_name: code.into(),
            parent,
            kind,
            time_zone: "Africa/Kigali".into(),
            currency: "RWF".into(),
            locale: "rw".into(),
        }
    }

    fn stored(id: u128, kind: BranchKind) -> Branch {
        Branch::sample(BranchId(Uuid::from_u128(id)), kind)
    }

    /// What was not given does not exist.
    fn decide<V: Verb<Organization>>(world: &mut Business, verb: &V) -> (Result<V::Reply, Stop<Refusal>>, usize) {
        loop {
            let mut ids = IdSource::seeded(1);
            let mut cx = Cx::new(&(), 7, "tester", &mut ids);
            let reply = verb.decide(world, &mut cx);
            if reply.as_ref().is_err_and(|stop| *stop == Stop::Missing) {
                world.drop_drafts();
                world.forgo();
                continue;
            }
            let told = cx.told().count();
            return (reply, told);
        }
    }

    fn refused<T: std::fmt::Debug>(outcome: (Result<T, Stop<Refusal>>, usize)) -> Refusal {
        match outcome.0 {
            Err(Stop::Refused(refusal)) => refusal,
            other => unreachable!("{other:?}"),
        }
    }

    fn with_parent(parent: Branch) -> Business {
        let mut world = Business::default();
        world.children.given_none(parent.id);
        world.branches.given(parent);
        world.claims.given(CLAIM_CODE, b"KGL-1", None);
        world
    }

    #[test]
    fn a_branch_goes_below_its_parent_and_is_counted_there() {
        let parent = stored(1, BranchKind::Business);
        let id = parent.id;
        let mut world = with_parent(parent);
        let (reply, told) = decide(&mut world, &create("KGL-1", Some(id), BranchKind::Branch));
        let Created(branch) = reply.unwrap();
        assert_eq!((branch.version, branch.parent, told), (1, Some(id), 1));
        assert_eq!(world.children.get(id).unwrap().unwrap().ids, [branch.id]);
    }

    #[test]
    fn a_code_goes_once() {
        let parent = stored(1, BranchKind::Business);
        let id = parent.id;
        let mut world = with_parent(parent);
        world.claims.given(CLAIM_CODE, b"KGL-1", Some(Uuid::from_u128(9)));
        let refusal = refused(decide(&mut world, &create("KGL-1", Some(id), BranchKind::Branch)));
        assert_eq!(refusal, Refusal::BranchCodeTaken);
    }

    #[test]
    fn levels_time_zones_currencies_and_parents_are_checked() {
        let desk = stored(1, BranchKind::Desk);
        let id = desk.id;
        let below_desk = create("KGL-1", Some(id), BranchKind::Desk);
        assert_eq!(refused(decide(&mut with_parent(desk.clone()), &below_desk)), Refusal::LevelMismatch);
        let orphan = create("KGL-1", None, BranchKind::Branch);
        assert_eq!(refused(decide(&mut Business::default(), &orphan)), Refusal::LevelMismatch);
        let zone = CreateBranch { time_zone: "Mars/Base".into(), ..create("A", None, BranchKind::Business) };
        assert_eq!(refused(decide(&mut Business::default(), &zone)), Refusal::UnknownTimeZone);
        let currency = CreateBranch { currency: "ZZZ".into(), ..create("A", None, BranchKind::Business) };
        assert_eq!(refused(decide(&mut Business::default(), &currency)), Refusal::UnknownCurrency);
        let closed = Branch { closed_at_us: Some(5), ..stored(1, BranchKind::Business) };
        let below_closed = create("KGL-1", Some(id), BranchKind::Branch);
        assert_eq!(refused(decide(&mut with_parent(closed), &below_closed)), Refusal::ParentClosed);
        let elsewhere = CreateBranch { scope: BranchScope::only([]), ..below_closed };
        assert_eq!(
            refused(decide(&mut with_parent(stored(1, BranchKind::Business)), &elsewhere)),
            Refusal::ParentNotFound
        );
    }

    #[test]
    fn the_business_is_founded_once() {
        let mut world = Business::default();
        world.claims.given(CLAIM_ROOT, b"", Some(Uuid::from_u128(1)));
        let refusal = refused(decide(&mut world, &create("TOP", None, BranchKind::Business)));
        assert_eq!(refusal, Refusal::RootExists);
    }

    #[test]
    fn an_update_tells_what_changed_and_nothing_when_nothing_did() {
        let branch = stored(1, BranchKind::Branch);
        let mut update = UpdateBranch {
            scope: BranchScope::All,
            id: branch.id,
            expected_version: Some(3),
            change: BranchChange {
                locale: Some("en".into()),
                time_zone: Some("Africa/Kigali".into()),
                ..Default::default()
            },
        };
        let mut world = with_parent(branch.clone());
        let (reply, told) = decide(&mut world, &update);
        let Updated(after) = reply.unwrap();
        assert_eq!((after.locale.as_str(), after.version, told), ("en", 4, 1));

        update.change = BranchChange { locale: Some("rw".into()), ..Default::default() };
        let (reply, told) = decide(&mut with_parent(branch.clone()), &update);
        assert_eq!((reply.unwrap().0, told), (branch.clone(), 0));

        update.expected_version = Some(2);
        let refusal = refused(decide(&mut with_parent(branch), &update));
        assert_eq!(refusal, Refusal::VersionMismatch { current: 3 });
    }

    #[test]
    fn a_branch_closes_after_those_below_it() {
        let branch = stored(1, BranchKind::Branch);
        let close = CloseBranch { scope: BranchScope::All, id: branch.id, expected_version: None };
        let mut world = with_parent(branch.clone());
        world.children.given(Children { id: branch.id, ids: vec![BranchId(Uuid::from_u128(8))], version: 0 });
        assert_eq!(refused(decide(&mut world, &close)), Refusal::BranchHasChildren);
        let mut world = with_parent(branch);
        let (reply, told) = decide(&mut world, &close);
        assert_eq!((reply.unwrap().0.closed_at_us, told), (Some(7), 1));
        world = with_parent(Branch { closed_at_us: Some(7), ..stored(1, BranchKind::Branch) });
        assert_eq!(refused(decide(&mut world, &close)), Refusal::BranchClosed);
        let foreign = CloseBranch { scope: BranchScope::only([]), ..close };
        assert_eq!(refused(decide(&mut world, &foreign)), Refusal::BranchNotFound);
    }
}
