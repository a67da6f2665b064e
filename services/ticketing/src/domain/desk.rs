//! The desk: everything that the verbs of ticketing can ask for and change, how a verb takes up the
//! complaint that it is about, and the case file that it hands back.

use commit::{Claims, Log, Missing, Slot, Stop, ensure, refuse};
use kernel::BranchScope;

use super::branch::Branch;
use super::budget::{Budget, BudgetEntry};
use super::complaint::Complaint;
use super::deadline::Deadline;
use super::follow_up::FollowUp;
use super::history::HistoryEntry;
use super::interaction::Interaction;
use super::lifecycle::{Command, State};
use super::mandate::Mandate;
use super::number::Counter;
use super::routing::{Affinity, Roster};
use super::search::{ComplaintWord, SearchIndex};
use super::sla::SlaPolicy;
use super::sla::rules::{BranchHours, RuleBook};
use super::staff::Staff;
use super::tally::Tally;
use super::template::Template;
use super::{BranchId, ComplaintId, Refusal};

commit::world! {
    /// Everything that the verbs of ticketing can ask for and change.
    pub struct Desk {
        /// Complaints.
        pub complaints: Slot<Complaint>,
        /// When customers are asked again.
        pub follow_ups: Slot<FollowUp>,
        /// Words on record.
        pub interactions: Slot<Interaction>,
        /// Who did what.
        pub history: Log<HistoryEntry>,
        /// The branches of the business.
        pub branches: Slot<Branch>,
        /// What is promised for which cases.
        pub sla_policies: Slot<SlaPolicy>,
        /// The count of changes of policies and hours.
        pub rule_books: Slot<RuleBook>,
        /// The hours of the branches over time.
        pub branch_hours: Log<BranchHours>,
        /// Words by which complaints are found.
        pub complaint_words: Log<ComplaintWord>,
        /// How far the index of words has come.
        pub search_indexes: Slot<SearchIndex>,
        /// The numbers given.
        pub counters: Slot<Counter>,
        /// What branches trust their people with.
        pub mandates: Slot<Mandate>,
        /// What of it was used.
        pub budgets: Slot<Budget>,
        /// How it came to that.
        pub budget_entries: Log<BudgetEntry>,
        /// What customers got and people promised.
        pub tallies: Slot<Tally>,
        /// Times at which somebody must look again.
        pub deadlines: Slot<Deadline>,
        /// Texts of ours.
        pub templates: Slot<Template>,
        /// Who works here.
        pub staff: Slot<Staff>,
        /// Who works where.
        pub rosters: Slot<Roster>,
        /// Who last satisfied whom.
        pub affinities: Slot<Affinity>,
        /// Who holds a natural key: historical cases and external messages.
        pub claims: Claims,
    }
}

/// The complaint that a command is about, as its caller sees it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The complaint.
    pub complaint: ComplaintId,
    /// What the caller reaches.
    pub scope: BranchScope,
    /// The version that the caller knows; `None` does not check.
    pub expected_version: Option<i64>,
}

impl Case {
    /// The complaint, when the caller may see it; one out of reach looks like one that is not there.
    pub fn see<'w>(&self, complaints: &'w mut Slot<Complaint>) -> Result<&'w Complaint, Stop<Refusal>> {
        let found = complaints.get(self.complaint)?.filter(|found| self.scope.allows(found.branch.uuid()));
        found.ok_or(Stop::Refused(Refusal::ComplaintNotFound))
    }

    /// A draft of the complaint and the state that `command` leads to. Refuses when the caller may not see
    /// it, knows an older version, or the command does not fit. The only way in which a verb that people
    /// ask for changes a complaint that is there.
    pub fn take<'w>(
        &self,
        complaints: &'w mut Slot<Complaint>,
        command: Command,
    ) -> Result<(&'w mut Complaint, State), Stop<Refusal>> {
        let Complaint { version: current, state, .. } = *self.see(complaints)?;
        ensure!(self.expected_version.is_none_or(|expected| expected == current), Refusal::VersionMismatch { current });
        let Some(next) = state.after(command) else { refuse!(Refusal::WrongState { command, state }) };
        let draft = complaints.edit(self.complaint)?.ok_or(Stop::Refused(Refusal::ComplaintNotFound))?;
        Ok((draft, next))
    }
}

/// The branch, which must be known: one that the organization has just made may be a moment away.
pub fn branch_of(branches: &mut Slot<Branch>, branch: BranchId) -> Result<&Branch, Stop<Refusal>> {
    branches.get(branch)?.ok_or(Stop::Refused(Refusal::BranchUnknown))
}

/// A complaint with its follow-ups: what most verbs hand back.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseFile {
    /// The complaint.
    pub complaint: Complaint,
    /// Its follow-ups, oldest first.
    pub follow_ups: Vec<FollowUp>,
}

impl CaseFile {
    /// The file of `complaint` as it stands.
    pub fn of(complaint: &Complaint, follow_ups: &mut Slot<FollowUp>) -> Result<Self, Missing> {
        let follow_ups = all_of(follow_ups, &complaint.story.follow_ups)?;
        Ok(Self { complaint: complaint.clone(), follow_ups })
    }
}

/// The aggregates with these ids. All are asked for before any is missed, so they are loaded together.
pub fn all_of<A: commit::Aggregate, I: Copy + Into<uuid::Uuid>>(
    slot: &mut Slot<A>,
    ids: &[I],
) -> Result<Vec<A>, Missing> {
    let asked: Vec<Result<Option<A>, Missing>> = ids.iter().map(|id| Ok(slot.get(*id)?.cloned())).collect();
    Ok(asked.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}
