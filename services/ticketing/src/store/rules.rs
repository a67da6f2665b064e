//! Reading the rules by which clocks run: by the write path inside its transaction, and by queries beside it.

use std::collections::HashMap;
use std::sync::Arc;

use ::store::{Conn, Result, args};
use calendar::OpeningCalendar;
use commit::{Aggregate, Corrupt};
use kernel::{Cursor, PageRequest};
use uuid::Uuid;

use super::clock_rows::{BranchHoursRow, RuleBookRow, SlaPolicyRow};
use super::{Page, Reads, corrupt, sql};
use crate::domain::sla::hours::Spell;
use crate::domain::sla::rules::RuleBook;
use crate::domain::sla::{Rules, SlaPolicy};
use crate::domain::{BranchId, ComplaintId};

/// Cases whose clocks the timer looks at in one go; what is left comes right after.
const CLOCKS_DUE_LIMIT: i64 = 500;
/// Open cases that the job of recalculation reads in one go.
pub(crate) const SWEEP_LIMIT: i64 = 500;

/// The rules as they stand inside the transaction of a batch.
pub(crate) async fn settings(conn: &mut Conn) -> Result<Rules> {
    let book = conn.fetch_all(sql::RULE_BOOK, &[]).await?;
    let policies = conn.fetch_all(sql::SLA_POLICIES_IN_FORCE, &[]).await?;
    let hours = conn.fetch_all(sql::BRANCH_HOURS, &[]).await?;
    let parents = conn.fetch_all(sql::BRANCH_PARENTS, &[]).await?;
    rules(book, policies, hours, parents).map_err(corrupt)
}

fn rules(
    book: Vec<RuleBookRow>,
    policies: Vec<SlaPolicyRow>,
    hours: Vec<BranchHoursRow>,
    parents: Vec<(Uuid, Uuid)>,
) -> Result<Rules, Corrupt> {
    let book = book.into_iter().map(RuleBook::from_row).next().transpose()?;
    let mut known: HashMap<BranchId, Vec<Spell>> = HashMap::new();
    for row in hours {
        let calendar = row.calendar.map(|calendar| OpeningCalendar::new(calendar.0)).transpose();
        let calendar = calendar.map_err(|fault| Corrupt(format!("branch_hours {}: {fault}", row.branch_id)))?;
        let spell = Spell { since_us: row.since_us, calendar: calendar.map(Arc::new) };
        known.entry(BranchId(row.branch_id)).or_default().push(spell);
    }
    Ok(Rules {
        revision: book.map_or(0, |book| book.revision),
        policies: policies.into_iter().map(SlaPolicy::from_row).collect::<Result<_, _>>()?,
        hours: known,
        parents: parents.into_iter().map(|(branch, parent)| (BranchId(branch), BranchId(parent))).collect(),
    })
}

impl Reads {
    /// The rules as they stand.
    pub async fn rules(&self) -> Result<Rules> {
        let book = self.reader.beyond_scope().fetch_all(sql::RULE_BOOK, &[]).await?;
        let policies = self.reader.beyond_scope().fetch_all(sql::SLA_POLICIES_IN_FORCE, &[]).await?;
        let hours = self.reader.beyond_scope().fetch_all(sql::BRANCH_HOURS, &[]).await?;
        let parents = self.reader.beyond_scope().fetch_all(sql::BRANCH_PARENTS, &[]).await?;
        rules(book, policies, hours, parents).map_err(corrupt)
    }

    /// The count of changes of the rules; `None` before the first.
    pub async fn find_rule_book(&self) -> Result<Option<RuleBook>> {
        let row: Option<RuleBookRow> = self.reader.beyond_scope().fetch_optional(sql::RULE_BOOK, &[]).await?;
        row.map(RuleBook::from_row).transpose().map_err(corrupt)
    }

    /// The policy with this code.
    pub async fn find_sla_policy(&self, code: &str) -> Result<Option<SlaPolicy>> {
        let row: Option<SlaPolicyRow> =
            self.reader.beyond_scope().fetch_optional(sql::SLA_POLICY_BY_CODE, args![code]).await?;
        row.map(SlaPolicy::from_row).transpose().map_err(corrupt)
    }

    /// Policies, in the order in which they are tried, the retired ones too.
    pub async fn list_sla_policies(&self, page: &PageRequest) -> Result<Page<SlaPolicy>> {
        let last = page.after.unwrap_or(Cursor { sort: i64::MIN, id: Uuid::nil() });
        let rows: Vec<SlaPolicyRow> =
            self.reader.beyond_scope().fetch_all(sql::SLA_POLICIES, args![last.sort, last.id, page.limit()]).await?;
        let mut items: Vec<SlaPolicy> = super::all(rows)?;
        let next = page.cut(&mut items, |last: &SlaPolicy| Cursor { sort: last.position, id: last.id.uuid() });
        Ok(Page { items, next })
    }

    /// Cases whose clocks have something to tell at `now_us`, first due first.
    pub async fn list_clocks_due(&self, now_us: i64) -> Result<Vec<ComplaintId>> {
        let rows: Vec<(Uuid,)> =
            self.reader.beyond_scope().fetch_all(sql::CLOCKS_DUE, args![now_us, CLOCKS_DUE_LIMIT]).await?;
        Ok(rows.into_iter().map(|(id,)| ComplaintId(id)).collect())
    }

    /// Open cases after this place, oldest first, with their places.
    pub async fn list_open_after(&self, after: Cursor) -> Result<Vec<Cursor>> {
        let rows: Vec<(i64, Uuid)> =
            self.reader.beyond_scope().fetch_all(sql::OPEN_AFTER, args![after.sort, after.id, SWEEP_LIMIT]).await?;
        Ok(rows.into_iter().map(|(sort, id)| Cursor { sort, id }).collect())
    }
}
