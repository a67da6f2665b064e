//! How many connections each address has open. A seat is free again when its connection ends.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Taken = HashMap<IpAddr, usize>;

/// The seats of all addresses at one listener. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    each: usize,
    taken: Arc<Mutex<Taken>>,
}

/// One taken seat.
pub(super) struct Seat {
    seats: Seats,
    address: IpAddr,
}

impl Seats {
    /// `each` address may have this many.
    pub(super) fn new(each: usize) -> Self {
        Self { each, taken: Arc::default() }
    }

    /// A seat; `None` when the address has all that it may have.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let mut taken = self.lock();
        let count = taken.entry(address).or_default();
        if *count >= self.each {
            return None;
        }
        *count += 1;
        Some(Seat { seats: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        if let Some(count) = taken.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn seats_run_out_for_one_address_and_come_back() {
        let seats = Seats::new(2);
        let (near, far) = (IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv4Addr::BROADCAST));
        let held = (seats.take(near), seats.take(near));
        assert!(held.0.is_some() && held.1.is_some());
        assert!(seats.take(near).is_none());
        assert!(seats.take(far).is_some());
        drop(held);
        assert!(seats.lock().is_empty());
        assert!(seats.take(near).is_some());
    }
}
