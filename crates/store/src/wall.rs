//! The second wall on PostgreSQL: callers are read for as a role that owns nothing, and row-level security shows it the
//! branches of the scope that came with the statement. A table with a `branch_id` is behind the wall by itself.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

use crate::db::{Db, Pools};
use crate::error::{Error, Result};

/// Name of the policy that readers are under.
const REACH: &str = "karibu_reach";
/// Name of the policy that leaves everything to the owner: the write path, consumers, timers.
const OWNER: &str = "karibu_owner";

/// How a table stands behind the wall, where its columns do not tell.
#[derive(Clone, Copy, Debug)]
pub enum Wall {
    /// A row is seen by whoever sees a row of `parent` whose `key` is the `column` of this one.
    Through {
        /// The table.
        table: &'static str,
        /// Its column that names the parent.
        column: &'static str,
        /// The table that decides.
        parent: &'static str,
        /// The column of the parent that is named.
        key: &'static str,
    },
    /// A row without a branch is open as far as its `branch_id` is concerned: the statement decides.
    OrNoBranch {
        /// The table.
        table: &'static str,
    },
    /// No caller is ever shown a row of this table.
    Hidden {
        /// The table.
        table: &'static str,
    },
}

/// A table as the catalogue knows it.
#[derive(Debug, sqlx::FromRow)]
struct Known {
    name: String,
    has_branch: bool,
    has_wall: bool,
    may_read: bool,
    /// The rule of the policy as it was raised.
    rule: Option<String>,
}

const TABLES: &str = "select c.relname::text as name, \
    exists (select 1 from pg_attribute a where a.attrelid = c.oid and a.attname = 'branch_id' and not a.attisdropped) \
    as has_branch, \
    c.relrowsecurity and c.relforcerowsecurity as has_wall, \
    has_table_privilege($1, c.oid, 'select') as may_read, \
    (select obj_description(p.oid, 'pg_policy') from pg_policy p where p.polrelid = c.oid and p.polname = $2) as rule \
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by 1";

#[derive(Debug, sqlx::FromRow)]
struct Role {
    is_strong: bool,
    is_member: bool,
    is_self: bool,
}

const ROLE: &str = "select rolsuper or rolbypassrls as is_strong, pg_has_role(current_user, oid, 'member') as is_member, \
                    rolname = current_user as is_self from pg_roles where rolname = $1";

impl Db {
    /// Makes the role of readers if it is not there, on PostgreSQL. Fails with what an administrator must do when this
    /// login may not.
    pub(crate) async fn prepare_readers(&self) -> Result<()> {
        let (Pools::Postgres { own, .. }, Some(role)) = (&self.pools, self.reader_role()) else { return Ok(()) };
        let mut found = find_role(own, role).await?;
        if found.as_ref().is_none_or(|role| !role.is_member) {
            let make =
                if found.is_none() { format!("create role \"{role}\" nologin nobypassrls; ") } else { String::new() };
            let made =
                sqlx::raw_sql(AssertSqlSafe(format!("{make}grant \"{role}\" to current_user"))).execute(own).await;
            // Services that start together make it together: the look afterwards decides.
            found = find_role(own, role).await?;
            if found.as_ref().is_none_or(|role| !role.is_member) {
                let why = made.err().map_or_else(String::new, |error| format!(" ({error})"));
                return Err(Error::Reader(format!(
                    "the role \"{role}\", as which callers are read for, is missing or not granted, and this login may not \
                     make it{why}. As an administrator of PostgreSQL: create role \"{role}\" nologin; grant \"{role}\" to \
                     the login of Karibu. Or name another one with --database-reader-role"
                )));
            }
        }
        match found {
            Some(Role { is_strong: true, .. } | Role { is_self: true, .. }) => Err(Error::Reader(format!(
                "the role \"{role}\", as which callers are read for, passes row-level security: it must be no superuser, \
                 have NOBYPASSRLS, and be another one than the login of Karibu"
            ))),
            _ => Ok(()),
        }
    }

    /// Raises the wall on every table, on PostgreSQL: one look at the catalogue when it stands already.
    pub(crate) async fn raise_walls(&self, walls: &[Wall]) -> Result<()> {
        let (Pools::Postgres { own, .. }, Some(role)) = (&self.pools, self.reader_role()) else { return Ok(()) };
        let tables: Vec<Known> = sqlx::query_as(TABLES).bind(role).bind(REACH).fetch_all(own).await?;
        let mut statements = String::new();
        for table in &tables {
            statements.push_str(&raise(table, walls, role));
        }
        if !statements.is_empty() {
            let schema = format!("grant usage on schema public to \"{role}\"; ");
            sqlx::raw_sql(AssertSqlSafe(format!("begin; {schema}{statements}commit"))).execute(own).await?;
            tracing::info!(role, "the wall of row-level security was raised");
        }
        Ok(())
    }

    /// The tables that a caller of one branch can read without any policy, sorted: for the test that each of them was
    /// meant to be. Empty on SQLite.
    pub async fn tables_without_wall(&self) -> Result<Vec<String>> {
        let (Pools::Postgres { own, .. }, Some(role)) = (&self.pools, self.reader_role()) else {
            return Ok(Vec::new());
        };
        let tables: Vec<Known> = sqlx::query_as(TABLES).bind(role).bind(REACH).fetch_all(own).await?;
        Ok(tables.into_iter().filter(|table| table.may_read && !table.has_wall).map(|table| table.name).collect())
    }
}

async fn find_role(own: &PgPool, role: &str) -> Result<Option<Role>> {
    Ok(sqlx::query_as(ROLE).bind(role).fetch_optional(own).await?)
}

/// The statements that bring one table behind the wall; none when it stands there.
fn raise(table: &Known, walls: &[Wall], role: &str) -> String {
    let name = &table.name;
    let told = walls.iter().find(|wall| match wall {
        Wall::Through { table, .. } | Wall::OrNoBranch { table } | Wall::Hidden { table } => name == table,
    });
    let rule = match (told, table.has_branch) {
        (Some(Wall::Hidden { .. }), _) => {
            let takes = format!("revoke all on \"{name}\" from \"{role}\"; ");
            return if table.may_read { takes } else { String::new() };
        }
        (Some(Wall::Through { column, parent, key, .. }), _) => Some(format!(
            "(select current_setting('karibu.branches', true)) = '*' \
             or exists (select 1 from \"{parent}\" as p where p.\"{key}\" = \"{name}\".\"{column}\")"
        )),
        (Some(Wall::OrNoBranch { .. }), _) => Some(rule_of_branch(true)),
        (None, true) => Some(rule_of_branch(false)),
        (None, false) => None,
    };
    let Some(rule) = rule else {
        // What belongs to the business as a whole.
        let shows = name != "schema_version" && !table.may_read;
        return if shows { format!("grant select on \"{name}\" to \"{role}\"; ") } else { String::new() };
    };
    if table.has_wall && table.may_read && table.rule.as_deref() == Some(&rule) {
        return String::new();
    }
    let comment = rule.replace('\'', "''");
    format!(
        "alter table \"{name}\" enable row level security; alter table \"{name}\" force row level security; \
         drop policy if exists {OWNER} on \"{name}\"; \
         create policy {OWNER} on \"{name}\" to current_user using (true) with check (true); \
         drop policy if exists {REACH} on \"{name}\"; \
         create policy {REACH} on \"{name}\" for select to \"{role}\" using ({rule}); \
         comment on policy {REACH} on \"{name}\" is '{comment}'; \
         grant select on \"{name}\" to \"{role}\"; "
    )
}

/// Seen at a branch of the scope. Both settings are read once a statement, whatever the number of rows.
fn rule_of_branch(or_none: bool) -> String {
    let business = if or_none { "branch_id is null or " } else { "" };
    format!(
        "{business}(select current_setting('karibu.branches', true)) = '*' or branch_id = any ((select \
         string_to_array(nullif(current_setting('karibu.branches', true), '*'), ',')::uuid[])::uuid[])"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, has_branch: bool) -> Known {
        Known { name: name.into(), has_branch, has_wall: false, may_read: false, rule: None }
    }

    #[test]
    fn a_table_with_a_branch_is_behind_the_wall_by_itself() {
        let text = raise(&known("visit", true), &[], "reader");
        assert!(text.contains("force row level security") && text.contains("create policy karibu_reach"), "{text}");
        assert!(!text.contains("is null"));
        assert!(
            raise(&known("entry", true), &[Wall::OrNoBranch { table: "entry" }], "r").contains("branch_id is null or")
        );
    }

    #[test]
    fn what_was_told_goes_before_what_the_columns_say() {
        let hidden = [Wall::Hidden { table: "visit" }];
        assert_eq!(raise(&known("visit", true), &hidden, "reader"), "");
        let through = [Wall::Through { table: "line", column: "visit_id", parent: "visit", key: "id" }];
        assert!(raise(&known("line", false), &through, "reader").contains("p.\"id\" = \"line\".\"visit_id\""));
    }

    #[test]
    fn a_table_of_the_business_is_open_and_what_stands_is_left_alone() {
        assert_eq!(raise(&known("code", false), &[], "r"), "grant select on \"code\" to \"r\"; ");
        let standing = Known { has_wall: true, may_read: true, rule: Some(rule_of_branch(false)), ..known("v", true) };
        assert_eq!(raise(&standing, &[], "r"), "");
    }
}
