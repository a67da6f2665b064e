//! Reading tickets: every query, each bound by the scope of who asks. Writing is the write path's alone.

mod clock_rows;
mod remedies;
mod remedy_rows;
mod rows;
pub(crate) mod rules;
pub mod search;
mod sql;
mod statistics;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use ::store::{Db, Loader, Reader, Result, args};
use commit::{Aggregate, Corrupt, KeyRing};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use crate::domain::complaint::Complaint;
use crate::domain::follow_up::{FollowUp, FollowUpState};
use crate::domain::history::HistoryEntry;
use crate::domain::interaction::Interaction;
use crate::domain::lifecycle::State;
use crate::domain::{BranchId, CaseFile, ComplaintId, CustomerId, FollowUpId, InteractionId, StaffId};
use rows::{COMPLAINT, ComplaintRow, FollowUpRow, HistoryRow, InteractionRow};

pub use sql::ALL as STATEMENTS;
pub use statistics::{Count, Statistics, StatisticsFilter};

/// Follow-ups that the timer fires in one go; what is left comes right after.
const DUE_LIMIT: i64 = 500;

/// From an instant on and before another one, microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant within.
    pub from_us: i64,
    /// The first instant after.
    pub before_us: i64,
}

impl Span {
    /// From `from_us` on and before `before_us`; what is not said is not bounded.
    pub fn new(from_us: Option<i64>, before_us: Option<i64>) -> Self {
        Self { from_us: from_us.unwrap_or(i64::MIN), before_us: before_us.unwrap_or(i64::MAX) }
    }
}

/// Which complaints to list.
#[derive(Clone, Debug)]
pub struct ComplaintFilter {
    /// Only those in one of these states; empty means all.
    pub states: Vec<State>,
    /// Only those of this branch.
    pub branch: Option<BranchId>,
    /// Only those of this customer.
    pub customer: Option<CustomerId>,
    /// Only those of this owner.
    pub owner: Option<StaffId>,
    /// Only those opened within.
    pub opened: Span,
}

/// Which follow-ups to list.
#[derive(Clone, Debug)]
pub struct FollowUpFilter {
    /// Only those in one of these states; empty means those that are open.
    pub states: Vec<FollowUpState>,
    /// Only those of this branch.
    pub branch: Option<BranchId>,
    /// Only those due before.
    pub due_before_us: Option<i64>,
}

/// A page of a list and the token of the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// The read side of the service. Cheap to clone.
#[derive(Clone)]
pub struct Reads {
    reader: Reader,
    complaints: Loader<ComplaintRow>,
    keys: KeyRing,
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Reads {
    /// Reads from `db`. Call it within a runtime: gets by id that arrive together are answered together.
    pub fn new(db: Db, keys: KeyRing) -> Self {
        let reader = Reader::from(db);
        let complaints = Loader::start(reader.clone(), &COMPLAINT, |row: &ComplaintRow| row.id);
        Self { reader, complaints, keys }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.ping().await
    }

    /// The complaint with this id, if the scope reaches it.
    pub async fn find_complaint(&self, id: ComplaintId, scope: &BranchScope) -> Result<Option<Complaint>> {
        let Some(row) = self.complaints.get(id.uuid(), scope).await? else { return Ok(None) };
        Complaint::from_row(Arc::unwrap_or_clone(row)).map_err(corrupt).map(Some)
    }

    /// The complaint with its follow-ups, if the scope reaches it.
    pub async fn find_file(&self, id: ComplaintId, scope: &BranchScope) -> Result<Option<CaseFile>> {
        let Some(complaint) = self.find_complaint(id, scope).await? else { return Ok(None) };
        Ok(self.with_follow_ups(vec![complaint], scope).await?.pop())
    }

    /// Complaints, newest first.
    pub async fn list_complaints(
        &self,
        filter: &ComplaintFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<CaseFile>> {
        let states: &[State] = if filter.states.is_empty() { State::ALL } else { &filter.states };
        let states: Vec<String> = states.iter().map(|state| state.code().to_owned()).collect();
        // Who reaches one branch walks the index of that branch.
        let only = match scope.branches() {
            [only] => Some(*only),
            _ => None,
        };
        let branch = filter.branch.map(BranchId::uuid).or(only);
        let last = page.after.unwrap_or(Cursor { sort: i64::MAX, id: Uuid::max() });
        let sql = match (filter.customer, filter.owner, branch) {
            (Some(_), _, _) => sql::COMPLAINTS_OF_CUSTOMER,
            (_, Some(_), _) => sql::COMPLAINTS_OF_OWNER,
            (_, _, Some(_)) => sql::COMPLAINTS_OF_BRANCH,
            _ => sql::COMPLAINTS,
        };
        let rows: Vec<ComplaintRow> = self
            .reader
            .within(scope)
            .fetch_all(
                sql,
                args![
                    scope.is_all(),
                    scope.branches(),
                    states.as_slice(),
                    branch,
                    filter.customer.map(CustomerId::uuid),
                    filter.owner.map(StaffId::uuid),
                    filter.opened.from_us,
                    filter.opened.before_us,
                    last.sort,
                    last.id,
                    page.limit(),
                ],
            )
            .await?;
        let mut complaints: Vec<Complaint> = all(rows)?;
        let next = page.cut(&mut complaints, |last: &Complaint| Cursor { sort: last.opened_at_us, id: last.id.uuid() });
        Ok(Page { items: self.with_follow_ups(complaints, scope).await?, next })
    }

    /// Adds the follow-ups of all complaints with one query.
    pub(crate) async fn with_follow_ups(
        &self,
        complaints: Vec<Complaint>,
        scope: &BranchScope,
    ) -> Result<Vec<CaseFile>> {
        let ids: Vec<Uuid> =
            complaints.iter().flat_map(|complaint| &complaint.story.follow_ups).map(|id| id.uuid()).collect();
        let mut found: HashMap<ComplaintId, Vec<FollowUp>> = HashMap::new();
        if !ids.is_empty() {
            let rows: Vec<FollowUpRow> =
                self.reader.within(scope).fetch_all(sql::FOLLOW_UPS_BY_ID, args![&ids]).await?;
            for follow_up in all::<FollowUp>(rows)? {
                found.entry(follow_up.complaint).or_default().push(follow_up);
            }
        }
        let file = |complaint: Complaint| {
            let follow_ups = found.remove(&complaint.id).unwrap_or_default();
            CaseFile { complaint, follow_ups }
        };
        Ok(complaints.into_iter().map(file).collect())
    }

    /// The steps of a complaint, oldest first. Ask [`Self::find_complaint`] first whether the caller may see it.
    pub async fn list_history(
        &self,
        complaint: ComplaintId,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<HistoryEntry>> {
        let after = page.after.map_or(0, |last| last.sort);
        let rows: Vec<HistoryRow> =
            self.reader.within(scope).fetch_all(sql::HISTORY, args![complaint.uuid(), after, page.limit()]).await?;
        let entries = rows.into_iter().map(HistoryEntry::try_from);
        let mut items = entries.collect::<Result<Vec<_>, _>>().map_err(corrupt)?;
        let next = page.cut(&mut items, |last: &HistoryEntry| Cursor { sort: last.version, id: complaint.uuid() });
        Ok(Page { items, next })
    }

    /// The words about a complaint, oldest first. Ask [`Self::find_complaint`] first whether the caller may see it.
    pub async fn list_interactions(
        &self,
        complaint: ComplaintId,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Interaction>> {
        let after = page.after.map_or(0, |last| last.sort);
        let rows: Vec<InteractionRow> = self
            .reader
            .within(scope)
            .fetch_all(sql::INTERACTIONS, args![complaint.uuid(), after, page.limit()])
            .await?;
        let mut items = self.opened(rows).await?;
        let next = page.cut(&mut items, |last: &Interaction| Cursor { sort: last.seq, id: last.id.uuid() });
        Ok(Page { items, next })
    }

    /// The words with this id. Ask [`Self::find_complaint`] first whether the caller may see their complaint.
    pub async fn find_interaction(&self, id: InteractionId, scope: &BranchScope) -> Result<Option<Interaction>> {
        let row: Option<InteractionRow> =
            self.reader.within(scope).fetch_optional(sql::INTERACTION, args![id.uuid()]).await?;
        Ok(self.opened(row.into_iter().collect()).await?.pop())
    }

    /// Words as they were said; those of an erased customer are empty.
    async fn opened(&self, rows: Vec<InteractionRow>) -> Result<Vec<Interaction>> {
        let sealed: Vec<_> = rows.iter().map(|row| (row.subject_id, row.id, row.body.as_slice())).collect();
        let bodies = self.keys.open("interaction", "body", &sealed).await?;
        let (places, sealed): (Vec<usize>, Vec<_>) = rows
            .iter()
            .enumerate()
            .filter_map(|(place, row)| Some((place, (row.subject_id, row.id, row.extras.as_deref()?))))
            .unzip();
        let extras = self.keys.open("interaction", "extras", &sealed).await?;
        let mut items: Vec<Interaction> = all(rows)?;
        for (item, body) in items.iter_mut().zip(bodies) {
            item.words.body = body.unwrap_or_default();
        }
        for (place, extras) in places.into_iter().zip(extras) {
            let Some(text) = extras else { continue };
            let broken = |error| corrupt(Corrupt(format!("interaction {}: extras: {error}", items[place].id.uuid())));
            items[place].words.extras = serde_json::from_str(&text).map_err(broken)?;
        }
        Ok(items)
    }

    /// Up to `limit` complaints of a customer that still hold words.
    pub async fn list_to_erase(&self, customer: Uuid, limit: i64) -> Result<Vec<ComplaintId>> {
        let rows: Vec<(Uuid,)> =
            self.reader.within(&BranchScope::All).fetch_all(sql::COMPLAINTS_TO_ERASE, args![customer, limit]).await?;
        Ok(rows.into_iter().map(|(id,)| ComplaintId(id)).collect())
    }

    /// Follow-ups, first due first.
    pub async fn list_follow_ups(
        &self,
        filter: &FollowUpFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<FollowUp>> {
        let wanted = |state: &&FollowUpState| match filter.states.as_slice() {
            [] => state.is_open(),
            states => states.contains(state),
        };
        let states: Vec<String> =
            FollowUpState::ALL.iter().filter(wanted).map(|state| state.code().to_owned()).collect();
        let last = page.after.unwrap_or(Cursor { sort: i64::MIN, id: Uuid::nil() });
        let rows: Vec<FollowUpRow> = self
            .reader
            .within(scope)
            .fetch_all(
                sql::FOLLOW_UPS,
                args![
                    scope.is_all(),
                    scope.branches(),
                    states.as_slice(),
                    filter.branch.map(BranchId::uuid),
                    filter.due_before_us.unwrap_or(i64::MAX),
                    last.sort,
                    last.id,
                    page.limit(),
                ],
            )
            .await?;
        let mut items: Vec<FollowUp> = all(rows)?;
        let next = page.cut(&mut items, |last: &FollowUp| Cursor { sort: last.due_at_us, id: last.id.uuid() });
        Ok(Page { items, next })
    }

    /// Follow-ups whose time has come at `now_us`, first due first, at most [`DUE_LIMIT`].
    pub async fn list_due(&self, now_us: i64) -> Result<Vec<FollowUpId>> {
        let reader = self.reader.beyond_scope();
        let rows: Vec<(Uuid,)> = reader.fetch_all(sql::FOLLOW_UPS_DUE, args![now_us, DUE_LIMIT]).await?;
        Ok(rows.into_iter().map(|(id,)| FollowUpId(id)).collect())
    }
}

fn all<A: Aggregate>(rows: Vec<A::Row>) -> Result<Vec<A>> {
    rows.into_iter().map(A::from_row).collect::<Result<_, _>>().map_err(corrupt)
}

fn corrupt(error: Corrupt) -> ::store::Error {
    ::store::Error::Faulty(sqlx::Error::Decode(Box::new(error)))
}
