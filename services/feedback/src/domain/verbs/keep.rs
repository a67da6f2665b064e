//! Keeping what others decide: branches of the organization, and the secret of links.

use commit::{Cx, Stop, Verb};
use uuid::Uuid;

use crate::Feedback;
use crate::domain::{Branch, Desk, LINK_SECRET_ID, LinkSecret, Refusal};

/// A branch was created or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeepBranch {
    /// The branch.
    pub id: Uuid,
    /// The branch above; `None` leaves what is known.
    pub parent: Option<Uuid>,
    /// It is closed for good.
    pub closed: bool,
}

impl Verb<Feedback> for KeepBranch {
    type Reply = ();

    fn decide(&self, world: &mut Desk, _: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        if let Some(branch) = world.branches.edit(self.id)? {
            branch.parent = self.parent.or(branch.parent);
            branch.closed |= self.closed;
        } else {
            world.branches.insert(Branch { id: self.id, parent: self.parent, closed: self.closed, version: 0 });
        }
        Ok(())
    }
}

/// Keeps the secret of links unless one is kept already. The random bytes come from outside.
#[derive(Clone)]
pub struct KeepLinkSecret {
    /// 256 random bits.
    pub secret: [u8; 32],
}

impl Verb<Feedback> for KeepLinkSecret {
    type Reply = ();

    fn decide(&self, world: &mut Desk, _: &mut Cx<'_, Feedback>) -> Result<(), Stop<Refusal>> {
        if world.link_secrets.get(LINK_SECRET_ID)?.is_none() {
            world.link_secrets.insert(LinkSecret { secret: self.secret, version: 0 });
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use commit::Rehearsal;

    use super::*;
    use crate::domain::Settings;

    #[test]
    fn a_closed_branch_stays_known_with_its_parent() {
        let mut stage = Rehearsal::<Feedback>::new(Settings::default(), 1);
        let (id, parent) = (Uuid::from_u128(1), Some(Uuid::from_u128(2)));
        stage.play(&KeepBranch { id, parent, closed: false }).unwrap();
        stage.play(&KeepBranch { id, parent: None, closed: true }).unwrap();
        let branch = stage.world.branches.get(id).unwrap().unwrap();
        assert_eq!((branch.parent, branch.closed), (parent, true));
    }

    #[test]
    fn the_first_secret_stays() {
        let mut stage = Rehearsal::<Feedback>::new(Settings::default(), 1);
        stage.play(&KeepLinkSecret { secret: [1; 32] }).unwrap();
        stage.play(&KeepLinkSecret { secret: [2; 32] }).unwrap();
        assert_eq!(stage.world.link_secrets.get(LINK_SECRET_ID).unwrap().unwrap().secret, [1; 32]);
    }
}
