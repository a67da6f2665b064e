//! How many streams each caller has open. A seat is free again when its stream is dropped.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use server::status;
use tonic::{Code, Status};

use crate::limits;

type Taken = HashMap<Arc<str>, usize>;

/// The seats of all callers. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Mutex<Taken>>);

/// One taken seat.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    subject: Arc<str>,
}

impl Seats {
    /// A seat for `subject`; RESOURCE_EXHAUSTED when it has all that it may have.
    pub fn take(&self, subject: &Arc<str>) -> Result<Seat, Status> {
        let mut taken = self.lock();
        let count = taken.entry(subject.clone()).or_default();
        if *count >= limits::MAX_STREAMS_PER_CALLER {
            let message = format!("a caller may have {} event streams open", limits::MAX_STREAMS_PER_CALLER);
            return Err(status::with_reason(Code::ResourceExhausted, "TOO_MANY_STREAMS", message));
        }
        *count += 1;
        Ok(Seat { seats: self.clone(), subject: subject.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(count) = taken.get_mut(&self.subject) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.subject);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn seats_run_out_for_one_caller_and_come_back() {
        let seats = Seats::default();
        let (ann, bob): (Arc<str>, Arc<str>) = ("ann".into(), "bob".into());
        let mut held: Vec<Seat> = (0..limits::MAX_STREAMS_PER_CALLER).map(|_| seats.take(&ann).unwrap()).collect();
        assert_eq!(seats.take(&ann).unwrap_err().code(), Code::ResourceExhausted);
        assert!(seats.take(&bob).is_ok());
        held.pop();
        assert!(seats.take(&ann).is_ok());
        drop(held);
        assert!(seats.lock().is_empty());
    }
}
