//! Reading the organization: every query, each bound by the scope of who asks. Writing is the write path's alone.

mod access;
mod calendars;
mod rows;
mod sql;
mod staff;

use ::store::{Db, Reader, Result, args};
use commit::{Aggregate, Corrupt};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use crate::domain::{ApiKey, Branch, BranchKind, StaffMember};
use rows::{ApiKeyRow, BranchRow, StaffMemberRow};

pub use sql::ALL as STATEMENTS;
pub use staff::ShiftFilter;

/// Which branches to list.
#[derive(Clone, Debug, Default)]
pub struct BranchFilter {
    /// Only those directly below this one.
    pub parent: Option<Uuid>,
    /// Only those of this level.
    pub kind: Option<BranchKind>,
    /// Only the one with this code.
    pub code: Option<String>,
    /// Closed ones too.
    pub show_closed: bool,
    /// Only this one and those below it.
    pub subtree: Option<Uuid>,
}

/// Which staff members to list.
#[derive(Clone, Debug, Default)]
pub struct StaffFilter {
    /// Only those with a role in this branch.
    pub branch: Option<Uuid>,
    /// Only those with this role (there, if a branch is given too).
    pub role: Option<String>,
    /// Only those with this skill, whose training counts at `now_us`.
    pub skill: Option<String>,
    /// Only those who have the skill at this level or above.
    pub min_level: i64,
    /// The instant at which training must count, microseconds since the Unix epoch.
    pub now_us: i64,
    /// Only those who speak this language.
    pub language: Option<String>,
    /// Only those of this team.
    pub team: Option<Uuid>,
    /// Those who ceased to work here too.
    pub show_deactivated: bool,
}

/// A page of a list and the token of the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// The read side of the service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reads {
    reader: Reader,
}

impl Reads {
    /// Reads from `db`.
    pub fn new(db: Db) -> Self {
        Self { reader: Reader::from(db) }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.reader.ping().await
    }

    /// The branch with this id, if the scope reaches it.
    pub async fn find_branch(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Branch>> {
        if !scope.allows(id) {
            return Ok(None);
        }
        one(self.reader.within(scope).fetch_optional::<BranchRow>(sql::BRANCH, args![id]).await?)
    }

    /// Branches by code.
    pub async fn list_branches(
        &self,
        filter: &BranchFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Branch>> {
        let below = self.list_below(filter.subtree.as_slice()).await?;
        let rows: Vec<BranchRow> = self
            .reader
            .within(scope)
            .fetch_all(
                sql::BRANCHES,
                args![
                    scope.is_all(),
                    scope.branches(),
                    filter.parent,
                    filter.kind.map(BranchKind::as_str),
                    filter.code.as_deref(),
                    filter.show_closed,
                    page.after.map(|place| place.id),
                    page.limit(),
                    filter.subtree.is_none(),
                    &below,
                ],
            )
            .await?;
        // The code of the last row is looked up by its id: branches are never deleted and keep their code.
        cut(rows, page, |branch: &Branch| Cursor { sort: 0, id: branch.id.uuid() })
    }

    /// These branches and every branch below them.
    pub async fn list_below(&self, tops: &[Uuid]) -> Result<Vec<Uuid>> {
        if tops.is_empty() {
            return Ok(Vec::new());
        }
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::BELOW, args![tops]).await?))
    }

    /// The branches above this one, from the root down.
    pub async fn list_ancestors(&self, branch: Uuid) -> Result<Vec<Uuid>> {
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::ANCESTORS, args![branch]).await?))
    }

    /// These branches and every branch above them: where a grant must stand to hold in one of these.
    pub async fn list_above(&self, branches: &[Uuid]) -> Result<Vec<Uuid>> {
        if branches.is_empty() {
            return Ok(Vec::new());
        }
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::ABOVE, args![branches]).await?))
    }

    /// The staff member with this id, if the scope reaches them.
    pub async fn find_staff_member(&self, id: Uuid, scope: &BranchScope) -> Result<Option<StaffMember>> {
        let visible = self.list_above(scope.branches()).await?;
        one(self
            .reader
            .within(scope)
            .fetch_optional::<StaffMemberRow>(sql::STAFF_MEMBER, args![id, scope.is_all(), &visible])
            .await?)
    }

    /// Staff members in the order of their creation.
    pub async fn list_staff_members(
        &self,
        filter: &StaffFilter,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<StaffMember>> {
        let visible = self.list_above(scope.branches()).await?;
        let holding = self.list_above(filter.branch.as_slice()).await?;
        let rows: Vec<StaffMemberRow> = self
            .reader
            .within(scope)
            .fetch_all(
                sql::STAFF_MEMBERS,
                args![
                    scope.is_all(),
                    &visible,
                    filter.branch.is_none(),
                    &holding,
                    filter.role.as_deref(),
                    page.after.map(|place| place.sort),
                    page.after.map(|place| place.id),
                    page.limit(),
                    filter.show_deactivated,
                    filter.skill.as_deref(),
                    filter.min_level,
                    filter.now_us,
                    filter.language.as_deref(),
                    filter.team,
                ],
            )
            .await?;
        cut(rows, page, |member: &StaffMember| Cursor { sort: member.created_at_us, id: member.id.uuid() })
    }

    /// The key with this id, whoever asks: for checking a credential.
    pub async fn find_api_key(&self, id: Uuid) -> Result<Option<ApiKey>> {
        one(self.reader.beyond_scope().fetch_optional::<ApiKeyRow>(sql::API_KEY, args![id]).await?)
    }

    /// Keys that reach no farther than the scope, newest first. `active_at_us` leaves out those that do not open the
    /// door at this instant of the wall clock.
    pub async fn list_api_keys(
        &self,
        active_at_us: Option<i64>,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<ApiKey>> {
        let rows: Vec<ApiKeyRow> = self
            .reader
            .within(scope)
            .fetch_all(
                sql::API_KEYS,
                args![
                    scope.is_all(),
                    scope.branches(),
                    active_at_us,
                    page.after.map(|place| place.sort),
                    page.after.map(|place| place.id),
                    page.limit(),
                ],
            )
            .await?;
        cut(rows, page, |key: &ApiKey| Cursor { sort: key.created_at_us, id: key.id.uuid() })
    }

    /// Whether any key was ever made.
    pub async fn has_api_key(&self) -> Result<bool> {
        Ok(self.reader.beyond_scope().fetch_optional::<(i64,)>(sql::ANY_API_KEY, &[]).await?.is_some())
    }
}

fn ids(rows: Vec<(Uuid,)>) -> Vec<Uuid> {
    rows.into_iter().map(|(id,)| id).collect()
}

fn one<A: Aggregate>(row: Option<A::Row>) -> Result<Option<A>> {
    row.map(A::from_row).transpose().map_err(corrupt)
}

fn cut<A: Aggregate>(rows: Vec<A::Row>, page: &PageRequest, place: impl Fn(&A) -> Cursor) -> Result<Page<A>> {
    let mut items = rows.into_iter().map(A::from_row).collect::<Result<Vec<A>, Corrupt>>().map_err(corrupt)?;
    let next = page.cut(&mut items, place);
    Ok(Page { items, next })
}

fn all<A: Aggregate>(rows: Vec<A::Row>) -> Result<Vec<A>> {
    rows.into_iter().map(A::from_row).collect::<Result<Vec<A>, Corrupt>>().map_err(corrupt)
}

fn corrupt(error: Corrupt) -> ::store::Error {
    ::store::Error::Faulty(sqlx::Error::Decode(Box::new(error)))
}
