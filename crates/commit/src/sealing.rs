//! Sealing personal texts on their way into a batch: under the key of their customer, which is made with its first
//! text. A batch without such texts pays nothing.

use std::collections::HashMap;

use store::{Conn, Error, Rows, Unsealed};
use uuid::Uuid;
use vault::{DataKey, KeyFault, MasterKeys, Place};

use crate::aggregate::Aggregate;
use crate::keys::{DATA_KEY, KeyRow, StoredKey};

/// Seals the texts of one service.
#[derive(Debug)]
pub(crate) struct Sealing {
    service: &'static str,
    master_keys: MasterKeys,
}

impl Sealing {
    pub(crate) const fn new(service: &'static str, master_keys: MasterKeys) -> Self {
        Self { service, master_keys }
    }

    /// Fills in the ciphertext of every text that waits in `rows`, and adds the keys that were made for it. A text of a
    /// customer whose key is destroyed is not kept.
    pub(crate) async fn seal(&self, conn: &mut Conn, rows: &mut Vec<Rows>, now_us: i64) -> store::Result<()> {
        let texts: Vec<(usize, Unsealed)> = rows
            .iter_mut()
            .enumerate()
            .flat_map(|(place, rows)| rows.take_unsealed().into_iter().map(move |text| (place, text)))
            .collect();
        let mut subjects: Vec<Uuid> = texts.iter().map(|(_, text)| text.subject).collect();
        subjects.sort_unstable();
        subjects.dedup();
        let keys = self.keys(conn, &subjects, rows, now_us).await?;
        for (place, text) in texts {
            let ciphertext = match keys.get(&text.subject).and_then(Option::as_ref) {
                Some(key) => {
                    let table = rows[place].table().name();
                    let Unsealed { subject, record, field, .. } = text;
                    let bound = Place { service: self.service, table, field, record, subject };
                    key.seal(&bound, text.text.as_bytes()).map_err(faulty)?
                }
                None => Vec::new(),
            };
            rows[place].fill(&text, ciphertext);
        }
        Ok(())
    }

    /// The keys of `subjects`; `None` for one that is destroyed. Those that are made new are added to `rows`.
    async fn keys(
        &self,
        conn: &mut Conn,
        subjects: &[Uuid],
        rows: &mut Vec<Rows>,
        now_us: i64,
    ) -> store::Result<HashMap<Uuid, Option<DataKey>>> {
        let stored: Vec<KeyRow> = conn.load(&DATA_KEY, subjects).await?;
        let mut keys = HashMap::with_capacity(subjects.len());
        for stored in stored.into_iter().map(StoredKey::of_row) {
            keys.insert(stored.subject(), stored.open(self.service, &self.master_keys).map_err(faulty)?);
        }
        let mut fresh = Rows::fresh(&DATA_KEY);
        for subject in subjects.iter().filter(|subject| !keys.contains_key(*subject)).copied().collect::<Vec<_>>() {
            let key = DataKey::generate();
            let wrapped = self.master_keys.wrap(self.service, subject, &key).map_err(faulty)?;
            StoredKey::new(subject, wrapped, now_us).to_row(&mut fresh);
            keys.insert(subject, Some(key));
        }
        if !fresh.is_empty() {
            rows.push(fresh);
        }
        Ok(keys)
    }
}

fn faulty(fault: KeyFault) -> Error {
    Error::Faulty(sqlx::Error::Encode(Box::new(fault)))
}
