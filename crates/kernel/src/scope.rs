//! Branch scope: the set of branches whose records a caller may see or change. Every query and every
//! command of a service takes one.

use std::sync::Arc;

use uuid::Uuid;

/// The branches that a caller reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BranchScope {
    /// Every branch of the business, those of the future included.
    All,
    /// These branches only (sorted, without repeats); an empty set reaches nothing.
    Only(Arc<[Uuid]>),
}

impl BranchScope {
    /// A scope of these branches.
    pub fn only(branches: impl IntoIterator<Item = Uuid>) -> Self {
        let mut branches: Vec<Uuid> = branches.into_iter().collect();
        branches.sort_unstable();
        branches.dedup();
        Self::Only(branches.into())
    }

    /// Whether records of `branch` are within reach.
    pub fn allows(&self, branch: Uuid) -> bool {
        match self {
            Self::All => true,
            Self::Only(branches) => branches.binary_search(&branch).is_ok(),
        }
    }

    /// Whether every branch is within reach: the first of the two values that a scoped query binds.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The branches listed: the second value that a scoped query binds; empty when all are reached.
    pub fn branches(&self) -> &[Uuid] {
        match self {
            Self::All => &[],
            Self::Only(branches) => branches,
        }
    }

    /// What both scopes reach.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::All, rest) | (rest, Self::All) => rest.clone(),
            (Self::Only(branches), Self::Only(_)) => Self::only(branches.iter().copied().filter(|b| other.allows(*b))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reaches_only_what_it_lists() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let scope = BranchScope::only([b, b]);
        assert!(scope.allows(b) && !scope.allows(a));
        assert!(BranchScope::All.allows(a));
        assert!(!BranchScope::only([]).allows(a));
        assert_eq!(BranchScope::All.intersect(&scope), scope);
        assert_eq!(scope.intersect(&BranchScope::only([a])), BranchScope::only([]));
    }
}
