//! What the owner of branches told of one of them.

use commit::Verb;

use crate::Loyalty;
use crate::domain::{Books, Branch, BranchId, Cx, Stop};

/// Keeps what is known of a branch.
#[derive(Clone, Debug)]
pub enum KeepBranch {
    /// It was created or changed.
    Stands {
        /// Which.
        branch: BranchId,
        /// Its IANA time zone.
        time_zone: String,
    },
    /// It was closed for good.
    Closed {
        /// Which.
        branch: BranchId,
    },
}

impl Verb<Loyalty> for KeepBranch {
    type Reply = ();

    fn decide(&self, w: &mut Books, _: &mut Cx<'_>) -> Result<(), Stop> {
        match self {
            Self::Stands { branch: id, time_zone } => {
                if let Some(branch) = w.branches.edit(*id)? {
                    branch.time_zone.clone_from(time_zone);
                } else {
                    w.branches.insert(Branch { id: *id, version: 0, time_zone: time_zone.clone(), closed: false });
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
mod tests {
    use super::*;
    use crate::domain::verbs::testing::{HERE, Till, terms};

    #[test]
    fn a_branch_is_kept_changed_and_closed() {
        let mut till = Till::open(terms());
        let new = BranchId(uuid::Uuid::from_u128(77));
        for verb in [
            KeepBranch::Stands { branch: new, time_zone: "Europe/London".to_owned() },
            KeepBranch::Stands { branch: HERE, time_zone: "Asia/Kathmandu".to_owned() },
            KeepBranch::Closed { branch: HERE },
        ] {
            till.stage.play(&verb).unwrap();
        }
        let kept = |till: &mut Till, id| till.stage.world.branches.get(id).unwrap().unwrap().clone();
        assert_eq!(
            kept(&mut till, new),
            Branch { id: new, version: 1, time_zone: "Europe/London".to_owned(), closed: false }
        );
        assert_eq!((kept(&mut till, HERE).time_zone.as_str(), kept(&mut till, HERE).closed), ("Asia/Kathmandu", true));
    }
}
