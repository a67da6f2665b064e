//! Permissions, the default table of roles of every installation, and the reach of one grant compared with another.

use std::collections::BTreeSet;

use kernel::BranchScope;
use uuid::Uuid;

use super::Refusal;

/// Declares the permissions with their numbers in the contract.
macro_rules! permissions {
    ($($name:ident = $number:literal),+ $(,)?) => {
        /// What a caller must be allowed to do. Numbers and meaning are those of the contract
        /// (`karibu.options.v1.Permission`); a test compares the two.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Permission { $($name = $number),+ }

        impl Permission {
            /// Every permission that a role can carry.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its number in the contract.
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// The permission with this number, if a role can carry it.
            pub fn find(number: i32) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.number() == number)
            }
        }
    };
}

permissions! {
    OrganizationRead = 10, OrganizationWrite = 11, ApiKeyAdmin = 12,
    StaffWrite = 13, StaffSelfWrite = 14, RoleAdmin = 15,
    CustomerRead = 20, CustomerWrite = 21, PurchaseRead = 22, PurchaseWrite = 23,
    CustomerTokenWrite = 24, CustomerErase = 25,
    ComplaintRead = 30, ComplaintWrite = 31, ComplaintImport = 32, CompensationApprove = 33,
    KnowledgeRead = 34, KnowledgeWrite = 35,
    SurveyRead = 40, SurveyWrite = 41, ResponseRead = 42, ResponseSubmit = 43, InvitationWrite = 44,
    LoyaltyRead = 50, LoyaltyWrite = 51, LoyaltyAdjust = 52,
    EventRead = 60, EventAdmin = 61, AuditRead = 62,
}

/// A role that every installation has, as it is until the business changes it.
#[derive(Debug)]
pub struct DefaultRole {
    /// Its code.
    pub code: &'static str,
    /// Name for people.
    pub display_name: &'static str,
    /// What it allows.
    pub permissions: &'static [Permission],
}

/// The role that may do everything.
pub const ADMIN: &str = "admin";

use Permission as P;

/// Every default role, by code.
pub const DEFAULT_ROLES: &[DefaultRole] = &[
    DefaultRole { code: ADMIN, display_name: "Administrator", permissions: Permission::ALL },
    // The front line: serves customers and handles their complaints, within its own limit of compensation.
    DefaultRole {
        code: "agent",
        display_name: "Agent",
        permissions: &[
            P::OrganizationRead,
            P::StaffSelfWrite,
            P::CustomerRead,
            P::CustomerWrite,
            P::PurchaseRead,
            P::PurchaseWrite,
            P::ComplaintRead,
            P::ComplaintWrite,
            P::KnowledgeRead,
            P::SurveyRead,
            P::ResponseSubmit,
            P::LoyaltyRead,
        ],
    },
    // Sees everything that matters for an audit and changes nothing.
    DefaultRole {
        code: "auditor",
        display_name: "Auditor",
        permissions: &[
            P::OrganizationRead,
            P::CustomerRead,
            P::PurchaseRead,
            P::ComplaintRead,
            P::KnowledgeRead,
            P::SurveyRead,
            P::ResponseRead,
            P::LoyaltyRead,
            P::EventRead,
            P::AuditRead,
        ],
    },
    DefaultRole {
        code: "branch_manager",
        display_name: "Branch manager",
        permissions: &[
            P::OrganizationRead,
            P::StaffWrite,
            P::StaffSelfWrite,
            P::CustomerRead,
            P::CustomerWrite,
            P::PurchaseRead,
            P::PurchaseWrite,
            P::ComplaintRead,
            P::ComplaintWrite,
            P::CompensationApprove,
            P::KnowledgeRead,
            P::SurveyRead,
            P::ResponseRead,
            P::ResponseSubmit,
            P::LoyaltyRead,
            P::LoyaltyWrite,
            P::EventRead,
        ],
    },
    DefaultRole {
        code: "customer_care_lead",
        display_name: "Customer care lead",
        permissions: &[
            P::OrganizationRead,
            P::StaffWrite,
            P::StaffSelfWrite,
            P::CustomerRead,
            P::CustomerWrite,
            P::CustomerErase,
            P::CustomerTokenWrite,
            P::PurchaseRead,
            P::ComplaintRead,
            P::ComplaintWrite,
            P::ComplaintImport,
            P::CompensationApprove,
            P::KnowledgeRead,
            P::KnowledgeWrite,
            P::SurveyRead,
            P::ResponseRead,
            P::ResponseSubmit,
            P::LoyaltyRead,
            P::LoyaltyAdjust,
            P::EventRead,
        ],
    },
    // Programs beside Karibu: tills, importers, the notifier.
    DefaultRole {
        code: "integrator",
        display_name: "Integrator",
        permissions: &[
            P::OrganizationRead,
            P::CustomerRead,
            P::CustomerWrite,
            P::CustomerTokenWrite,
            P::PurchaseRead,
            P::PurchaseWrite,
            P::ComplaintRead,
            P::ComplaintWrite,
            P::ComplaintImport,
            P::SurveyRead,
            P::InvitationWrite,
            P::LoyaltyRead,
            P::EventRead,
        ],
    },
    DefaultRole {
        code: "marketing",
        display_name: "Marketing",
        permissions: &[
            P::OrganizationRead,
            P::StaffSelfWrite,
            P::CustomerRead,
            P::PurchaseRead,
            P::SurveyRead,
            P::SurveyWrite,
            P::ResponseRead,
            P::LoyaltyRead,
            P::LoyaltyWrite,
            P::EventRead,
        ],
    },
    DefaultRole {
        code: "region_manager",
        display_name: "Region manager",
        permissions: &[
            P::OrganizationRead,
            P::StaffWrite,
            P::StaffSelfWrite,
            P::CustomerRead,
            P::CustomerWrite,
            P::PurchaseRead,
            P::PurchaseWrite,
            P::ComplaintRead,
            P::ComplaintWrite,
            P::CompensationApprove,
            P::KnowledgeRead,
            P::KnowledgeWrite,
            P::SurveyRead,
            P::SurveyWrite,
            P::ResponseRead,
            P::ResponseSubmit,
            P::LoyaltyRead,
            P::LoyaltyWrite,
            P::LoyaltyAdjust,
            P::EventRead,
        ],
    },
];

/// The default role with this code.
pub(super) fn find_default_role(code: &str) -> Option<&'static DefaultRole> {
    DEFAULT_ROLES.iter().find(|role| role.code == code)
}

/// What the default roles with these codes allow together, unchanged; other codes allow nothing.
pub fn permissions_of<'a>(codes: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permission> {
    codes.into_iter().filter_map(find_default_role).flat_map(|role| role.permissions.iter().copied()).collect()
}

/// Where a grant holds: everywhere, or in the listed branches with everything below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Every branch.
    All,
    /// These branches and those below; never empty.
    Branches(Vec<Uuid>),
}

impl Reach {
    /// Reads the two fields of the contract, of which exactly one must be given.
    pub fn read(all_branches: bool, branch_ids: &[Uuid]) -> Result<Self, Refusal> {
        match (all_branches, branch_ids.is_empty()) {
            (true, true) => Ok(Self::All),
            (false, false) => Ok(Self::Branches(super::sorted(branch_ids))),
            _ => Err(Refusal::GrantUnclear),
        }
    }

    /// Whether someone of this scope may give it away. Scopes list the branches below too, so this needs no tree.
    pub fn is_within(&self, scope: &BranchScope) -> bool {
        match self {
            Self::All => scope.is_all(),
            Self::Branches(branches) => branches.iter().all(|branch| scope.allows(*branch)),
        }
    }

    /// Whether it holds everywhere.
    pub const fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The branches listed; empty when it holds everywhere.
    pub fn branches(&self) -> &[Uuid] {
        match self {
            Self::All => &[],
            Self::Branches(branches) => branches,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_by_code_and_only_admin_may_everything() {
        assert!(DEFAULT_ROLES.is_sorted_by_key(|role| role.code));
        for role in DEFAULT_ROLES {
            let distinct: BTreeSet<_> = role.permissions.iter().collect();
            assert_eq!(distinct.len(), role.permissions.len(), "{} lists a permission twice", role.code);
            assert_eq!(distinct.len() == Permission::ALL.len(), role.code == ADMIN, "{}", role.code);
        }
    }

    #[test]
    fn an_auditor_changes_nothing() {
        for permission in permissions_of(["auditor"]) {
            assert!(format!("{permission:?}").ends_with("Read"), "{permission:?}");
        }
    }

    #[test]
    fn roles_add_up_and_unknown_ones_give_nothing() {
        let both = permissions_of(["agent", "marketing", "king"]);
        assert!(both.contains(&P::ComplaintWrite) && both.contains(&P::SurveyWrite));
        assert!(permissions_of(["king"]).is_empty());
    }

    #[test]
    fn a_reach_is_all_or_some_and_nobody_gives_more_than_they_have() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(Reach::read(true, &[a]), Err(Refusal::GrantUnclear));
        assert_eq!(Reach::read(false, &[]), Err(Refusal::GrantUnclear));
        let some = Reach::Branches(vec![a, b]);
        assert_eq!(Reach::read(false, &[b, a, b]), Ok(some.clone()));
        assert!(some.is_within(&BranchScope::All) && some.is_within(&BranchScope::only([a, b])));
        assert!(!some.is_within(&BranchScope::only([a])));
        assert!(!Reach::All.is_within(&BranchScope::only([a, b])) && Reach::All.is_within(&BranchScope::All));
    }
}
