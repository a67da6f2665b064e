//! The keys of customers as they are stored: destroying one inside of a verb, and opening what was sealed under them
//! for reads. Sealing on the way in stands in `sealing.rs`, the mathematics in the vault.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::FromRow;
use store::{Conn, Db, Kind, OnConflict, Rows, Table, args};
use uuid::Uuid;
use vault::{DataKey, KeyFault, LookupKey, MasterKeys, Place, Wrapped};

use crate::aggregate::{Aggregate, Corrupt};
use crate::chore::{Rewrap, Task};
use crate::door::Door;
use crate::slot::{Missing, Slot};
use crate::sql;
use crate::verb::Service;
use crate::world::Room;

/// How long a key is remembered in the clear: a key that another process destroyed opens nothing for longer.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Keys remembered at once.
const MAX_REMEMBERED: usize = 10_000;
/// Keys that one transaction wraps anew.
const MAX_REWRAPPED: i64 = 200;
/// The subject of what belongs to no customer: the key of the service itself.
const NOBODY: Uuid = Uuid::nil();

/// A wrapped key; empty once it is destroyed, for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredKey {
    subject: Uuid,
    version: i64,
    wrapped: Wrapped,
    created_at_us: i64,
    destroyed_at_us: Option<i64>,
}

pub(crate) static DATA_KEY: Table = Table::new(
    "data_key",
    1,
    &[
        ("subject", Kind::Uuid),
        ("version", Kind::Int),
        ("wrapped", Kind::Bytes),
        ("master_key_id", Kind::Text),
        ("created_at_us", Kind::Int),
        ("destroyed_at_us", Kind::Int),
    ],
    OnConflict::Update,
);

#[derive(FromRow)]
pub(crate) struct KeyRow {
    subject: Uuid,
    version: i64,
    wrapped: Vec<u8>,
    master_key_id: String,
    created_at_us: i64,
    destroyed_at_us: Option<i64>,
}

impl StoredKey {
    pub(crate) fn new(subject: Uuid, wrapped: Wrapped, created_at_us: i64) -> Self {
        Self { subject, version: 1, wrapped, created_at_us, destroyed_at_us: None }
    }

    pub(crate) fn of_row(row: KeyRow) -> Self {
        let KeyRow { subject, version, wrapped: bytes, master_key_id, created_at_us, destroyed_at_us } = row;
        Self { subject, version, wrapped: Wrapped { master_key_id, bytes }, created_at_us, destroyed_at_us }
    }

    pub(crate) const fn subject(&self) -> Uuid {
        self.subject
    }

    /// The key in the clear; `None` once it is destroyed.
    pub(crate) fn open(&self, service: &str, master_keys: &MasterKeys) -> Result<Option<DataKey>, KeyFault> {
        if self.destroyed_at_us.is_some() {
            return Ok(None);
        }
        master_keys.unwrap(service, self.subject, &self.wrapped).map(Some)
    }
}

impl Aggregate for StoredKey {
    const TABLE: &'static Table = &DATA_KEY;
    const TYPE: &'static str = "data_key";
    type Row = KeyRow;

    fn from_row(row: KeyRow) -> Result<Self, Corrupt> {
        Ok(Self::of_row(row))
    }
    fn to_row(&self, row: &mut Rows) {
        row.uuid(self.subject)
            .int(self.version)
            .bytes(self.wrapped.bytes.as_slice())
            .text(self.wrapped.master_key_id.as_str())
            .int(self.created_at_us)
            .int(self.destroyed_at_us);
    }
    crate::identity!(subject, version);
}

/// The room of keys in a world: a verb that erases a customer destroys its key here.
#[derive(Debug, Default)]
pub struct Keys(Slot<StoredKey>);

impl Keys {
    /// Destroys the key of `customer` for ever: what was sealed under it cannot be read any more, and nothing new is
    /// kept under it. Fine if there was none, or if it is destroyed already.
    pub fn destroy(&mut self, customer: impl Into<Uuid>, now_us: i64) -> Result<(), Missing> {
        let subject = customer.into();
        let gone = Wrapped { master_key_id: String::new(), bytes: Vec::new() };
        match self.0.edit(subject)? {
            Some(key) if key.destroyed_at_us.is_some() => {}
            Some(key) => (key.wrapped, key.destroyed_at_us) = (gone, Some(now_us)),
            None => {
                self.0.insert(StoredKey {
                    version: 0,
                    destroyed_at_us: Some(now_us),
                    ..StoredKey::new(subject, gone, now_us)
                });
            }
        }
        Ok(())
    }
}

impl Room for Keys {
    fn is_missing(&self) -> bool {
        self.0.is_missing()
    }
    async fn load(&mut self, conn: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        self.0.load(conn).await
    }
    fn settle(&mut self) {
        // Keys are made and wrapped anew outside of this room too: nothing of them is remembered.
        self.0 = Slot::default();
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

/// The service cannot work with the master keys that it was given.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The database cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The keys in the database are under a master key that is not given, or not this one.
    #[error("the data of this service cannot be opened: {0}")]
    Key(#[from] KeyFault),
    /// The write path does not take the service's own key.
    #[error("the key of the service cannot be kept: {0}")]
    Kept(String),
}

type Remembered = HashMap<Uuid, (Option<Arc<DataKey>>, Instant)>;

/// Opens what was sealed, for reads. Cheap to clone.
#[derive(Clone)]
pub struct KeyRing {
    db: Db,
    service: &'static str,
    master_keys: MasterKeys,
    own: Arc<DataKey>,
    remembered: Arc<Mutex<Remembered>>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").field("service", &self.service).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// The keys in the database behind `door`. Makes the service's own key at the first start, and refuses to start when
    /// it is under a master key that is not given: a replica with other keys would write what nobody else can read.
    pub async fn start<S: Service>(db: Db, door: &Door<S>, master_keys: MasterKeys) -> Result<Self, KeyRingError> {
        if find(&db, NOBODY).await?.is_none() {
            let wrapped = master_keys.wrap(S::NAME, NOBODY, &DataKey::generate())?;
            let kept = door.chore("first start", Task::KeepKey { subject: NOBODY, wrapped }).await;
            kept.map_err(|refused| KeyRingError::Kept(refused.to_string()))?;
        }
        let stored = find(&db, NOBODY).await?.ok_or_else(|| KeyRingError::Kept("it is not there".to_owned()))?;
        let own = stored.open(S::NAME, &master_keys)?.ok_or(KeyFault::Unsealed)?;
        Ok(Self { db, service: S::NAME, master_keys, own: Arc::new(own), remembered: Arc::default() })
    }

    /// The key of this service's look-ups.
    pub fn lookup_key(&self) -> LookupKey {
        LookupKey::of(&self.own)
    }

    /// Opens texts of one column, each with its subject, its record and what is stored. `None` stands for a text whose
    /// key is destroyed.
    pub async fn open(
        &self,
        table: &str,
        field: &str,
        sealed: &[(Uuid, Uuid, &[u8])],
    ) -> store::Result<Vec<Option<String>>> {
        let keys = self.keys(sealed.iter().map(|(subject, ..)| *subject).collect()).await?;
        let open = |(subject, record, bytes): &(Uuid, Uuid, &[u8])| {
            let place = Place { service: self.service, table, field, record: *record, subject: *subject };
            let text = keys.get(subject)?.as_ref()?.open(&place, bytes);
            match text {
                Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
                Err(fault) => {
                    // Nothing is there once a text came after the key had gone.
                    if !bytes.is_empty() {
                        tracing::error!(service = self.service, table, field, %record, %fault, "a text does not open");
                    }
                    None
                }
            }
        };
        Ok(sealed.iter().map(open).collect())
    }

    /// Forgets the keys that are remembered in the clear, so that the destroyed among them open nothing from now on.
    pub fn forget(&self) {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn keys(&self, mut subjects: Vec<Uuid>) -> store::Result<HashMap<Uuid, Option<Arc<DataKey>>>> {
        subjects.sort_unstable();
        subjects.dedup();
        let now = Instant::now();
        let mut found = HashMap::new();
        {
            let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            subjects.retain(|subject| match remembered.get(subject) {
                Some((key, until)) if *until > now => {
                    found.insert(*subject, key.clone());
                    false
                }
                _ => true,
            });
        }
        if subjects.is_empty() {
            return Ok(found);
        }
        let rows: Vec<KeyRow> = self.db.fetch_all(sql::KEYS, args![&subjects]).await?;
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() + rows.len() > MAX_REMEMBERED {
            remembered.clear();
        }
        for row in rows {
            let stored = StoredKey::of_row(row);
            let subject = stored.subject;
            let key = stored.open(self.service, &self.master_keys).unwrap_or_else(|fault| {
                tracing::error!(service = self.service, %subject, %fault, "the key of a customer does not open");
                None
            });
            let key = key.map(Arc::new);
            remembered.insert(subject, (key.clone(), now + REMEMBERED));
            found.insert(subject, key);
        }
        Ok(found)
    }

    /// Brings every key under the newest master key, a few at a time; gives how many. Readers and writers go on
    /// meanwhile; afterwards the old master key may be taken away.
    pub async fn rewrap<S: Service>(&self, door: &Door<S>) -> Result<u64, KeyRingError> {
        let mut rewrapped = 0;
        loop {
            let current = self.master_keys.current();
            let rows: Vec<KeyRow> = self.db.fetch_all(sql::KEYS_UNDER_OTHERS, args![current, MAX_REWRAPPED]).await?;
            let mut keys = Vec::with_capacity(rows.len());
            for stored in rows.into_iter().map(StoredKey::of_row) {
                let Some(key) = stored.open(self.service, &self.master_keys)? else { continue };
                let to = self.master_keys.wrap(self.service, stored.subject, &key)?;
                keys.push(Rewrap { subject: stored.subject, from_id: stored.wrapped.master_key_id, to });
            }
            if keys.is_empty() {
                return Ok(rewrapped);
            }
            let done = door.chore("key rotation", Task::Rewrap(keys)).await;
            rewrapped += done.map_err(|refused| KeyRingError::Kept(refused.to_string()))?;
        }
    }
}

async fn find(db: &Db, subject: Uuid) -> store::Result<Option<StoredKey>> {
    let rows: Vec<KeyRow> = db.fetch_all(sql::KEYS, args![&vec![subject]]).await?;
    Ok(rows.into_iter().next().map(StoredKey::of_row))
}
