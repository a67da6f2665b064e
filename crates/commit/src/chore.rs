//! Housekeeping of the write path itself: stored answers past their time, keys under a newer master key, notes for the
//! audit trail. Chores go through the door like every change, since a service has one writer; no rule of a service
//! lives here.

use std::collections::HashMap;
use std::sync::Arc;

use store::{Conn, Rows, args};
use uuid::Uuid;
use vault::Wrapped;

use crate::aggregate::Corrupt;
use crate::audit::{AuditNote, Noted};
use crate::base::Base;
use crate::cause::{Cause, CauseParts};
use crate::door::{Door, Once, Refused};
use crate::slot::Missing;
use crate::sql;
use crate::verb::{Cx, Service};
use crate::world::Room;

/// Stored answers that one transaction takes away: few enough that nobody who writes notices.
const MAX_FORGOTTEN: i64 = 2_000;

/// A stored key that gets a new wrapping.
#[derive(Clone, Debug)]
pub(crate) struct Rewrap {
    pub subject: Uuid,
    /// The master key that it was under; when it is another by now, nothing is done.
    pub from_id: String,
    pub to: Wrapped,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Takes answers away that were stored before this instant, microseconds since the Unix epoch.
    Forget { before_us: i64 },
    /// Wraps keys anew.
    Rewrap(Vec<Rewrap>),
    /// Keeps a new key, unless one is kept already.
    KeepKey { subject: Uuid, wrapped: Wrapped },
    /// Adds notes to the audit trail.
    Note(Vec<AuditNote>),
}

/// One chore on its way through the queue.
#[derive(Clone, Debug)]
pub(crate) struct Chore {
    id: Uuid,
    task: Arc<Task>,
}

impl Chore {
    fn new(task: Task) -> Self {
        Self { id: Uuid::now_v7(), task: Arc::new(task) }
    }

    /// Does the chore, or asks for its statements to be run first. Gives the number of rows that it touched.
    pub(crate) fn decide<S: Service>(&self, base: &mut Base, cx: &mut Cx<'_, S>) -> Result<u64, Missing> {
        if let Task::Note(notes) = &*self.task {
            for note in notes {
                base.notes.push(Noted { id: cx.new_id(), recorded_at_us: cx.now_us, note: note.clone() });
            }
            return Ok(notes.len() as u64);
        }
        let done = base.chores.run(self, cx.now_us)?;
        if done > 0 {
            base.notes.push(Noted { id: cx.new_id(), recorded_at_us: cx.now_us, note: self.note(done, cx.by) });
        }
        Ok(done)
    }

    fn note(&self, done: u64, by: &str) -> AuditNote {
        let (act, record_type, record_id) = match &*self.task {
            Task::Forget { .. } => ("ForgetAnswers", "request", None),
            Task::Rewrap(_) => ("RewrapKeys", "data_key", None),
            Task::KeepKey { subject, .. } => ("KeepKey", "data_key", Some(*subject)),
            Task::Note(_) => ("Note", "audit_log", None),
        };
        AuditNote {
            cause: Cause::new(CauseParts { kind: "system", from: "", act, who: by }),
            record_type: record_type.to_owned(),
            record_id,
            customer: None,
            branch: None,
            items: i64::try_from(done).unwrap_or(i64::MAX),
            reason: None,
            trace: None,
        }
    }
}

/// The room of chores in a batch: their statements run where others load, inside of the transaction.
#[derive(Debug, Default)]
pub(crate) struct Chores {
    asked: Vec<(Chore, i64)>,
    done: HashMap<Uuid, u64>,
}

impl Chores {
    fn run(&mut self, chore: &Chore, now_us: i64) -> Result<u64, Missing> {
        if let Some(done) = self.done.get(&chore.id) {
            return Ok(*done);
        }
        // A command may be asked again before anything is loaded; its statements run once all the same.
        if !self.asked.iter().any(|(known, _)| known.id == chore.id) {
            self.asked.push((chore.clone(), now_us));
        }
        Err(Missing)
    }
}

async fn perform(task: &Task, now_us: i64, conn: &mut Conn) -> store::Result<u64> {
    match task {
        Task::Forget { before_us } => conn.execute(sql::FORGET_REQUESTS, args![*before_us, MAX_FORGOTTEN]).await,
        Task::Rewrap(keys) => {
            let mut done = 0;
            for Rewrap { subject, from_id, to } in keys {
                let args = args![*subject, from_id, to.bytes.as_slice(), &to.master_key_id];
                done += conn.execute(sql::REWRAP_KEY, args).await?;
            }
            Ok(done)
        }
        Task::KeepKey { subject, wrapped } => {
            let args = args![*subject, wrapped.bytes.as_slice(), &wrapped.master_key_id, now_us];
            conn.execute(sql::KEEP_KEY, args).await
        }
        Task::Note(_) => Ok(0),
    }
}

impl Room for Chores {
    fn is_missing(&self) -> bool {
        !self.asked.is_empty()
    }

    async fn load(&mut self, conn: &mut Conn) -> store::Result<Result<(), Corrupt>> {
        for (chore, now_us) in std::mem::take(&mut self.asked) {
            let done = perform(&chore.task, now_us, conn).await?;
            self.done.insert(chore.id, done);
        }
        Ok(Ok(()))
    }

    fn settle(&mut self) {
        *self = Self::default();
    }

    fn keep(&mut self) {}

    fn drop_drafts(&mut self) {}

    fn forgo(&mut self) {
        self.done.extend(std::mem::take(&mut self.asked).into_iter().map(|(chore, _)| (chore.id, 0)));
    }

    fn rows(&self, _: &mut Vec<Rows>) {}
}

impl<S: Service> Door<S> {
    /// Takes away answers that were stored before `before_us` (microseconds since the Unix epoch), a few thousand at a
    /// time; gives how many. A repeat of such a request is a new one afterwards.
    pub async fn forget_answers(&self, before_us: i64) -> Result<u64, Refused<S::Refusal>> {
        let mut forgotten = 0;
        loop {
            let done = self.chore("retention", Task::Forget { before_us }).await?;
            forgotten += done;
            if done == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// Adds notes to the audit trail.
    pub async fn note(&self, notes: Vec<AuditNote>) -> Result<(), Refused<S::Refusal>> {
        if notes.is_empty() {
            return Ok(());
        }
        self.chore("audit", Task::Note(notes)).await.map(drop)
    }

    pub(crate) async fn chore(&self, by: &'static str, task: Task) -> Result<u64, Refused<S::Refusal>> {
        let done = self.send(None, Once::Chore(Chore::new(task)), by, None).await?.await?;
        Ok(done.as_ref().try_into().map_or(0, u64::from_be_bytes))
    }
}
