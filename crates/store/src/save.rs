//! The generated statements that save and load many rows at once: on PostgreSQL one statement of CTEs
//! over UNNEST, on SQLite multi-row VALUES in bucketed sizes. Texts are made once per set of tables and
//! leaked (their number is bounded by the sets of tables that batches touch).

use std::collections::HashMap;
use std::fmt::Write;

use sqlx::Arguments;
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;

use crate::error::{Error, Result};
use crate::sql::{Arg, Sql, add_postgres};
use crate::table::{Column, Kind, OnConflict, Rows, Table, Way};

/// Rows in one INSERT of SQLite: the largest that fits is taken again and again.
const BUCKETS: [usize; 5] = [256, 64, 16, 4, 1];
/// SQLite's default limit of bound variables (SQLITE_MAX_VARIABLE_NUMBER since 3.32).
const MAX_VARIABLES: usize = 32_766;

/// The tables of a batch with the way each is saved, the closing statement, and whether it decides about the rest.
type SavedSet = (Vec<(&'static str, Way)>, &'static str, bool);

/// Texts already made, by what they save.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    postgres: HashMap<SavedSet, &'static str>,
    sqlite: HashMap<(&'static str, Way, usize), &'static str>,
    load: HashMap<&'static str, Sql>,
}

impl Texts {
    /// One statement that saves all of `batch` and then runs `last`, whose placeholders begin at `$1` and
    /// are moved behind those of the rows.
    pub(crate) fn postgres(&mut self, batch: &[&Rows], last: &'static str) -> &'static str {
        let key = (batch.iter().map(|rows| (rows.table.name, rows.way)).collect(), last, false);
        self.postgres.entry(key).or_insert_with(|| leak(postgres_text(batch, last)))
    }

    /// The same as one statement that is a transaction of its own: `first` touches one row or none, and nothing is
    /// saved when it touches none. Gives the number of rows that it touched.
    pub(crate) fn postgres_alone(&mut self, batch: &[&Rows], first: &'static str) -> &'static str {
        let key = (batch.iter().map(|rows| (rows.table.name, rows.way)).collect(), first, true);
        self.postgres.entry(key).or_insert_with(|| leak(postgres_alone_text(batch, first)))
    }

    pub(crate) fn sqlite(&mut self, table: &'static Table, way: Way, rows: usize) -> &'static str {
        self.sqlite.entry((table.name, way, rows)).or_insert_with(|| leak(sqlite_text(table, way, rows)))
    }

    /// Loads rows by the first key column: one list argument.
    pub(crate) fn load(&mut self, table: &'static Table) -> Sql {
        *self.load.entry(table.name).or_insert_with(|| load_sql(table))
    }
}

pub(crate) fn load_sql(table: &Table) -> Sql {
    let (columns, name, key) = (table.column_list(), table.name, table.columns[0].0);
    Sql::split(
        leak(format!("select {columns} from {name} where {key} = any($1)")),
        leak(format!("select {columns} from {name} where {key} in (select unhex(value) from json_each($1))")),
    )
}

fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn postgres_text(batch: &[&Rows], last: &str) -> String {
    if batch.is_empty() {
        return last.to_owned();
    }
    let (parts, bound) = parts(batch, "");
    format!("with {parts} {}", shift(last, bound))
}

fn postgres_alone_text(batch: &[&Rows], first: &str) -> String {
    let (parts, bound) = parts(batch, " and exists (select 1 from head)");
    let comma = if parts.is_empty() { "" } else { ", " };
    format!("with head as ({} returning 1){comma}{parts} select count(*) from head", shift(first, bound))
}

/// One CTE for each of `batch`, and how many placeholders they hold. `guard` is a further condition of each.
fn parts(batch: &[&Rows], guard: &str) -> (String, usize) {
    let mut text = String::new();
    let mut bound = 0;
    for (place, rows) in batch.iter().enumerate() {
        let table = rows.table;
        let (mut names, mut picks, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (_, kind)) in table.columns.iter().enumerate() {
            bound += 1;
            names.push(format!("c{at}"));
            picks.push(if *kind == Kind::Json { format!("u.c{at}::jsonb") } else { format!("u.c{at}") });
            lists.push(format!("${bound}::{}[]", array_type(*kind)));
        }
        let _ = write!(text, "{}t{place} as (", if place > 0 { ", " } else { "" });
        let source = format!("unnest({}) as u({})", lists.join(", "), names.join(", "));
        let _ = if rows.way == Way::Changed {
            write!(
                text,
                "update {} as t set {} from {source} where {}{guard})",
                table.name,
                assign(table, &picks),
                same(table)
            )
        } else {
            let (name, columns, picks) = (table.name, table.column_list(), picks.join(", "));
            let conflict = conflict(table, rows.way);
            // Without the "true" a clause ON CONFLICT behind a join would be read as its condition.
            let only = if guard.is_empty() { String::new() } else { format!(" where true{guard}") };
            write!(text, "insert into {name} ({columns}) select {picks} from {source}{only}{conflict})")
        };
    }
    (text, bound)
}

/// `version = u.c1, doc = u.c2::jsonb`: every column behind the key.
fn assign(table: &Table, picks: &[String]) -> String {
    let pairs: Vec<_> =
        table.column_names().zip(picks).skip(table.key).map(|(n, pick)| format!("{n} = {pick}")).collect();
    pairs.join(", ")
}

/// `t.id = u.c0`: the key of a stored row is that of a given one.
fn same(table: &Table) -> String {
    let pairs: Vec<_> =
        table.column_names().take(table.key).enumerate().map(|(at, name)| format!("t.{name} = u.c{at}")).collect();
    pairs.join(" and ")
}

/// Moves `$1` to `$1+by` and so on.
fn shift(text: &str, by: usize) -> String {
    let mut parts = text.split('$');
    let mut moved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let number: usize = part[..digits].parse().unwrap_or_default();
        let _ = write!(moved, "${}{}", number + by, &part[digits..]);
    }
    moved
}

fn sqlite_text(table: &Table, way: Way, rows: usize) -> String {
    let row = format!("({})", vec!["?"; table.columns.len()].join(","));
    format!(
        "insert into {} ({}) values {}{}",
        table.name,
        table.column_list(),
        vec![row.as_str(); rows].join(","),
        conflict(table, way)
    )
}

fn conflict(table: &Table, way: Way) -> String {
    if table.on_conflict == OnConflict::Fail || way == Way::Fresh {
        return String::new();
    }
    let key: Vec<_> = table.column_names().take(table.key).collect();
    let set: Vec<_> = table.column_names().skip(table.key).map(|name| format!("{name} = excluded.{name}")).collect();
    format!(" on conflict ({}) do update set {}", key.join(", "), set.join(", "))
}

const fn array_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Uuid => "uuid",
        Kind::Int => "bigint",
        Kind::Text | Kind::Json => "text",
        Kind::Bytes => "bytea",
    }
}

pub(crate) fn bind_postgres(bound: &mut PgArguments, rows: &Rows) -> Result<()> {
    for column in &rows.columns {
        match column {
            Column::Uuid(values) => bound.add(values),
            Column::Int(values) => bound.add(values),
            Column::Text(values) => bound.add(values),
            Column::Bytes(values) => bound.add(values),
        }
        .map_err(|error| Error::Faulty(sqlx::Error::Encode(error)))?;
    }
    Ok(())
}

/// Adds the arguments of the closing statement behind those of the rows.
pub(crate) fn bind_last(bound: &mut PgArguments, args: &[Arg<'_>]) -> Result<()> {
    for arg in args {
        add_postgres(bound, *arg)?;
    }
    Ok(())
}

pub(crate) fn bind_sqlite(rows: &Rows, from: usize, count: usize) -> Result<SqliteArguments> {
    let mut bound = SqliteArguments::default();
    bound.reserve(count * rows.columns.len(), 0);
    for row in from..from + count {
        for column in &rows.columns {
            match column {
                Column::Uuid(values) => bound.add(values[row]),
                Column::Int(values) => bound.add(values[row]),
                Column::Text(values) => bound.add(values[row].clone()),
                Column::Bytes(values) => bound.add(values[row].clone()),
            }
            .map_err(|error| Error::Faulty(sqlx::Error::Encode(error)))?;
        }
    }
    Ok(bound)
}

/// Cuts `rows` into pieces of bucketed sizes: (first row, count).
pub(crate) fn buckets(rows: &Rows) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < rows.len() {
        let left = rows.len() - from;
        let fits = |size: usize| size <= left && size * rows.columns.len() <= MAX_VARIABLES;
        let count = BUCKETS.into_iter().find(|size| fits(*size)).unwrap_or(1);
        pieces.push((from, count));
        from += count;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTE: Table =
        Table::new("note", 1, &[("id", Kind::Uuid), ("n", Kind::Int), ("doc", Kind::Json)], OnConflict::Update);

    #[test]
    fn postgres_saves_all_tables_in_one_statement() {
        let text = postgres_text(&[&Rows::new(&NOTE)], "update head set seq = $1");
        assert_eq!(
            text,
            "with t0 as (insert into note (id, n, doc) select u.c0, u.c1, u.c2::jsonb from \
             unnest($1::uuid[], $2::bigint[], $3::text[]) as u(c0, c1, c2) on conflict (id) do update set \
             n = excluded.n, doc = excluded.doc) update head set seq = $4"
        );
    }

    #[test]
    fn rows_known_to_be_new_or_old_are_saved_without_looking_for_conflicts() {
        let text = postgres_text(&[&Rows::fresh(&NOTE), &Rows::changed(&NOTE)], "update head set seq = $1");
        assert_eq!(
            text,
            "with t0 as (insert into note (id, n, doc) select u.c0, u.c1, u.c2::jsonb from \
             unnest($1::uuid[], $2::bigint[], $3::text[]) as u(c0, c1, c2)), \
             t1 as (update note as t set n = u.c1, doc = u.c2::jsonb from \
             unnest($4::uuid[], $5::bigint[], $6::text[]) as u(c0, c1, c2) where t.id = u.c0) \
             update head set seq = $7"
        );
        assert!(!sqlite_text(&NOTE, Way::Fresh, 1).contains("conflict"));
        assert!(sqlite_text(&NOTE, Way::Changed, 1).contains("on conflict (id) do update"));
    }

    #[test]
    fn a_statement_of_its_own_saves_nothing_unless_its_first_part_touched_a_row() {
        let text =
            postgres_alone_text(&[&Rows::fresh(&NOTE), &Rows::changed(&NOTE)], "update head set n = $1 where n = $2");
        assert_eq!(
            text,
            "with head as (update head set n = $7 where n = $8 returning 1), \
             t0 as (insert into note (id, n, doc) select u.c0, u.c1, u.c2::jsonb from \
             unnest($1::uuid[], $2::bigint[], $3::text[]) as u(c0, c1, c2) where true and exists (select 1 from head)), \
             t1 as (update note as t set n = u.c1, doc = u.c2::jsonb from \
             unnest($4::uuid[], $5::bigint[], $6::text[]) as u(c0, c1, c2) where t.id = u.c0 \
             and exists (select 1 from head)) select count(*) from head"
        );
    }

    #[test]
    fn sqlite_saves_in_buckets() {
        let mut rows = Rows::new(&NOTE);
        for n in 0..85 {
            rows.uuid(uuid::Uuid::from_u128(n)).int(0).text("{}");
        }
        assert_eq!(buckets(&rows), vec![(0, 64), (64, 16), (80, 4), (84, 1)]);
        assert!(
            sqlite_text(&NOTE, Way::Table, 2)
                .starts_with("insert into note (id, n, doc) values (?,?,?),(?,?,?) on conflict")
        );
    }
}
