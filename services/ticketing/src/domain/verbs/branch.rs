//! What the organization tells about its branches is noted here: made, changed, closed.

use calendar::CalendarSpec;
use commit::Verb;
use kernel::Currency;

use crate::Ticketing;
use crate::domain::branch::Branch;
use crate::domain::sla::rules::{BranchHours, RuleBook};
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
    /// The branch above it.
    pub parent: Option<BranchId>,
    /// Its opening hours; `None` is day and night.
    pub calendar: Option<CalendarSpec>,
}

impl Verb<Ticketing> for PutBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        if desk.branches.get(self.branch)?.is_none() {
            desk.branches.insert(Branch {
                id: self.branch,
                version: 0,
                code: self.code.clone(),
                time_zone: self.time_zone.clone(),
                currency: self.currency,
                closed: false,
                parent: self.parent,
                calendar: self.calendar.clone(),
            });
            if self.calendar.is_some() {
                // A branch has had the hours that it begins with from its beginning.
                let hours = BranchHours { branch: self.branch, since_us: 0, calendar: self.calendar.clone() };
                desk.branch_hours.push(hours);
            }
            let is_asked_for = self.parent.is_some() && !cx.settings.policies.is_empty();
            if self.calendar.is_some() || is_asked_for {
                cx.settings_changed();
            }
        }
        Ok(())
    }
}

/// A branch changed. What had passed by its earlier hours stays so; open clocks are reckoned anew.
#[derive(Clone, Debug)]
pub struct UpdateBranch {
    /// The branch.
    pub branch: BranchId,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its currency.
    pub currency: Currency,
    /// Its opening hours; `None` is day and night.
    pub calendar: Option<CalendarSpec>,
}

impl Verb<Ticketing> for UpdateBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let Some(branch) = desk.branches.edit(self.branch)? else { return Ok(()) };
        branch.time_zone.clone_from(&self.time_zone);
        branch.currency = self.currency;
        if branch.calendar != self.calendar {
            branch.calendar.clone_from(&self.calendar);
            RuleBook::note_change(&mut desk.rule_books, cx)?;
            let hours = BranchHours { branch: self.branch, since_us: cx.now_us, calendar: self.calendar.clone() };
            desk.branch_hours.push(hours);
        }
        Ok(())
    }
}

/// A branch lies below another one now. What follows from that (policies, who approves, where it escalates) is asked anew.
#[derive(Clone, Debug)]
pub struct MoveBranch {
    /// The branch.
    pub branch: BranchId,
    /// The branch above it.
    pub parent: Option<BranchId>,
}

impl Verb<Ticketing> for MoveBranch {
    type Reply = ();

    fn decide(&self, desk: &mut Desk, cx: &mut Cx<'_>) -> Outcome<()> {
        let Some(branch) = desk.branches.edit(self.branch)? else { return Ok(()) };
        if branch.parent != self.parent {
            branch.parent = self.parent;
            RuleBook::note_change(&mut desk.rule_books, cx)?;
            cx.settings_changed();
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
    use crate::domain::stage::{KIGALI, LONDON, Stage};

    #[test]
    fn what_was_told_last_holds() {
        let mut stage = Stage::new();
        let currency = "GBP".parse().unwrap();
        stage
            .play(&UpdateBranch { branch: KIGALI, time_zone: "Europe/London".to_owned(), currency, calendar: None })
            .unwrap();
        stage.play(&MoveBranch { branch: KIGALI, parent: Some(LONDON) }).unwrap();
        stage.play(&CloseBranch { branch: KIGALI }).unwrap();
        let branch = stage.branch(KIGALI);
        assert_eq!((branch.code.as_str(), branch.currency, branch.closed), ("KGL-1", currency, true));
        assert_eq!(branch.parent, Some(LONDON));
    }
}
