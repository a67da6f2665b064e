//! Taking dead letters up again, or giving them up: the parked events of one aggregate in their order, each in
//! the transaction of its effect.

use std::sync::Arc;

use commit::{AuditNote, DeadLetter, DeadLetters, Door, LogEvent, Refused, Service};
use uuid::Uuid;

use crate::consumer::React;

/// Dead letters looked at in one go.
const PAGE: i64 = 100;

/// What came of a redrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// Events taken up, or given up.
    pub done: u64,
    /// Events of the aggregate that still wait.
    pub remaining: u64,
    /// Why the first of these could not be applied.
    pub reason: Option<String>,
}

/// A redrive could not be carried out; what was done before stands.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// The dead letters cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The write path cannot take the command now.
    #[error("the write path does not answer: {0}")]
    Busy(String),
}

/// The dead letters of one consumer of service `S`.
pub struct Redrive<S: Service> {
    consumer: &'static str,
    dead: DeadLetters,
    door: Door<S>,
    react: React<S>,
    note: Option<Arc<AuditNote>>,
}

impl<S: Service> Clone for Redrive<S> {
    fn clone(&self) -> Self {
        let Self { consumer, dead, door, react, note } = self;
        Self { consumer, dead: dead.clone(), door: door.clone(), react: react.clone(), note: note.clone() }
    }
}

impl<S: Service> std::fmt::Debug for Redrive<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redrive").field("consumer", &self.consumer).finish()
    }
}

impl<S: Service> Redrive<S> {
    /// The dead letters of `consumer`; `react` is the one that the consumer runs with.
    pub const fn new(consumer: &'static str, dead: DeadLetters, door: Door<S>, react: React<S>) -> Self {
        Self { consumer, dead, door, react, note: None }
    }

    /// The same in the name of somebody: `note` goes into the audit trail with each letter that is taken up.
    #[must_use]
    pub fn noted(&self, note: AuditNote) -> Self {
        Self { note: Some(Arc::new(note)), ..self.clone() }
    }

    /// Dead letters of one source that wait behind sequence `after`, oldest first.
    pub async fn list(&self, source: &str, after: i64, max: i64) -> store::Result<Vec<DeadLetter>> {
        self.dead.list(self.consumer, source, after, max).await
    }

    /// Applies the waiting events of one aggregate in their order, and stops at the first that still cannot
    /// be applied. Events that arrive meanwhile wait behind them and are applied as well.
    pub async fn redrive(&self, source: &str, aggregate: Uuid) -> Result<Redriven, RedriveError> {
        let mut redriven = Redriven::default();
        loop {
            let letters = self.dead.list_of(self.consumer, source, aggregate, PAGE).await?;
            if letters.is_empty() {
                return Ok(redriven);
            }
            for letter in letters {
                match self.one(&letter).await {
                    Ok(()) => redriven.done += 1,
                    // Another operator was faster.
                    Err(Failed::Gone) => {}
                    Err(Failed::Still(reason)) => {
                        redriven.reason = Some(reason);
                        redriven.remaining = self.count(source, aggregate).await?;
                        return Ok(redriven);
                    }
                    Err(Failed::Busy(reason)) => return Err(RedriveError::Busy(reason)),
                }
            }
        }
    }

    /// Gives up all waiting events of one aggregate; later ones flow again.
    pub async fn discard(&self, source: &str, aggregate: Uuid) -> Result<Redriven, RedriveError> {
        let mut redriven = Redriven::default();
        loop {
            let letters = self.dead.list_of(self.consumer, source, aggregate, PAGE).await?;
            if letters.is_empty() {
                return Ok(redriven);
            }
            for letter in letters {
                redriven.done += u64::from(self.discard_one(letter.id).await?);
            }
        }
    }

    /// Gives up a single dead letter, so that those behind it can be redriven; `false` when it does not wait.
    pub async fn discard_one(&self, id: Uuid) -> Result<bool, RedriveError> {
        match self.door.discard(id, self.note.clone()).await {
            Ok(()) => Ok(true),
            Err(Refused::NotParked) => Ok(false),
            Err(refused) => Err(RedriveError::Busy(refused.to_string())),
        }
    }

    async fn one(&self, letter: &DeadLetter) -> Result<(), Failed> {
        let event = LogEvent::from_bytes(&letter.event)
            .ok_or_else(|| Failed::Still("the stored event does not decode".to_owned()))?;
        let react = std::panic::AssertUnwindSafe(|| (self.react)(&event));
        let effect = std::panic::catch_unwind(react)
            .map_err(|_| Failed::Still("the handler of the event panicked".to_owned()))?
            .map_err(|poison| Failed::Still(poison.to_string()))?;
        self.door.redrive(letter.id, effect, self.note.clone()).await.map_err(|refused| match refused {
            Refused::NotParked => Failed::Gone,
            refused if refused.is_transient() => Failed::Busy(refused.to_string()),
            refused => Failed::Still(refused.to_string()),
        })
    }

    async fn count(&self, source: &str, aggregate: Uuid) -> store::Result<u64> {
        Ok(self.dead.list_of(self.consumer, source, aggregate, i64::from(u16::MAX)).await?.len() as u64)
    }
}

enum Failed {
    Gone,
    Still(String),
    Busy(String),
}
