//! What happened in a run, step by step, with virtual times. Nothing is written down unless someone will read it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// The steps of one run. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Trace {
    began: Instant,
    steps: Option<Arc<Mutex<Vec<String>>>>,
}

impl Trace {
    /// A trace that begins now, and that is kept or not.
    pub(crate) fn new(kept: bool) -> Self {
        Self { began: Instant::now(), steps: kept.then(Arc::default) }
    }

    /// Writes a step down.
    pub(crate) fn step(&self, tell: impl FnOnce() -> String) {
        if let Some(steps) = &self.steps {
            let line = format!("{:>7} ms  {}", self.began.elapsed().as_millis(), tell());
            steps.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    }

    /// All steps so far.
    pub(crate) fn steps(&self) -> Vec<String> {
        self.steps
            .as_ref()
            .map(|steps| steps.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }
}
