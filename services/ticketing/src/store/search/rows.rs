//! Rows of the index of words.

use ::store::{Kind, OnConflict, Rows, Table};
use commit::{Aggregate, Append, Corrupt};
use uuid::Uuid;

use crate::domain::search::{ComplaintWord, SearchIndex};

static COMPLAINT_WORD: Table = Table::new(
    "complaint_word",
    3,
    &[("word", Kind::Text), ("opened_at_us", Kind::Int), ("complaint_id", Kind::Uuid), ("seq", Kind::Int)],
    OnConflict::Update,
);

impl Append for ComplaintWord {
    const TABLE: &'static Table = &COMPLAINT_WORD;

    fn to_row(&self, row: &mut Rows) {
        row.text(self.word.as_str()).int(self.opened_at_us).uuid(self.complaint.uuid()).int(self.seq);
    }
}

static SEARCH_INDEX: Table = Table::new(
    "search_index",
    1,
    &[("id", Kind::Uuid), ("version", Kind::Int), ("seq", Kind::Int)],
    OnConflict::Update,
);

/// A row of `search_index`.
#[derive(sqlx::FromRow)]
pub struct SearchIndexRow {
    id: Uuid,
    version: i64,
    seq: i64,
}

impl Aggregate for SearchIndex {
    const TABLE: &'static Table = &SEARCH_INDEX;
    const TYPE: &'static str = "search_index";
    type Row = SearchIndexRow;

    fn from_row(row: SearchIndexRow) -> Result<Self, Corrupt> {
        let SearchIndexRow { id, version, seq } = row;
        Ok(Self { id, version, seq })
    }

    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.id).int(self.version).int(self.seq);
    }

    commit::identity!(id, version);
}
