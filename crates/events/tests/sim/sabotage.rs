//! Promises broken on purpose, where the simulation can do it without touching what runs in production. Each must be
//! caught: a simulator that cannot fail shows nothing.

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// The relay publishes without saying which sequence must stand before.
    NoExpectedSequence,
    /// Every ack, whatever it says or whether it comes, is one that the event is stored.
    EveryAckIsGood,
    /// A message refused by the stream counts as published.
    RefusalsAreGood,
    /// The verb of a timer does not look whether anything is still due.
    TimersFireBlindly,
    /// A repeat is taken for a new command.
    KeysAreForgotten,
    /// The owner of the log tells nothing of what lies behind a hole in the stream.
    OwnerIsMute,
    /// One event in eight moves the cursor and has no effect.
    BookingsAreLeftOut,
    /// A stream that is ahead of its log says that it ends where the log ends.
    StreamIsNeverAhead,
}

impl Sabotage {
    pub(crate) const ALL: [Self; 8] = [
        Self::NoExpectedSequence,
        Self::EveryAckIsGood,
        Self::RefusalsAreGood,
        Self::TimersFireBlindly,
        Self::KeysAreForgotten,
        Self::OwnerIsMute,
        Self::BookingsAreLeftOut,
        Self::StreamIsNeverAhead,
    ];
}
