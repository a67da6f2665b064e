//! What the holder of a credential may do, and where. Someone with several roles in several places acts, in each call,
//! as who holds the permission of that call: nothing is ever allowed in a place where no role allows it.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::BranchScope;
use proto::Permission;
use server::auth::{PermissionSet, Principal};

/// Some permissions, and where they hold.
#[derive(Clone, Debug)]
pub struct Power {
    /// What is allowed.
    pub permissions: PermissionSet,
    /// Where, with the branches below already in it.
    pub scope: BranchScope,
}

/// The holder of a credential. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Holder {
    /// What holds in every place of theirs.
    whole: Principal,
    /// What they are in a call that needs this permission, where it is not the same in all places.
    by_permission: Option<Arc<HashMap<i32, Principal>>>,
}

impl Holder {
    /// Someone who may do the same everywhere.
    pub fn of(principal: Principal) -> Self {
        Self { whole: principal, by_permission: None }
    }

    /// Someone whose powers differ by place; `whole` is what holds in all places.
    pub fn with_powers(whole: Principal, powers: &[Power]) -> Self {
        let mut places: HashMap<i32, BranchScope> = HashMap::new();
        for power in powers {
            for permission in power.permissions.iter() {
                let place = places.entry(permission).or_insert_with(|| BranchScope::only([]));
                *place = union(place, &power.scope);
            }
        }
        let acting = |(permission, place): (&i32, &BranchScope)| {
            let held = places.iter().filter(|(_, other)| covers(other, place)).map(|(held, _)| *held);
            let principal = Principal { permissions: held.collect(), scope: place.clone(), ..whole.clone() };
            (*permission, principal)
        };
        let by_permission = places.iter().map(acting).collect();
        Self { whole, by_permission: Some(Arc::new(by_permission)) }
    }

    /// Who acts in a call that needs this permission; `None` if it is held nowhere.
    pub fn acting(&self, permission: Permission) -> Option<&Principal> {
        match &self.by_permission {
            Some(all) => all.get(&i32::from(permission)),
            None => Some(&self.whole).filter(|whole| whole.may(permission)),
        }
    }

    /// Who it is, with what holds in every place of theirs.
    pub fn principal(&self) -> &Principal {
        &self.whole
    }
}

fn union(one: &BranchScope, other: &BranchScope) -> BranchScope {
    if one.is_all() || other.is_all() {
        return BranchScope::All;
    }
    BranchScope::only(one.branches().iter().chain(other.branches()).copied())
}

fn covers(outer: &BranchScope, inner: &BranchScope) -> bool {
    outer.is_all() || (!inner.is_all() && inner.branches().iter().all(|branch| outer.allows(*branch)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proto::Permission as P;
    use uuid::Uuid;

    use super::*;

    fn power(permissions: &[P], branches: Option<&[u128]>) -> Power {
        let scope =
            branches.map_or(BranchScope::All, |ids| BranchScope::only(ids.iter().map(|id| Uuid::from_u128(*id))));
        Power { permissions: permissions.iter().copied().collect(), scope }
    }

    #[test]
    fn a_role_in_one_place_is_none_in_another() {
        let powers = [
            power(&[P::ComplaintRead, P::ComplaintWrite], Some(&[1])),
            power(&[P::ComplaintRead], Some(&[2])),
            power(&[P::EventRead], None),
        ];
        let holder = Holder::with_powers(Principal::anonymous(), &powers);
        let writer = holder.acting(P::ComplaintWrite).unwrap();
        assert_eq!(writer.scope, BranchScope::only([Uuid::from_u128(1)]));
        assert!(writer.may(P::ComplaintWrite) && writer.may(P::ComplaintRead) && writer.may(P::EventRead));
        let reader = holder.acting(P::ComplaintRead).unwrap();
        assert_eq!(reader.scope, BranchScope::only([1, 2].map(Uuid::from_u128)));
        assert!(reader.may(P::ComplaintRead) && !reader.may(P::ComplaintWrite), "it would write in branch 2");
        let listener = holder.acting(P::EventRead).unwrap();
        assert!(listener.scope.is_all() && !listener.may(P::ComplaintRead));
        assert!(holder.acting(P::CustomerRead).is_none());
    }

    #[test]
    fn nobody_may_in_any_call_what_no_power_allows_there() {
        let sets: [&[P]; 4] = [&[P::ComplaintRead], &[P::ComplaintWrite], &[P::ComplaintRead, P::EventRead], &[]];
        let places: [Option<&[u128]>; 4] = [None, Some(&[1]), Some(&[1, 2]), Some(&[3])];
        let all: Vec<Power> = sets.iter().flat_map(|set| places.iter().map(|place| power(set, *place))).collect();
        let needed = [P::ComplaintRead, P::ComplaintWrite, P::EventRead];
        for (a, b) in all.iter().flat_map(|a| all.iter().map(move |b| (a, b))) {
            let holder = Holder::with_powers(Principal::anonymous(), &[a.clone(), b.clone()]);
            for acting in needed.into_iter().filter_map(|permission| holder.acting(permission)) {
                for branch in [1, 2, 3, 4].map(Uuid::from_u128).into_iter().filter(|id| acting.scope.allows(*id)) {
                    for held in acting.permissions.iter() {
                        let allows = |power: &Power| power.permissions.contains(held) && power.scope.allows(branch);
                        assert!(allows(a) || allows(b), "{held} in {branch} from {a:?} and {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn who_may_the_same_everywhere_acts_as_a_whole() {
        let one = Principal { permissions: [P::EventRead].into_iter().collect(), ..Principal::anonymous() };
        let holder = Holder::of(one.clone());
        assert_eq!(holder.acting(P::EventRead), Some(&one));
        assert_eq!(holder.acting(P::EventAdmin), None);
    }
}
