//! Suspending branches and letting them work again.

use commit::{Cx, Stop, Verb, ensure, refuse};
use kernel::BranchScope;

use super::branch::open_branch;
use crate::Organization;
use crate::domain::{Branch, BranchId, Business, Event, Refusal, Resumed, Suspended};

/// Stops the work of a branch for the time being.
#[derive(Clone, Debug)]
pub struct SuspendBranch {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for SuspendBranch {
    type Reply = Suspended<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Suspended<Branch>, Stop<Refusal>> {
        let before = open_branch(world, self.id, &self.scope, self.expected_version)?;
        ensure!(before.suspended_at_us.is_none(), Refusal::BranchSuspended);
        let Some(branch) = world.branches.edit(self.id)? else { refuse!(Refusal::BranchNotFound) };
        branch.suspended_at_us = Some(cx.now_us);
        branch.updated_at_us = cx.now_us;
        cx.emit(branch, Event::BranchSuspended(self.id));
        Ok(Suspended(branch.clone()))
    }
}

/// Lets a suspended branch work again.
#[derive(Clone, Debug)]
pub struct ResumeBranch {
    /// Where the caller may act.
    pub scope: BranchScope,
    /// The branch.
    pub id: BranchId,
    /// The version that the caller knows.
    pub expected_version: Option<i64>,
}

impl Verb<Organization> for ResumeBranch {
    type Reply = Resumed<Branch>;

    fn decide(&self, world: &mut Business, cx: &mut Cx<'_, Organization>) -> Result<Resumed<Branch>, Stop<Refusal>> {
        let before = open_branch(world, self.id, &self.scope, self.expected_version)?;
        ensure!(before.suspended_at_us.is_some(), Refusal::BranchNotSuspended);
        let Some(branch) = world.branches.edit(self.id)? else { refuse!(Refusal::BranchNotFound) };
        branch.suspended_at_us = None;
        branch.updated_at_us = cx.now_us;
        cx.emit(branch, Event::BranchResumed(self.id));
        Ok(Resumed(branch.clone()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;
    use uuid::Uuid;

    use super::*;
    use crate::domain::BranchKind;

    #[test]
    fn a_branch_pauses_and_works_again() {
        let id = BranchId(Uuid::from_u128(1));
        let mut stage = Rehearsal::<Organization>::new((), 7);
        stage.world.branches.given(Branch::sample(id, BranchKind::Branch));
        let (scope, expected_version) = (BranchScope::All, None);
        let suspend = SuspendBranch { scope: scope.clone(), id, expected_version };
        let resume = ResumeBranch { scope, id, expected_version };
        assert_eq!(stage.play(&resume), Err(Refusal::BranchNotSuspended));
        assert_eq!(stage.play(&suspend).unwrap().0.suspended_at_us, Some(7));
        assert_eq!(stage.play(&suspend), Err(Refusal::BranchSuspended));
        assert_eq!(stage.play(&resume).unwrap().0.suspended_at_us, None);
        assert_eq!(stage.told(), [Event::BranchSuspended(id), Event::BranchResumed(id)]);
        let foreign = SuspendBranch { scope: BranchScope::only([]), ..suspend };
        assert_eq!(stage.play(&foreign), Err(Refusal::BranchNotFound));
    }
}
