//! Reading opening hours and sets of holidays. Hours are found by the same rule as in the verbs.

use ::store::{Result, args};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use super::rows::{BranchCalendarRow, HolidaySetRow};
use super::{Page, Reads, all, cut, one, sql};
use crate::domain::calendar::{Path, in_force, owner};
use crate::domain::{Branch, BranchCalendar, HolidaySet, HolidaySetId, HoursInForce};

impl Reads {
    /// A branch with the hours that hold there, if the scope reaches it.
    pub async fn find_hours(&self, id: Uuid, scope: &BranchScope) -> Result<Option<(Branch, HoursInForce)>> {
        let Some(branch) = self.find_branch(id, scope).await? else { return Ok(None) };
        // From the branch up to the root. Hours are inherited from branches that the caller need not reach.
        let mut places = vec![id];
        places.extend(self.list_ancestors(id).await?.into_iter().rev());
        let reader = self.reader.beyond_scope();
        let rows: Vec<BranchCalendarRow> = reader.fetch_all(sql::BRANCH_CALENDARS, args![&places]).await?;
        let mut path: Path = all::<BranchCalendar>(rows)?;
        path.sort_by_key(|calendar| places.iter().position(|place| *place == calendar.id.uuid()));
        let owner = owner(&path);
        let set_ids: Vec<HolidaySetId> =
            owner.and_then(|owner| owner.hours.as_ref()).map(|hours| hours.set_ids.clone()).unwrap_or_default();
        let ids: Vec<Uuid> = set_ids.iter().map(|id| id.uuid()).collect();
        let mut sets: Vec<HolidaySet> = Vec::new();
        if !ids.is_empty() {
            let rows: Vec<HolidaySetRow> = reader.fetch_all(sql::HOLIDAY_SETS_OF, args![&ids]).await?;
            sets = all::<HolidaySet>(rows)?;
            sets.sort_by_key(|set| set.id);
        }
        let held = HoursInForce {
            branch: branch.id,
            owner: owner.map(|owner| owner.id),
            own: path.first().filter(|calendar| calendar.id == branch.id).cloned(),
            hours: in_force(&branch.time_zone, &path, &sets),
            set_ids,
        };
        Ok(Some((branch, held)))
    }

    /// The set of holidays with this id. Sets belong to no branch: whoever may read the organization may read them.
    pub async fn find_holiday_set(&self, id: Uuid) -> Result<Option<HolidaySet>> {
        let reader = self.reader.beyond_scope();
        one(reader.fetch_optional::<HolidaySetRow>(sql::HOLIDAY_SETS_OF, args![&[id][..]]).await?)
    }

    /// Sets of holidays in the order of their creation.
    pub async fn list_holiday_sets(&self, page: &PageRequest) -> Result<Page<HolidaySet>> {
        let (sort, id) = (page.after.map(|place| place.sort), page.after.map(|place| place.id));
        let rows: Vec<HolidaySetRow> =
            self.reader.beyond_scope().fetch_all(sql::HOLIDAY_SETS, args![sort, id, page.limit()]).await?;
        cut(rows, page, |set: &HolidaySet| Cursor { sort: set.created_at_us, id: set.id.uuid() })
    }
}
