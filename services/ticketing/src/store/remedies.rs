//! Reading mandates, budgets and deadlines.

use ::store::{Result, args};
use commit::Aggregate;
use kernel::{Cursor, PageRequest};
use uuid::Uuid;

use super::remedy_rows::{BudgetRow, MandateRow, StaffRow, TemplateRow};
use super::{Page, Reads, corrupt, sql};
use crate::domain::budget::Budget;
use crate::domain::mandate::Mandate;
use crate::domain::staff::Staff;
use crate::domain::template::Template;
use crate::domain::{BranchId, StaffId};

/// Deadlines that the timer fires in one go; what is left comes right after.
const DUE_LIMIT: i64 = 500;

impl Reads {
    /// What the branch trusts its people with, if it said so.
    pub async fn find_mandate(&self, branch: BranchId) -> Result<Option<Mandate>> {
        let rows: Vec<MandateRow> =
            self.reader.beyond_scope().fetch_all(sql::MANDATE_BY_ID, args![branch.uuid()]).await?;
        rows.into_iter().next().map(Mandate::from_row).transpose().map_err(corrupt)
    }

    /// What is known of somebody who works here.
    pub async fn find_staff(&self, staff: StaffId) -> Result<Option<Staff>> {
        let rows: Vec<StaffRow> = self.reader.beyond_scope().fetch_all(sql::STAFF_BY_ID, args![staff.uuid()]).await?;
        rows.into_iter().next().map(Staff::from_row).transpose().map_err(corrupt)
    }

    /// The first of these templates that is there.
    pub async fn find_template(&self, nearest: &[Uuid]) -> Result<Option<Template>> {
        let rows: Vec<TemplateRow> = self.reader.beyond_scope().fetch_all(sql::TEMPLATES_BY_ID, args![nearest]).await?;
        let found: Vec<Template> = super::all(rows)?;
        Ok(nearest.iter().find_map(|id| found.iter().find(|template| template.id == *id)).cloned())
    }

    /// What the branch used of its allowances, by unit and period. Ask first whether the caller reaches it.
    pub async fn list_budgets(&self, branch: BranchId, page: &PageRequest) -> Result<Page<Budget>> {
        let after = page.after.map_or_else(Uuid::nil, |last| last.id);
        let rows: Vec<BudgetRow> =
            self.reader.beyond_scope().fetch_all(sql::BUDGETS, args![branch.uuid(), after, page.limit()]).await?;
        let mut items: Vec<Budget> = super::all(rows)?;
        let next = page.cut(&mut items, |last: &Budget| Cursor { sort: 0, id: last.id });
        Ok(Page { items, next })
    }

    /// Deadlines whose time has come at `now_us`, first due first, at most [`DUE_LIMIT`].
    pub async fn list_deadlines_due(&self, now_us: i64) -> Result<Vec<Uuid>> {
        let rows: Vec<(Uuid,)> =
            self.reader.beyond_scope().fetch_all(sql::DEADLINES_DUE, args![now_us, DUE_LIMIT]).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}
