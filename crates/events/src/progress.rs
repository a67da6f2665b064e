//! How far a consumer is with one source, for health, metrics and tests.

/// What a consumer is doing with one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It looks where it stands.
    Starting,
    /// It reads and applies.
    Live,
    /// The same consumer runs in another replica and is ahead: this one is ready to take over.
    Following,
    /// Something is away: it tries again and again.
    Waiting {
        /// What.
        reason: String,
    },
    /// It cannot go on without an operator.
    Halted {
        /// Why.
        reason: String,
    },
    /// It was stopped.
    Stopped,
}

/// How far a consumer is with one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The consumer.
    pub consumer: &'static str,
    /// The log it reads.
    pub source: String,
    /// What it is doing.
    pub phase: Phase,
    /// The newest event that is done with.
    pub cursor: i64,
    /// The newest event of the log that it has heard of.
    pub head_seq: i64,
    /// Events applied by this process.
    pub applied: u64,
    /// Events that mean nothing to this service.
    pub ignored: u64,
    /// Events that this process made dead letters because they could not be applied.
    pub parked: u64,
    /// Times that it had to begin again from its cursor.
    pub restarts: u64,
}

impl Progress {
    pub(crate) fn new(consumer: &'static str, source: &str) -> Self {
        Self {
            consumer,
            source: source.to_owned(),
            phase: Phase::Starting,
            cursor: 0,
            head_seq: 0,
            applied: 0,
            ignored: 0,
            parked: 0,
            restarts: 0,
        }
    }

    /// Events that are known and not done with.
    pub const fn lag(&self) -> i64 {
        if self.head_seq > self.cursor { self.head_seq - self.cursor } else { 0 }
    }
}
