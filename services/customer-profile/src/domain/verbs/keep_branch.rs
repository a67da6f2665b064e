//! What the owner of branches told of one of them.

use commit::Verb;

use crate::Profile;
use crate::domain::{Branch, BranchId, Cx, Desk, Stop};

/// Keeps what is known of a branch.
#[derive(Clone, Debug)]
pub enum KeepBranch {
    /// It was created or changed.
    Stands {
        /// Which.
        branch: BranchId,
        /// BCP 47 tag of its language; may be empty.
        locale: String,
    },
    /// It was closed for good.
    Closed {
        /// Which.
        branch: BranchId,
    },
}

impl Verb<Profile> for KeepBranch {
    type Reply = ();

    fn decide(&self, w: &mut Desk, _: &mut Cx<'_>) -> Result<(), Stop> {
        match self {
            Self::Stands { branch: id, locale } => {
                if let Some(branch) = w.branches.edit(*id)? {
                    branch.locale.clone_from(locale);
                } else {
                    w.branches.insert(Branch { id: *id, version: 0, locale: locale.clone(), closed: false });
                }
            }
            Self::Closed { branch: id } => {
                if let Some(branch) = w.branches.edit(*id)? {
                    branch.closed = true;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::{Desks, HERE, NEW};
    use super::*;

    #[test]
    fn a_branch_is_kept_changed_and_closed() {
        let mut desks = Desks::new();
        for verb in [
            KeepBranch::Stands { branch: NEW, locale: "en".to_owned() },
            KeepBranch::Stands { branch: HERE, locale: "fr".to_owned() },
            KeepBranch::Closed { branch: HERE },
        ] {
            desks.decide(&verb).unwrap();
        }
        assert_eq!(desks.world.branches.get(NEW).unwrap().unwrap().locale, "en");
        let here = desks.world.branches.get(HERE).unwrap().unwrap();
        assert_eq!((here.locale.as_str(), here.closed), ("fr", true));
    }
}
