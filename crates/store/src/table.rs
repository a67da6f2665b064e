//! Tables as constants, and rows gathered column by column. Statements that load and save are generated
//! from these, so nobody writes them by hand.

use uuid::Uuid;

/// The kind of a column; the same on both engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `uuid` / `BLOB`.
    Uuid,
    /// `bigint` / `INTEGER`.
    Int,
    /// `text` / `TEXT`.
    Text,
    /// `bytea` / `BLOB`.
    Bytes,
    /// `jsonb` / `TEXT`.
    Json,
}

/// What saving does when the key is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Replaces every other column: for aggregates.
    Update,
    /// Fails: for append-only rows.
    Fail,
}

/// A table: its name, key and columns. The first `key` columns are the primary key.
#[derive(Debug)]
pub struct Table {
    pub(crate) name: &'static str,
    pub(crate) key: usize,
    pub(crate) columns: &'static [(&'static str, Kind)],
    pub(crate) on_conflict: OnConflict,
}

impl Table {
    /// A table whose key is the first `key` of `columns`.
    pub const fn new(
        name: &'static str,
        key: usize,
        columns: &'static [(&'static str, Kind)],
        on_conflict: OnConflict,
    ) -> Self {
        Self { name, key, columns, on_conflict }
    }

    /// The name, as in the migrations.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The column names in order.
    pub fn column_names(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }

    pub(crate) fn column_list(&self) -> String {
        self.column_names().collect::<Vec<_>>().join(", ")
    }
}

#[derive(Debug)]
pub(crate) enum Column {
    Uuid(Vec<Option<Uuid>>),
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

/// How rows are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    /// As the table says.
    Table,
    /// They are known not to be there: a plain insert, without the price of looking for a conflict first.
    Fresh,
    /// They are known to be there: a plain update.
    Changed,
}

/// A text that is encrypted before it is saved: whoever saves the rows takes it, and gives its ciphertext to
/// [`Rows::fill`]. Until then the column holds nothing, so a text that is forgotten is lost and never stored readable.
#[derive(Clone, Debug)]
pub struct Unsealed {
    /// Whose key it goes under.
    pub subject: Uuid,
    /// The record that it belongs to.
    pub record: Uuid,
    /// The column.
    pub field: &'static str,
    /// The text.
    pub text: String,
    column: usize,
    row: usize,
}

/// Rows of one table, to be saved together. Values are given row by row in the order of the columns.
#[derive(Debug)]
pub struct Rows {
    pub(crate) table: &'static Table,
    pub(crate) columns: Vec<Column>,
    pub(crate) way: Way,
    unsealed: Vec<Unsealed>,
    next: usize,
    complete: usize,
}

impl Rows {
    /// No rows yet; saving does what the table says when a key is already there.
    pub fn new(table: &'static Table) -> Self {
        Self::saved(table, Way::Table)
    }

    /// No rows yet; their keys are known not to be there, and saving fails when one is.
    pub fn fresh(table: &'static Table) -> Self {
        Self::saved(table, Way::Fresh)
    }

    /// No rows yet; their keys are known to be there.
    pub fn changed(table: &'static Table) -> Self {
        Self::saved(table, Way::Changed)
    }

    fn saved(table: &'static Table, way: Way) -> Self {
        let columns = table.columns.iter().map(|(_, kind)| match kind {
            Kind::Uuid => Column::Uuid(Vec::new()),
            Kind::Int => Column::Int(Vec::new()),
            Kind::Text | Kind::Json => Column::Text(Vec::new()),
            Kind::Bytes => Column::Bytes(Vec::new()),
        });
        Self { table, columns: columns.collect(), way, unsealed: Vec::new(), next: 0, complete: 0 }
    }

    /// The number of complete rows.
    pub const fn len(&self) -> usize {
        self.complete
    }

    /// Whether there is no row.
    pub const fn is_empty(&self) -> bool {
        self.complete == 0
    }

    /// The next value, an id.
    ///
    /// # Panics
    /// Every method that adds a value panics when the column is of another kind: a defect that the
    /// round-trip test of each table finds.
    pub fn uuid(&mut self, value: impl Into<Option<Uuid>>) -> &mut Self {
        match self.take() {
            Column::Uuid(values) => values.push(value.into()),
            _ => self.mismatch("uuid"),
        }
        self
    }

    /// The next value, a whole number.
    pub fn int(&mut self, value: impl Into<Option<i64>>) -> &mut Self {
        match self.take() {
            Column::Int(values) => values.push(value.into()),
            _ => self.mismatch("int"),
        }
        self
    }

    /// The next value, a flag (stored as 0 or 1).
    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.int(i64::from(value))
    }

    /// The next value, a text or a JSON document.
    pub fn text<'a>(&mut self, value: impl Into<Option<&'a str>>) -> &mut Self {
        let value = value.into().map(str::to_owned);
        match self.take() {
            Column::Text(values) => values.push(value),
            _ => self.mismatch("text"),
        }
        self
    }

    /// The next value, bytes.
    pub fn bytes<'a>(&mut self, value: impl Into<Option<&'a [u8]>>) -> &mut Self {
        let value = value.into().map(<[u8]>::to_vec);
        match self.take() {
            Column::Bytes(values) => values.push(value),
            _ => self.mismatch("bytes"),
        }
        self
    }

    /// The next value, bytes: the ciphertext of `text` under the key of `subject`, bound to `record`.
    pub fn sealed(&mut self, subject: Uuid, record: Uuid, text: &str) -> &mut Self {
        let (column, row) = (self.next, self.complete);
        let field = self.table.columns[column].0;
        self.unsealed.push(Unsealed { subject, record, field, text: text.to_owned(), column, row });
        self.bytes(None)
    }

    /// The texts that wait for their ciphertext; they are handed out once.
    pub fn take_unsealed(&mut self) -> Vec<Unsealed> {
        std::mem::take(&mut self.unsealed)
    }

    /// Whether texts wait for their ciphertext.
    pub const fn has_unsealed(&self) -> bool {
        !self.unsealed.is_empty()
    }

    /// Puts the ciphertext of a text into its place.
    pub fn fill(&mut self, text: &Unsealed, ciphertext: Vec<u8>) {
        if let Some(Column::Bytes(values)) = self.columns.get_mut(text.column)
            && let Some(value) = values.get_mut(text.row)
        {
            *value = Some(ciphertext);
        }
    }

    /// The table.
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    fn take(&mut self) -> &mut Column {
        let place = self.next;
        self.next = (place + 1) % self.columns.len();
        if self.next == 0 {
            self.complete += 1;
        }
        &mut self.columns[place]
    }

    #[allow(clippy::panic)]
    fn mismatch(&self, given: &str) -> ! {
        panic!("table {}: a {given} value does not fit the column before {}", self.table.name, self.next)
    }

    /// Whether the last row has all its values.
    pub(crate) const fn is_whole(&self) -> bool {
        self.next == 0
    }
}
