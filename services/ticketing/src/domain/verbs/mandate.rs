//! Put mandate: a branch says how much whom it trusts with, and what it may spend.

use commit::{Verb, ensure};
use kernel::BranchScope;

use crate::Ticketing;
use crate::domain::mandate::{Allowance, Mandate, Rule};
use crate::domain::{BranchId, Cx, Desk, Outcome, Refusal};

/// This holds for the branch and everything below it.
#[derive(Clone, Debug)]
pub struct PutMandate {
    /// What the caller reaches.
    pub scope: BranchScope,
    /// The branch.
    pub branch: BranchId,
    /// The version that the caller knows; `None` does not check.
    pub expected_version: Option<i64>,
    /// How much it trusts whom with.
    pub rules: Vec<Rule>,
    /// What it may spend.
    pub allowances: Vec<Allowance>,
}

impl Verb<Ticketing> for PutMandate {
    type Reply = Mandate;

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<Mandate> {
        ensure!(self.scope.allows(self.branch.uuid()), Refusal::BranchUnknown);
        let known = desk.branches.get(self.branch)?.is_some();
        ensure!(known, Refusal::BranchUnknown);
        let old = desk.mandates.get(self.branch)?.cloned();
        let current = old.as_ref().map_or(0, |old| old.version);
        ensure!(self.expected_version.is_none_or(|known| known == current), Refusal::VersionMismatch { current });
        let mandate = Mandate {
            branch: self.branch,
            // As it will be saved: nothing is told, so that it counts up once.
            version: current + 1,
            rules: self.rules.clone(),
            allowances: self.allowances.clone(),
            created_at_us: old.map_or(cx.now_us, |old| old.created_at_us),
            updated_at_us: cx.now_us,
        };
        Ok(desk.mandates.insert(mandate).clone())
    }
}
