//! Reading feedback: every query, each bound by the scope of who asks. Writing is the write path's alone.

mod rows;
mod sql;

use std::collections::BTreeMap;

use ::store::{Conn, Db, Reader, Result, args};
use commit::{Aggregate, Corrupt};
use kernel::{BranchScope, Cursor, PageRequest};
use uuid::Uuid;

use crate::domain::{Invitation, LINK_SECRET_ID, LinkSecret, Response, Settings, Survey, SurveyState};
use rows::{InvitationRow, LinkSecretRow, ResponseRow, SurveyRow};

pub use sql::ALL as STATEMENTS;

/// A page of a list and the token of the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; empty on the last.
    pub next: String,
}

/// Which answers count for a score.
#[derive(Clone, Copy, Debug)]
pub struct ScoreFilter {
    /// The survey.
    pub survey: Uuid,
    /// Only about this branch.
    pub branch: Option<Uuid>,
    /// Handed in at or after this instant, microseconds since the Unix epoch.
    pub start_us: Option<i64>,
    /// Handed in before this instant, microseconds since the Unix epoch.
    pub end_us: Option<i64>,
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

    /// The branches of a scope and those above them: where a survey must work to be seen.
    async fn visible(&self, scope: &BranchScope) -> Result<Vec<Uuid>> {
        if scope.branches().is_empty() {
            return Ok(Vec::new());
        }
        let mut above = ids(self.reader.within(scope).fetch_all(sql::ABOVE, args![scope.branches()]).await?);
        // The event of a branch may be a moment away; the branch itself is in the scope all the same.
        above.extend(scope.branches());
        Ok(above)
    }

    /// The survey with this id, if it works somewhere within reach.
    pub async fn find_survey(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Survey>> {
        let visible = self.visible(scope).await?;
        one(self
            .reader
            .within(scope)
            .fetch_optional::<SurveyRow>(sql::SURVEY, args![id, scope.is_all(), &visible])
            .await?)
    }

    /// Surveys, newest first.
    pub async fn list_surveys(
        &self,
        state: Option<SurveyState>,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Survey>> {
        let visible = self.visible(scope).await?;
        let state = state.map(SurveyState::as_str);
        let after = page.after.map(|place| place.id);
        let args = args![scope.is_all(), &visible, state, after, page.limit()];
        cut(self.reader.within(scope).fetch_all::<SurveyRow>(sql::SURVEYS, args).await?, page)
    }

    /// The invitation with this id, if its branch is within reach.
    pub async fn find_invitation(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Invitation>> {
        let args = args![id, scope.is_all(), scope.branches()];
        one(self.reader.within(scope).fetch_optional::<InvitationRow>(sql::INVITATION, args).await?)
    }

    /// Invitations, newest first; `state` is the stored word.
    pub async fn list_invitations(
        &self,
        survey: Option<Uuid>,
        customer: Option<Uuid>,
        state: Option<&str>,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Invitation>> {
        let after = page.after.map(|place| place.id);
        let args = args![scope.is_all(), scope.branches(), survey, customer, state, after, page.limit()];
        cut(self.reader.within(scope).fetch_all::<InvitationRow>(sql::INVITATIONS, args).await?, page)
    }

    /// Invitations whose time to go out has come, the longest waiting first.
    pub async fn list_to_send(&self, now_us: i64, limit: i64) -> Result<Vec<Uuid>> {
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::TO_SEND, args![now_us, limit]).await?))
    }

    /// Up to `limit` responses of a customer that still hold answers.
    pub async fn list_to_erase(&self, customer: Uuid, limit: i64) -> Result<Vec<Uuid>> {
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::TO_ERASE, args![customer, limit]).await?))
    }

    /// Invitations whose time is over, the longest waiting first.
    pub async fn list_to_expire(&self, now_us: i64, limit: i64) -> Result<Vec<Uuid>> {
        Ok(ids(self.reader.beyond_scope().fetch_all(sql::TO_EXPIRE, args![now_us, limit]).await?))
    }

    /// The response with this id, if its branch is within reach.
    pub async fn find_response(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Response>> {
        let args = args![id, scope.is_all(), scope.branches()];
        one(self.reader.within(scope).fetch_optional::<ResponseRow>(sql::RESPONSE, args).await?)
    }

    /// Responses, newest first.
    pub async fn list_responses(
        &self,
        survey: Option<Uuid>,
        customer: Option<Uuid>,
        branch: Option<Uuid>,
        scope: &BranchScope,
        page: &PageRequest,
    ) -> Result<Page<Response>> {
        let after = page.after.map(|place| place.id);
        let args = args![scope.is_all(), scope.branches(), survey, customer, branch, after, page.limit()];
        cut(self.reader.within(scope).fetch_all::<ResponseRow>(sql::RESPONSES, args).await?, page)
    }

    /// How many answers gave each number, skipped ones left out; and how many invitations went out.
    pub async fn count(&self, filter: &ScoreFilter, scope: &BranchScope) -> Result<(BTreeMap<i32, i64>, i64)> {
        let args =
            args![scope.is_all(), scope.branches(), filter.survey, filter.branch, filter.start_us, filter.end_us,];
        let counts: Vec<(i64, i64)> = self.reader.within(scope).fetch_all(sql::COUNTS, args).await?;
        let (sent,): (i64,) = self.reader.within(scope).fetch_one(sql::COUNT_SENT, args).await?;
        // Scores are numbers of a scale and were written from 32 bits.
        let counts = counts.into_iter().filter_map(|(score, count)| Some((i32::try_from(score).ok()?, count)));
        Ok((counts.collect(), sent))
    }

    /// The secret of links that is kept here, if one is.
    pub async fn find_link_secret(&self) -> Result<Option<LinkSecret>> {
        let reader = self.reader.beyond_scope();
        one(reader.fetch_optional::<LinkSecretRow>(sql::LINK_SECRET, args![LINK_SECRET_ID]).await?)
    }
}

/// The surveys that invite by themselves now, read inside of a batch.
pub(crate) async fn settings(conn: &mut Conn) -> Result<Settings> {
    let rows: Vec<SurveyRow> = conn.fetch_all(sql::ACTIVE_SURVEYS, &[]).await?;
    let surveys = rows.into_iter().map(Survey::from_row).collect::<Result<Vec<_>, Corrupt>>().map_err(corrupt)?;
    Ok(Settings { inviting: surveys.into_iter().filter(|survey| survey.trigger.is_some()).collect() })
}

fn ids(rows: Vec<(Uuid,)>) -> Vec<Uuid> {
    rows.into_iter().map(|(id,)| id).collect()
}

fn one<A: Aggregate>(row: Option<A::Row>) -> Result<Option<A>> {
    row.map(A::from_row).transpose().map_err(corrupt)
}

fn cut<A: Aggregate>(rows: Vec<A::Row>, page: &PageRequest) -> Result<Page<A>> {
    let mut items = rows.into_iter().map(A::from_row).collect::<Result<Vec<A>, Corrupt>>().map_err(corrupt)?;
    let next = page.cut(&mut items, |item| Cursor { sort: 0, id: item.id() });
    Ok(Page { items, next })
}

fn corrupt(error: Corrupt) -> ::store::Error {
    ::store::Error::Faulty(sqlx::Error::Decode(Box::new(error)))
}
