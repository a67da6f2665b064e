//! Moving branches in the tree.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::branch::{add_child, drop_child, open_branch};
use super::hours::{each, levels_below, path_of, tell_hours};
use crate::Organization;
use crate::domain::calendar::owner;
use crate::domain::{Branch, BranchId, Business, Event, Moved, Refusal};

/// Most levels of the tree, the root and the lowest included: what a command may walk up and down.
const MAX_LEVELS: usize = 7;

/// Puts a branch, with everything below it, below another one.
#[derive(Clone, Debug)]
pub struct MoveBranch {
    /// Where the caller may act: must reach the branch, where it lies and where it goes.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
    /// Where it goes.
    pub parent: BranchId,
}

impl Verb<Organization> for MoveBranch {
    type Reply = Moved<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Moved<Branch>, Stop<Refusal>> {
        let before = open_branch(world, self.id, &self.scope, self.expected_version)?;
        let Some(former) = before.parent else { refuse!(Refusal::RootStays) };
        ensure!(self.scope.allows(former.uuid()), Refusal::GrantExceedsCaller);
        if former == self.parent {
            return Ok(Moved(before));
        }
        let (kind, is_open) = match world.branches.get(self.parent)? {
            Some(above) if self.scope.allows(self.parent.uuid()) => (above.kind, above.is_open()),
            _ => refuse!(Refusal::ParentNotFound),
        };
        ask_up(world, &[former, self.parent])?;
        let ancestors = ancestors_below(world, self.parent)?;
        ensure!(!ancestors.contains(&self.id), Refusal::WouldCycle);
        ensure!(before.kind.fits_below(kind), Refusal::LevelMismatch);
        ensure!(is_open, Refusal::ParentClosed);
        let levels = levels_below(world, self.id)?.len();
        ensure!(ancestors.len() + levels <= MAX_LEVELS, Refusal::TreeTooDeep);
        let was = owner(&path_of(world, &before)?).map(|calendar| calendar.id);
        drop_child(world, former, self.id)?;
        add_child(world, self.parent, self.id)?;
        let Some(branch) = world.branches.edit(self.id)? else { refuse!(Refusal::BranchNotFound) };
        branch.parent = Some(self.parent);
        branch.updated_at_us = cx.now_us;
        cx.emit(branch, Event::BranchMoved { id: self.id, former, parent: self.parent, ancestors });
        let moved = branch.clone();
        let is = owner(&path_of(world, &moved)?).map(|calendar| calendar.id);
        if was == is {
            return Ok(Moved(moved));
        }
        // It inherits from elsewhere now, and so does what lies below it.
        tell_hours(world, cx, self.id)?;
        let version = world.branches.get(self.id)?.map_or(moved.version, |branch| branch.version);
        Ok(Moved(Branch { version, ..moved }))
    }
}

/// The branches above one that lies below `parent`: from the root down to `parent` itself.
pub(super) fn ancestors_below(world: &mut Business, parent: BranchId) -> Result<Vec<BranchId>, Stop<Refusal>> {
    let mut ancestors = vec![parent];
    let mut place = parent;
    while let Some(above) = world.branches.get(place)?.and_then(|branch| branch.parent) {
        ensure!(ancestors.len() < MAX_LEVELS, Refusal::TreeTooDeep);
        ancestors.push(above);
        place = above;
    }
    ensure!(ancestors.len() < MAX_LEVELS, Refusal::TreeTooDeep);
    ancestors.reverse();
    Ok(ancestors)
}

/// Asks for several branches and all above them side by side, so that each step up loads all of them at once.
fn ask_up(world: &mut Business, places: &[BranchId]) -> Result<(), Stop<Refusal>> {
    let mut places = places.to_vec();
    for _ in 0..MAX_LEVELS {
        let above = each(&places, |id| Ok(world.branches.get(id)?.and_then(|branch| branch.parent)))?;
        places = above.into_iter().flatten().collect();
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{BranchKind, Children};

    fn id(number: u128) -> BranchId {
        BranchId(Uuid::from_u128(number))
    }

    /// Business 1; regions 2 and 3; region 4 in 2; branch 5 in 4; desk 6 in 5.
    fn stage() -> Rehearsal<Organization> {
        use BranchKind as K;
        let mut stage = Rehearsal::<Organization>::new((), 7);
        let tree = [
            (1, None, K::Business),
            (2, Some(1), K::Region),
            (3, Some(1), K::Region),
            (4, Some(2), K::Region),
            (5, Some(4), K::Branch),
            (6, Some(5), K::Desk),
        ];
        for (number, parent, kind) in tree {
            let branch = Branch::sample(id(number), kind);
            stage.world.branches.given(Branch { parent: parent.map(id), ..branch });
        }
        let below: [(u128, &[u128]); 4] = [(1, &[2, 3]), (2, &[4]), (4, &[5]), (5, &[6])];
        for (number, ids) in below {
            let ids = ids.iter().map(|number| id(*number)).collect();
            stage.world.children.given(Children { id: id(number), ids, version: 0 });
        }
        stage
    }

    fn to(branch: u128, parent: u128) -> MoveBranch {
        MoveBranch { scope: BranchScope::All, id: id(branch), expected_version: None, parent: id(parent) }
    }

    #[test]
    fn a_branch_moves_with_its_path_told_and_is_counted_where_it_lies() {
        let mut stage = stage();
        let Moved(branch) = stage.play(&to(5, 3)).unwrap();
        assert_eq!((branch.parent, branch.version), (Some(id(3)), 4));
        let ancestors = vec![id(1), id(3)];
        let told = Event::BranchMoved { id: id(5), former: id(4), parent: id(3), ancestors };
        assert_eq!(stage.told(), [told]);
        assert_eq!(stage.world.children.get(id(4)).unwrap().unwrap().ids, []);
        assert_eq!(stage.world.children.get(id(3)).unwrap().unwrap().ids, [id(5)]);
        // Where it already lies is no move.
        assert_eq!(stage.play(&to(5, 3)).unwrap().0.version, 4);
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn nothing_moves_below_itself_or_where_it_does_not_fit() {
        let mut stage = stage();
        assert_eq!(stage.play(&to(2, 4)), Err(Refusal::WouldCycle));
        assert_eq!(stage.play(&to(2, 2)), Err(Refusal::WouldCycle));
        assert_eq!(stage.play(&to(2, 6)), Err(Refusal::WouldCycle));
        assert_eq!(stage.play(&to(3, 5)), Err(Refusal::LevelMismatch));
        assert_eq!(stage.play(&to(1, 3)), Err(Refusal::RootStays));
        assert_eq!(stage.play(&to(5, 9)), Err(Refusal::ParentNotFound));
        assert_eq!(stage.play(&to(9, 3)), Err(Refusal::BranchNotFound));
        let closed = Branch { closed_at_us: Some(1), parent: Some(id(1)), ..Branch::sample(id(3), BranchKind::Region) };
        stage.world.branches.given(closed);
        assert_eq!(stage.play(&to(5, 3)), Err(Refusal::ParentClosed));
        assert_eq!(stage.told(), []);
    }

    #[test]
    fn two_moves_that_would_cross_make_no_cycle() {
        let mut stage = stage();
        stage.play(&to(3, 2)).unwrap();
        assert_eq!(stage.play(&to(2, 3)), Err(Refusal::WouldCycle));
    }

    #[test]
    fn the_mover_reaches_the_branch_and_both_places() {
        let scope = |numbers: &[u128]| BranchScope::only(numbers.iter().map(|number| Uuid::from_u128(*number)));
        let by = |numbers: &[u128]| MoveBranch { scope: scope(numbers), ..to(5, 3) };
        assert_eq!(stage().play(&by(&[5, 3])), Err(Refusal::GrantExceedsCaller));
        assert_eq!(stage().play(&by(&[5, 4])), Err(Refusal::ParentNotFound));
        assert_eq!(stage().play(&by(&[3, 4])), Err(Refusal::BranchNotFound));
        assert!(stage().play(&by(&[3, 4, 5])).is_ok());
    }

    #[test]
    fn the_tree_has_a_greatest_depth() {
        let mut stage = stage();
        for number in 10..20 {
            let parent = if number == 10 { 3 } else { number - 1 };
            let region = Branch::sample(id(number), BranchKind::Region);
            stage.world.branches.given(Branch { parent: Some(id(parent)), ..region });
        }
        // Branch 5 brings its desk: two levels.
        assert_eq!(stage.play(&to(5, 13)), Err(Refusal::TreeTooDeep));
        assert_eq!(stage.play(&to(5, 19)), Err(Refusal::TreeTooDeep));
        assert!(stage.play(&to(5, 12)).is_ok());
    }
}
