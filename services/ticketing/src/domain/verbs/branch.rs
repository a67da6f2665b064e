//! What the organization tells about its branches is noted here: made, changed, closed.

use commit::Verb;
use kernel::Currency;

use crate::Ticketing;
use crate::domain::branch::Branch;
use crate::domain::{BranchId, Cx, Desk, Outcome};

/// There is a branch.
#[derive(Clone, Debug)]
pub struct PutBranch {
    /// The branch.
    pub branch: BranchId,
    /// Its code.
    pub code: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: Currency,
}

impl Verb<Ticketing> for PutBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, _: &mut Cx<'_>) -> Outcome<()> {
        if desk.branches.get(self.branch)?.is_none() {
            desk.branches.insert(Branch {
                id: self.branch,
                version: 0,
                code: self.code.clone(),
                time_zone: self.time_zone.clone(),
                currency: self.currency,
                closed: false,
            });
        }
        Ok(())
    }
}

/// A branch changed. Times that were reckoned before stay as they are.
#[derive(Clone, Debug)]
pub struct UpdateBranch {
    /// The branch.
    pub branch: BranchId,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: Currency,
}

impl Verb<Ticketing> for UpdateBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, _: &mut Cx<'_>) -> Outcome<()> {
        if let Some(branch) = desk.branches.edit(self.branch)? {
            branch.time_zone.clone_from(&self.time_zone);
            branch.currency = self.currency;
        }
        Ok(())
    }
}

/// A branch takes no new complaints; those it has go on.
#[derive(Clone, Debug)]
pub struct CloseBranch {
    /// The branch.
    pub branch: BranchId,
}

impl Verb<Ticketing> for CloseBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, _: &mut Cx<'_>) -> Outcome<()> {
        if let Some(branch) = desk.branches.edit(self.branch)? {
            branch.closed = true;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::stage::{KIGALI, Stage};

    #[test]
    fn what_was_told_last_holds() {
        let mut stage = Stage::new();
        let currency = "GBP".parse().unwrap();
        stage.play(&UpdateBranch { branch: KIGALI, time_zone: "Europe/London".to_owned(), currency }).unwrap();
        stage.play(&CloseBranch { branch: KIGALI }).unwrap();
        let branch = stage.branch(KIGALI);
        assert_eq!((branch.code.as_str(), branch.currency, branch.closed), ("KGL-1", currency, true));
    }
}
