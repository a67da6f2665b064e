//! A task that can be stopped like a process: killed at any await, with all it had in memory; or frozen while the world
//! goes on, and continued with what it believed before.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;

/// What is asked of the task before each of its steps: whether it dies now.
pub(crate) type Trip = Box<dyn Fn() -> bool + Send>;

#[derive(Default)]
struct State {
    dead: bool,
    frozen: bool,
    trip: Option<Trip>,
    waker: Option<Waker>,
}

/// The handle of a task.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

impl Gate {
    /// Runs `work` behind this gate. What it held is let go on the runtime `elsewhere`.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static, elsewhere: &Handle) -> Self {
        let gate = Self::default();
        tokio::spawn(Gated { work: Some(Box::pin(work)), gate: gate.clone(), elsewhere: elsewhere.clone() });
        gate
    }

    /// The task ends before its next step. [`Gated`] lets go of what it held when it is polled next: at once after a
    /// yield of the caller.
    pub(crate) fn kill(&self) {
        self.change(|state| state.dead = true);
    }

    /// The task dies before the first step at which `trip` holds.
    pub(crate) fn kill_when(&self, trip: Trip) {
        self.change(|state| state.trip = Some(trip));
    }

    pub(crate) fn freeze(&self, frozen: bool) {
        self.change(|state| state.frozen = frozen);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).dead
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }
}

struct Gated {
    work: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    gate: Gate,
    elsewhere: Handle,
}

impl Gated {
    fn end(&mut self) {
        let _elsewhere = self.elsewhere.enter();
        self.work = None;
    }
}

impl Future for Gated {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let frozen = {
            let mut state = self.gate.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.dead = state.dead || state.trip.as_ref().is_some_and(|trip| trip());
            state.waker = Some(cx.waker().clone());
            if state.dead { None } else { Some(state.frozen) }
        };
        let done = match (frozen, &mut self.work) {
            (None, _) | (_, None) => true,
            (Some(true), _) => false,
            (Some(false), Some(work)) => work.as_mut().poll(cx).is_ready(),
        };
        if !done {
            return Poll::Pending;
        }
        self.end();
        Poll::Ready(())
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        self.end();
    }
}
