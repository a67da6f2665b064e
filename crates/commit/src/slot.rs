//! The rooms of a world: slots of aggregates, logs of appended rows, and claims on natural keys. A verb
//! asks them; what is not in memory answers `Missing`, and the batch loads it and asks again.

use std::collections::{HashMap, HashSet};

use store::{Conn, Kind, OnConflict, Rows, Table};
use uuid::Uuid;

use crate::aggregate::{Aggregate, Append, Corrupt};
use crate::world::Room;

/// Most aggregates of one kind that stay in memory between two batches. Enough for what every command needs (branches,
/// counters, budgets); what passes by, such as complaints, fills it and is let go as a whole.
const MAX_KEPT: usize = 512;

/// What a verb asked for is not in memory yet. Pass it on with `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing;

/// The aggregates of one kind, as the commands of a batch have left them so far.
#[derive(Debug)]
pub struct Slot<A> {
    /// Loaded or made in this batch, or in those before it; `None` = known not to exist.
    known: HashMap<Uuid, Option<A>>,
    /// Changed by the command that is being decided.
    drafts: HashMap<Uuid, A>,
    changed: HashSet<Uuid>,
    /// Those of `changed` that are not stored yet.
    fresh: HashSet<Uuid>,
    missing: HashSet<Uuid>,
}

impl<A> Default for Slot<A> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            drafts: HashMap::new(),
            changed: HashSet::new(),
            fresh: HashSet::new(),
            missing: HashSet::new(),
        }
    }
}

impl<A: Aggregate> Slot<A> {
    /// The aggregate with this id, or `None` when there is none.
    pub fn get(&mut self, id: impl Into<Uuid>) -> Result<Option<&A>, Missing> {
        let id = id.into();
        if self.drafts.contains_key(&id) {
            return Ok(self.drafts.get(&id));
        }
        match self.known.get(&id) {
            Some(found) => Ok(found.as_ref()),
            None => {
                self.missing.insert(id);
                Err(Missing)
            }
        }
    }

    /// A draft of the aggregate with this id; it is kept when the verb succeeds and dropped when it refuses.
    pub fn edit(&mut self, id: impl Into<Uuid>) -> Result<Option<&mut A>, Missing> {
        let id = id.into();
        if !self.drafts.contains_key(&id) {
            match self.known.get(&id) {
                Some(Some(found)) => {
                    self.drafts.insert(id, found.clone());
                }
                Some(None) => return Ok(None),
                None => {
                    self.missing.insert(id);
                    return Err(Missing);
                }
            }
        }
        Ok(self.drafts.get_mut(&id))
    }

    /// Adds a new aggregate (version 0) and gives its draft. Whoever makes one under an id that may not be
    /// new must have asked [`Self::get`] for it before: an aggregate is stored as new when it is not known,
    /// and the command is rejected if the id is there after all.
    pub fn insert(&mut self, new: A) -> &mut A {
        let id = new.id();
        self.drafts.entry(id).insert_entry(new).into_mut()
    }

    /// For tests of verbs: this aggregate is stored.
    pub fn given(&mut self, stored: A) -> &mut Self {
        self.known.insert(stored.id(), Some(stored));
        self
    }

    /// For tests of verbs: the ids of everything that is there, in their order.
    pub fn ids(&self) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> = self.known.iter().filter(|(_, found)| found.is_some()).map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// For tests of verbs: no aggregate with this id is stored.
    pub fn given_none(&mut self, id: impl Into<Uuid>) -> &mut Self {
        self.known.insert(id.into(), None);
        self
    }
}

impl<A: Aggregate> Room for Slot<A> {
    fn is_missing(&self) -> bool {
        !self.missing.is_empty()
    }

    async fn load(&mut self, conn: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        if self.missing.is_empty() {
            return Ok(Ok(()));
        }
        let ids: Vec<Uuid> = self.missing.drain().collect();
        let rows: Vec<A::Row> = conn.load(A::TABLE, &ids).await?;
        self.known.extend(ids.into_iter().map(|id| (id, None)));
        for row in rows {
            match A::from_row(row) {
                Ok(found) => self.known.insert(found.id(), Some(found)),
                Err(corrupt) => return Ok(Err(corrupt)),
            };
        }
        Ok(Ok(()))
    }

    fn settle(&mut self) {
        self.drafts.clear();
        self.changed.clear();
        self.fresh.clear();
        self.missing.clear();
        if self.known.len() > MAX_KEPT {
            self.known = HashMap::new();
        }
    }

    fn keep(&mut self) {
        for (id, mut draft) in self.drafts.drain() {
            let before = self.known.get(&id).and_then(Option::as_ref).map(Aggregate::version);
            if draft.version() == before.unwrap_or_default() {
                *draft.version_mut() += 1;
            }
            if before.is_none() {
                self.fresh.insert(id);
            }
            self.changed.insert(id);
            self.known.insert(id, Some(draft));
        }
    }

    fn drop_drafts(&mut self) {
        self.drafts.clear();
    }

    fn forgo(&mut self) {
        self.known.extend(self.missing.drain().map(|id| (id, None)));
    }

    fn rows(&self, into: &mut Vec<Rows>) {
        let (mut fresh, mut changed) = (Rows::fresh(A::TABLE), Rows::changed(A::TABLE));
        for id in &self.changed {
            if let Some(Some(aggregate)) = self.known.get(id) {
                aggregate.to_row(if self.fresh.contains(id) { &mut fresh } else { &mut changed });
            }
        }
        into.extend([fresh, changed].into_iter().filter(|rows| !rows.is_empty()));
    }
}

/// Rows that are only added, never loaded.
#[derive(Debug)]
pub struct Log<T> {
    kept: Vec<T>,
    drafts: Vec<T>,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { kept: Vec::new(), drafts: Vec::new() }
    }
}

impl<T: Append> Log<T> {
    /// Adds a row; it is saved when the verb succeeds.
    pub fn push(&mut self, row: T) {
        self.drafts.push(row);
    }

    /// For tests of verbs: what was pushed so far.
    pub fn pushed(&self) -> impl Iterator<Item = &T> {
        self.kept.iter().chain(&self.drafts)
    }
}

impl<T: Append> Room for Log<T> {
    fn is_missing(&self) -> bool {
        false
    }

    async fn load(&mut self, _: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        Ok(Ok(()))
    }

    fn settle(&mut self) {
        self.kept.clear();
        self.drafts.clear();
    }

    fn keep(&mut self) {
        self.kept.append(&mut self.drafts);
    }

    fn drop_drafts(&mut self) {
        self.drafts.clear();
    }

    fn forgo(&mut self) {}

    fn rows(&self, into: &mut Vec<Rows>) {
        if self.kept.is_empty() {
            return;
        }
        let mut rows = Rows::new(T::TABLE);
        for row in &self.kept {
            row.to_row(&mut rows);
        }
        into.push(rows);
    }
}

static CLAIM: Table = Table::new("claim", 1, &[("key", Kind::Uuid), ("owner", Kind::Uuid)], OnConflict::Update);

/// A claim on a natural key; without an owner it was released.
#[derive(Clone, Debug)]
struct Claim {
    key: Uuid,
    owner: Option<Uuid>,
    version: i64,
}

#[derive(sqlx::FromRow)]
struct ClaimRow {
    key: Uuid,
    owner: Option<Uuid>,
}

impl Aggregate for Claim {
    const TABLE: &'static Table = &CLAIM;
    const TYPE: &'static str = "claim";
    type Row = ClaimRow;

    fn from_row(row: ClaimRow) -> Result<Self, Corrupt> {
        Ok(Self { key: row.key, owner: row.owner, version: 0 })
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.key).uuid(self.owner);
    }
    fn id(&self) -> Uuid {
        self.key
    }
    fn version(&self) -> i64 {
        self.version
    }
    fn version_mut(&mut self) -> &mut i64 {
        &mut self.version
    }
}

/// Another owner holds the natural key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken(pub Uuid);

/// Uniqueness across aggregates, and "the one open X of Y": natural keys and who holds them. Claims made
/// earlier in the same batch are seen, which a query would not.
#[derive(Debug, Default)]
pub struct Claims(Slot<Claim>);

impl Claims {
    /// Who holds (`kind`, `natural`), if anyone.
    pub fn owner(&mut self, kind: &str, natural: &[u8]) -> Result<Option<Uuid>, Missing> {
        let key = crate::key(&[kind.as_bytes(), natural]);
        Ok(self.0.get(key)?.and_then(|claim| claim.owner))
    }

    /// Takes (`kind`, `natural`) for `owner`; fine if it holds it already.
    pub fn take(&mut self, kind: &str, natural: &[u8], owner: impl Into<Uuid>) -> Result<Result<(), Taken>, Missing> {
        let (key, owner) = (crate::key(&[kind.as_bytes(), natural]), owner.into());
        match self.0.get(key)?.and_then(|claim| claim.owner) {
            Some(holder) if holder == owner => Ok(Ok(())),
            Some(holder) => Ok(Err(Taken(holder))),
            None => {
                self.0.insert(Claim { key, owner: Some(owner), version: 0 });
                Ok(Ok(()))
            }
        }
    }

    /// Lets (`kind`, `natural`) go, whoever holds it.
    pub fn release(&mut self, kind: &str, natural: &[u8]) -> Result<(), Missing> {
        if let Some(claim) = self.0.edit(crate::key(&[kind.as_bytes(), natural]))? {
            claim.owner = None;
        }
        Ok(())
    }

    /// For tests of verbs: (`kind`, `natural`) is held by `owner`, or by nobody.
    pub fn given(&mut self, kind: &str, natural: &[u8], owner: Option<Uuid>) -> &mut Self {
        let key = crate::key(&[kind.as_bytes(), natural]);
        self.0.given(Claim { key, owner, version: 0 });
        self
    }
}

impl Room for Claims {
    fn is_missing(&self) -> bool {
        self.0.is_missing()
    }
    async fn load(&mut self, conn: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        self.0.load(conn).await
    }
    fn settle(&mut self) {
        self.0.settle();
    }
    fn keep(&mut self) {
        self.0.keep();
    }
    fn drop_drafts(&mut self) {
        self.0.drop_drafts();
    }
    fn forgo(&mut self) {
        self.0.forgo();
    }
    fn rows(&self, into: &mut Vec<Rows>) {
        self.0.rows(into);
    }
}
