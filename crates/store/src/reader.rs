//! Reading for callers: nothing can be read here without a branch scope, or without saying that there is none. On
//! PostgreSQL the scope goes with the statement, and row-level security is the second wall behind the `where` clause.

use kernel::BranchScope;
use sqlx::AssertSqlSafe;

use crate::db::{Db, Pools};
use crate::error::Result;
use crate::sql::{Arg, Record, Sql, add_postgres, bind_postgres, bind_sqlite};

/// Reads for callers. A service keeps this in place of its [`Db`], so that a query that forgets the scope does not
/// compile. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Reader(Db);

impl From<Db> for Reader {
    fn from(db: Db) -> Self {
        Self(db)
    }
}

impl Reader {
    /// What a caller of this scope may read. Each statement still names the scope itself, where it decides which rows
    /// are meant: the wall of the database only takes away, and SQLite has none.
    pub const fn within<'a>(&'a self, scope: &'a BranchScope) -> Within<'a> {
        Within { db: &self.0, scope }
    }

    /// What Karibu itself reads: timers, settings, credentials, and what belongs to the business as a whole. Never for
    /// rows that a caller gets without a check of its scope.
    pub const fn beyond_scope(&self) -> BeyondScope<'_> {
        BeyondScope { db: &self.0 }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}

/// Reads of a caller.
#[derive(Clone, Copy, Debug)]
pub struct Within<'a> {
    db: &'a Db,
    scope: &'a BranchScope,
}

/// Reads of Karibu itself.
#[derive(Clone, Copy, Debug)]
pub struct BeyondScope<'a> {
    db: &'a Db,
}

/// Runs one body behind the wall, whichever engine it is.
macro_rules! behind_wall {
    ($self:expr, $sql:expr, $args:expr, $call:ident) => {
        match &$self.db.pools {
            Pools::Postgres { readers: Some(readers), .. } => {
                let mut bound = bind_postgres($args)?;
                let reach = reach($self.scope);
                add_postgres(&mut bound, Arg::Text(Some(&reach)))?;
                let text = AssertSqlSafe(with_reach($sql.postgres, $args.len() + 1));
                sqlx::query_as_with::<sqlx::Postgres, _, _>(text, bound).$call(readers).await
            }
            Pools::Postgres { own, readers: None } => {
                sqlx::query_as_with::<sqlx::Postgres, _, _>($sql.postgres, bind_postgres($args)?).$call(own).await
            }
            Pools::Sqlite { read, .. } => {
                sqlx::query_as_with::<sqlx::Sqlite, _, _>($sql.sqlite, bind_sqlite($args)?).$call(read).await
            }
        }
    };
}

impl Within<'_> {
    /// All rows.
    pub async fn fetch_all<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Vec<T>> {
        Ok(behind_wall!(self, sql, args, fetch_all)?)
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Option<T>> {
        Ok(behind_wall!(self, sql, args, fetch_optional)?)
    }

    /// The first row; none is a defect of the statement (use it for counts and sums).
    pub async fn fetch_one<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<T> {
        Ok(behind_wall!(self, sql, args, fetch_one)?)
    }
}

impl BeyondScope<'_> {
    /// All rows.
    pub async fn fetch_all<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Vec<T>> {
        self.db.fetch_all(sql, args).await
    }

    /// The first row, if there is one.
    pub async fn fetch_optional<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<Option<T>> {
        self.db.fetch_optional(sql, args).await
    }

    /// The first row; none is a defect of the statement (use it for counts and sums).
    pub async fn fetch_one<T: Record>(&self, sql: Sql, args: &[Arg<'_>]) -> Result<T> {
        self.db.fetch_one(sql, args).await
    }
}

/// The scope as the policies read it: `*`, or ids with commas between; empty reaches nothing.
fn reach(scope: &BranchScope) -> String {
    if scope.is_all() {
        return "*".to_owned();
    }
    let ids: Vec<String> = scope.branches().iter().map(ToString::to_string).collect();
    ids.join(",")
}

/// The statement with its scope in front, in one statement and so in one round trip. `set_config` is the gate of the
/// inner query: PostgreSQL evaluates it once and before any row is looked at ("One-Time Filter" in the plan), and
/// `offset 0` keeps the inner query from being taken apart. Being local, the setting ends with the statement. Were it
/// ever evaluated later, the policies would find no scope and give no rows.
fn with_reach(sql: &str, place: usize) -> String {
    format!(
        "select q.* from (select set_config('karibu.branches', ${place}, true) as reach) as s, \
         lateral (select w.* from ({sql}) as w where s.reach is not null offset 0) as q"
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_scope_is_a_star_or_a_list_of_ids() {
        assert_eq!(reach(&BranchScope::All), "*");
        assert_eq!(reach(&BranchScope::only([])), "");
        let two = reach(&BranchScope::only([Uuid::from_u128(2), Uuid::from_u128(1)]));
        assert_eq!(two, "00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002");
    }
}
