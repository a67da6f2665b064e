//! Service levels: how soon we said we would do what. `policy` says what was promised, `hours` when time counts, `mark`
//! what happened, `replay` makes clocks of all three, `watch` keeps them with a complaint, `rules` is what verbs go by.
//!
//! Clocks are not stored. What is stored are the marks, which are only added to; the same marks always give the same
//! clocks, and every clock can be explained interval by interval.

pub mod hours;
pub mod mark;
pub mod policy;
pub mod replay;
#[cfg(test)]
mod replay_tests;
pub mod rules;
pub mod watch;

pub use mark::{Fact, Mark};
pub use policy::{SlaPolicy, Target, Terms};
pub use replay::{Alarm, AlarmKind, ClockRun, Interval, replay};
pub use rules::Rules;
pub use watch::Watch;

use super::code::codes;

codes! {
    /// What a clock measures.
    pub enum Metric {
        /// From opening until the customer knows that we have it; an answer of a machine counts.
        Ack = "ACK",
        /// From opening until the first answer of a person.
        FirstResponse = "FIRST_RESPONSE",
        /// From the first message that nobody answered until a person does.
        NextResponse = "NEXT_RESPONSE",
        /// From one word of ours to the next, until it is resolved.
        Update = "UPDATE",
        /// From opening until it is resolved.
        Resolution = "RESOLUTION",
        /// From assignment until it is resolved or somebody else takes it.
        TeamResolution = "TEAM_RESOLUTION",
        /// From receipt until it is acknowledged, in calendar time, without pauses.
        RegulatoryAck = "REGULATORY_ACK",
        /// From receipt until it is resolved, in calendar time, without pauses.
        RegulatoryFinal = "REGULATORY_FINAL",
    }

    /// How far a clock is.
    pub enum ClockState {
        /// It runs.
        Running = "RUNNING",
        /// It waits for somebody else.
        Paused = "PAUSED",
        /// What it measures was done, in time or late.
        Met = "MET",
        /// What it measures is no longer owed.
        Cancelled = "CANCELLED",
    }

    /// How a case stands with all its clocks.
    #[derive(Default)]
    pub enum SlaState {
        /// Nothing is promised.
        #[default]
        Unwatched = "NONE",
        /// All is in time.
        OnTrack = "ON_TRACK",
        /// Most of a time has passed.
        AtRisk = "AT_RISK",
        /// A time is over.
        Breached = "BREACHED",
        /// No clock runs, since it waits for somebody else.
        Paused = "PAUSED",
        /// Nothing is owed any more.
        Done = "DONE",
    }

    /// What began an interval of a clock, or ended it.
    pub enum Reason {
        /// The case came in.
        Opened = "OPENED",
        /// The customer was told that we have it.
        Acknowledged = "ACKNOWLEDGED",
        /// The customer wrote.
        CustomerWrote = "CUSTOMER_WROTE",
        /// We answered.
        Answered = "ANSWERED",
        /// It began to wait for somebody else.
        WaitBegan = "WAIT_BEGAN",
        /// It no longer waits.
        WaitEnded = "WAIT_ENDED",
        /// It has an owner, or another one.
        Assigned = "ASSIGNED",
        /// Another branch handles it.
        Moved = "MOVED",
        /// Other targets hold.
        TermsChanged = "TERMS_CHANGED",
        /// It was resolved.
        Resolved = "RESOLVED",
        /// It was taken up again.
        Reopened = "REOPENED",
        /// It was withdrawn, merged or closed.
        Ended = "ENDED",
    }
}

impl Metric {
    /// Whether it is measured in calendar time and never pauses.
    pub const fn is_regulatory(self) -> bool {
        matches!(self, Self::RegulatoryAck | Self::RegulatoryFinal)
    }
}
