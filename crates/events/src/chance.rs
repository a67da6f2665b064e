//! Random numbers for pauses and spot checks: those of the thread, or in simulations those of a seed.

#[cfg(test)]
use std::sync::{Arc, Mutex, PoisonError};

/// Where random numbers come from. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Chance {
    /// From the generator of the thread.
    Thread,
    /// From a seed that a simulation was given.
    #[cfg(test)]
    Seeded(Arc<Mutex<crate::sim::dice::Dice>>),
}

impl Chance {
    /// A number from `low` on and below `high`.
    pub(crate) fn between(&self, low: f64, high: f64) -> f64 {
        match self {
            Self::Thread => rand::random_range(low..high),
            #[cfg(test)]
            Self::Seeded(dice) => low + (high - low) * dice.lock().unwrap_or_else(PoisonError::into_inner).unit(),
        }
    }

    /// A sequence from `first` to `last`, both included.
    pub(crate) fn sequence(&self, first: i64, last: i64) -> i64 {
        match self {
            Self::Thread => rand::random_range(first..=last),
            #[cfg(test)]
            Self::Seeded(dice) => dice.lock().unwrap_or_else(PoisonError::into_inner).among(first, last),
        }
    }
}
