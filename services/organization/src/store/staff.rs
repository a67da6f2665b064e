//! Reading people at work: teams, shifts and presence, each bound by the scope of who asks.

use ::store::{Result, args};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use super::rows::{PresenceRow, ShiftRow, TeamRow};
use super::{Page, Reads, cut, one, sql};
use crate::domain::{Presence, PresenceState, Shift, Team};

/// Which shifts to list.
#[derive(Clone, Debug, Default)]
pub struct ShiftFilter {
    /// Only those in this branch and those below it.
    pub branch: Option<Uuid>,
    /// Only those of this person.
    pub member: Option<Uuid>,
    /// Only those that end after this instant, microseconds since the Unix epoch.
    pub from_us: Option<i64>,
    /// Only those that begin before this instant, microseconds since the Unix epoch.
    pub to_us: Option<i64>,
    /// Cancelled ones too.
    pub show_cancelled: bool,
}

impl Reads {
    /// The team with this id, if the scope reaches its branch.
    pub async fn find_team(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Team>> {
        let row = self.reader.within(scope).fetch_optional::<TeamRow>(sql::TEAM, args![id]).await?;
        Ok(one::<Team>(row)?.filter(|team| scope.allows(team.branch.uuid())))
    }

    /// Teams in the order of their creation; `branch` keeps those of it and of the branches below.
    pub async fn list_teams(
        &self,
        branch: Option<Uuid>,
        show_dissolved: bool,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Team>> {
        let below = self.list_below(branch.as_slice()).await?;
        let (sort, id) = (page.after.map(|place| place.sort), page.after.map(|place| place.id));
        let args =
            args![scope.is_all(), scope.branches(), branch.is_none(), &below, show_dissolved, sort, id, page.limit()];
        let rows: Vec<TeamRow> = self.reader.within(scope).fetch_all(sql::TEAMS, args).await?;
        cut(rows, page, |team: &Team| Cursor { sort: team.created_at_us, id: team.id.uuid() })
    }

    /// Shifts by their beginning.
    pub async fn list_shifts(
        &self,
        filter: &ShiftFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Shift>> {
        let below = self.list_below(filter.branch.as_slice()).await?;
        let (sort, id) = (page.after.map(|place| place.sort), page.after.map(|place| place.id));
        let args = args![
            scope.is_all(),
            scope.branches(),
            filter.branch.is_none(),
            &below,
            filter.member,
            filter.from_us,
            filter.to_us,
            filter.show_cancelled,
            sort,
            id,
            page.limit(),
        ];
        let rows: Vec<ShiftRow> = self.reader.within(scope).fetch_all(sql::SHIFTS, args).await?;
        cut(rows, page, |shift: &Shift| Cursor { sort: shift.starts_at_us, id: shift.id.uuid() })
    }

    /// Who is where; `branch` keeps those in it and in the branches below, `state` those who are so at `now_us`.
    pub async fn list_presences(
        &self,
        branch: Option<Uuid>,
        state: Option<PresenceState>,
        now_us: i64,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Presence>> {
        let below = self.list_below(branch.as_slice()).await?;
        let args = args![
            scope.is_all(),
            scope.branches(),
            branch.is_none(),
            &below,
            state.map(PresenceState::as_str),
            now_us,
            page.after.map(|place| place.id),
            page.limit(),
        ];
        let rows: Vec<PresenceRow> = self.reader.within(scope).fetch_all(sql::PRESENCES, args).await?;
        cut(rows, page, |presence: &Presence| Cursor { sort: 0, id: presence.id.uuid() })
    }
}
