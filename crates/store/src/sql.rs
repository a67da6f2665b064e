//! SQL text for both engines, and the arguments bound to it. Placeholders are `$1`, `$2`, … on both.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, FromRow};
use uuid::Uuid;

use crate::error::{Error, Result};

/// One statement, with a text for each engine. SQLite binds `$N` too, so most texts serve both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    pub(crate) postgres: &'static str,
    pub(crate) sqlite: &'static str,
}

impl Sql {
    /// One text for both engines.
    pub const fn same(text: &'static str) -> Self {
        Self { postgres: text, sqlite: text }
    }

    /// A text for each engine, where one cannot serve both.
    pub const fn split(postgres: &'static str, sqlite: &'static str) -> Self {
        Self { postgres, sqlite }
    }
}

/// A row struct that both engines can fill: derive [`crate::FromRow`] and this follows.
pub trait Record: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

impl<T> Record for T where T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin {}

/// A value bound to a statement. Lists are one argument: on PostgreSQL write `= any($1)`, on SQLite
/// `in (select unhex(value) from json_each($1))` for ids and `in (select value from json_each($1))` for
/// texts and numbers.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    /// A whole number: counts, instants in microseconds, money in minor units, flags as 0 and 1.
    Int(Option<i64>),
    /// An id.
    Uuid(Option<Uuid>),
    /// A text or a JSON document.
    Text(Option<&'a str>),
    /// Raw bytes.
    Bytes(Option<&'a [u8]>),
    /// A list of ids.
    Uuids(&'a [Uuid]),
    /// A list of texts.
    Texts(&'a [String]),
}

macro_rules! from {
    ($($variant:ident: $type:ty),+) => {$(
        impl<'a> From<$type> for Arg<'a> { fn from(value: $type) -> Self { Self::$variant(Some(value)) } }
        impl<'a> From<Option<$type>> for Arg<'a> { fn from(value: Option<$type>) -> Self { Self::$variant(value) } }
    )+};
}
from!(Int: i64, Uuid: Uuid, Text: &'a str, Bytes: &'a [u8]);

impl<'a> From<&'a String> for Arg<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<bool> for Arg<'_> {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl<'a> From<&'a [Uuid]> for Arg<'a> {
    fn from(value: &'a [Uuid]) -> Self {
        Self::Uuids(value)
    }
}

impl<'a> From<&'a Vec<Uuid>> for Arg<'a> {
    fn from(value: &'a Vec<Uuid>) -> Self {
        Self::Uuids(value)
    }
}

impl<'a> From<&'a [String]> for Arg<'a> {
    fn from(value: &'a [String]) -> Self {
        Self::Texts(value)
    }
}

/// The arguments of a statement: `args![branch_id, now_us, "open"]`.
#[macro_export]
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::Arg::from($value)),*] };
}

pub(crate) fn bind_postgres(args: &[Arg<'_>]) -> Result<PgArguments> {
    let mut bound = PgArguments::default();
    for arg in args {
        add_postgres(&mut bound, *arg)?;
    }
    Ok(bound)
}

pub(crate) fn add_postgres(bound: &mut PgArguments, arg: Arg<'_>) -> Result<()> {
    match arg {
        Arg::Int(value) => bound.add(value),
        Arg::Uuid(value) => bound.add(value),
        Arg::Text(value) => bound.add(value),
        Arg::Bytes(value) => bound.add(value),
        Arg::Uuids(values) => bound.add(values),
        Arg::Texts(values) => bound.add(values),
    }
    .map_err(|error| Error::Faulty(sqlx::Error::Encode(error)))
}

pub(crate) fn bind_sqlite(args: &[Arg<'_>]) -> Result<SqliteArguments> {
    let mut bound = SqliteArguments::default();
    for arg in args {
        match *arg {
            Arg::Int(value) => bound.add(value),
            Arg::Uuid(value) => bound.add(value),
            Arg::Text(value) => bound.add(value.map(str::to_owned)),
            Arg::Bytes(value) => bound.add(value.map(<[u8]>::to_vec)),
            Arg::Uuids(values) => bound.add(hex_list(values)),
            Arg::Texts(values) => bound.add(sqlx::types::Json(values)),
        }
        .map_err(|error| Error::Faulty(sqlx::Error::Encode(error)))?;
    }
    Ok(bound)
}

/// `["0189…","…"]`: a JSON array of hexadecimal ids, which `unhex` turns back into blobs.
fn hex_list(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(2 + ids.len() * 35);
    let mut buffer = Uuid::encode_buffer();
    text.push('[');
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut buffer));
        text.push('"');
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_a_json_list_of_hex() {
        assert_eq!(hex_list(&[]), "[]");
        assert_eq!(
            hex_list(&[Uuid::from_u128(1), Uuid::from_u128(0xAB)]),
            r#"["00000000000000000000000000000001","000000000000000000000000000000ab"]"#
        );
    }
}
