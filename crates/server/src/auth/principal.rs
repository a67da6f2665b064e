//! Who a call is made for: subject, kind, permissions and branch scope. A value without checks of its own.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use kernel::BranchScope;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What kind of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An API key: a program of the business.
    Key,
    /// A member of staff.
    Staff,
    /// A customer with a narrow token of their own.
    Customer,
    /// Nobody known: a caller of a public method.
    Anonymous,
    /// Karibu itself: the only kind that may call internal methods.
    System,
}

impl Kind {
    /// Its word in the audit trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Staff => "staff",
            Self::Customer => "customer",
            Self::Anonymous => "anonymous",
            Self::System => "system",
        }
    }
}

/// A set of permissions: numbers of the proto enum, 0 to 127.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct PermissionSet(u128);

impl PermissionSet {
    /// The set with nothing in it.
    pub const NONE: Self = Self(0);
    /// Every permission that there is or may come.
    pub const ALL: Self = Self(u128::MAX);

    /// Whether `permission` is in the set. Numbers outside of 0..=127 never are.
    pub fn contains(&self, permission: i32) -> bool {
        bit(permission).is_some_and(|bit| self.0 & bit != 0)
    }

    /// Adds a permission; numbers outside of 0..=127 are ignored.
    pub fn insert(&mut self, permission: i32) {
        self.0 |= bit(permission).unwrap_or(0);
    }

    /// The numbers in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = i32> + '_ {
        (0..128).filter(|number| self.contains(*number))
    }
}

fn bit(permission: i32) -> Option<u128> {
    u32::try_from(permission).ok().and_then(|shift| 1_u128.checked_shl(shift))
}

impl<P: Into<i32>> FromIterator<P> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = P>>(permissions: I) -> Self {
        let mut set = Self::NONE;
        permissions.into_iter().for_each(|permission| set.insert(permission.into()));
        set
    }
}

impl fmt::Debug for PermissionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl Serialize for PermissionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for PermissionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<i32>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// The caller of a request. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Stable id of the caller: key id, staff id, customer id, or the name of a part of Karibu.
    pub subject: Arc<str>,
    /// What kind of caller it is.
    pub kind: Kind,
    /// What it may do.
    pub permissions: PermissionSet,
    /// Where it may do it.
    pub scope: BranchScope,
}

impl Principal {
    /// A part of Karibu itself, allowed everything everywhere.
    pub fn system(name: &str) -> Self {
        let subject = format!("system:{name}").into();
        Self { subject, kind: Kind::System, permissions: PermissionSet::ALL, scope: BranchScope::All }
    }

    /// Nobody known: may call public methods and nothing else.
    pub fn anonymous() -> Self {
        Self {
            subject: "anonymous".into(),
            kind: Kind::Anonymous,
            permissions: PermissionSet::NONE,
            scope: BranchScope::only([]),
        }
    }

    /// Whether the caller holds `permission` (a number of the proto enum).
    pub fn may(&self, permission: impl Into<i32>) -> bool {
        self.permissions.contains(permission.into())
    }
}

impl Hash for Principal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.subject, self.kind, self.permissions, self.scope.is_all(), self.scope.branches()).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_out_of_range() {
        let set: PermissionSet = [0, 7, 127, 128, -1].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 7, 127]);
        assert!(!set.contains(128) && !set.contains(-1) && !PermissionSet::ALL.contains(128));
    }
}
