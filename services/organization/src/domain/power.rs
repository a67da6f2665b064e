//! What a person may do where, when several roles hold in several places: how it is told without giving away more.

use std::collections::BTreeSet;

use kernel::BranchScope;
use uuid::Uuid;

use super::Permission;

/// What someone may do in some place; the branches below are already in the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Power {
    /// What.
    pub permissions: BTreeSet<Permission>,
    /// Where.
    pub scope: BranchScope,
}

/// All of it as one: every branch in which anything may be done, and only what may be done in each of them. So it never
/// allows what no single power allows.
pub fn held_everywhere(powers: &[Power]) -> Power {
    let scope = union(powers.iter());
    let every: BTreeSet<Permission> = powers.iter().flat_map(|power| power.permissions.iter().copied()).collect();
    let permissions = every
        .into_iter()
        .filter(|permission| {
            let held = union(powers.iter().filter(|power| power.permissions.contains(permission)));
            covers(&held, &scope)
        })
        .collect();
    Power { permissions, scope }
}

fn union<'a>(powers: impl Iterator<Item = &'a Power>) -> BranchScope {
    let mut branches: Vec<Uuid> = Vec::new();
    for power in powers {
        if power.scope.is_all() {
            return BranchScope::All;
        }
        branches.extend_from_slice(power.scope.branches());
    }
    BranchScope::only(branches)
}

fn covers(outer: &BranchScope, inner: &BranchScope) -> bool {
    outer.is_all() || (!inner.is_all() && inner.branches().iter().all(|branch| outer.allows(*branch)))
}

#[cfg(test)]
mod tests {
    use Permission as P;

    use super::*;

    fn power(permissions: &[P], branches: Option<&[u128]>) -> Power {
        let scope =
            branches.map_or(BranchScope::All, |ids| BranchScope::only(ids.iter().map(|id| Uuid::from_u128(*id))));
        Power { permissions: permissions.iter().copied().collect(), scope }
    }

    #[test]
    fn what_is_held_in_one_place_is_not_held_in_another() {
        let (read, write, audit) = (P::ComplaintRead, P::ComplaintWrite, P::EventRead);
        let table = [
            (vec![], power(&[], Some(&[]))),
            (vec![power(&[read, write], Some(&[1]))], power(&[read, write], Some(&[1]))),
            // An agent in one branch and a reader in another.
            (vec![power(&[read, write], Some(&[1])), power(&[read], Some(&[2]))], power(&[read], Some(&[1, 2]))),
            // The same permission from two roles, in two places that together are all.
            (vec![power(&[write], Some(&[1])), power(&[write, read], Some(&[2]))], power(&[write], Some(&[1, 2]))),
            // An agent in one branch and an auditor everywhere.
            (vec![power(&[write], Some(&[1])), power(&[audit], None)], power(&[audit], None)),
            (vec![power(&[write], None), power(&[audit], None)], power(&[write, audit], None)),
        ];
        for (powers, expected) in table {
            assert_eq!(held_everywhere(&powers), expected, "{powers:?}");
        }
    }

    #[test]
    fn the_whole_never_allows_what_no_part_allows() {
        let sets: [&[P]; 4] = [&[P::ComplaintRead], &[P::ComplaintWrite], &[P::ComplaintRead, P::EventRead], &[]];
        let places: [Option<&[u128]>; 4] = [None, Some(&[1]), Some(&[1, 2]), Some(&[3])];
        let all: Vec<Power> = sets.iter().flat_map(|set| places.iter().map(|place| power(set, *place))).collect();
        for a in &all {
            for b in &all {
                let whole = held_everywhere(&[a.clone(), b.clone()]);
                for permission in &whole.permissions {
                    for branch in [1, 2, 3, 4].map(Uuid::from_u128).into_iter().filter(|id| whole.scope.allows(*id)) {
                        let allowed =
                            |power: &Power| power.permissions.contains(permission) && power.scope.allows(branch);
                        assert!(allowed(a) || allowed(b), "{permission:?} in {branch} from {a:?} and {b:?}");
                    }
                }
            }
        }
    }
}
