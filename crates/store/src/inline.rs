//! Calls that block: how a simulation, alone on one thread and with a time of its own, keeps the threads of SQLite out
//! of the order of its events. Nothing in production asks for it.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use tokio::runtime::Handle;

/// Whether calls block, and the runtime that does meanwhile what they leave to others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inline(Option<Handle>);

impl Inline {
    pub(crate) const fn on(handle: Handle) -> Self {
        Self(Some(handle))
    }

    /// Awaits `call`, or blocks until it has ended.
    pub(crate) async fn run<F: Future>(&self, call: F) -> F::Output {
        match &self.0 {
            None => call.await,
            Some(handle) => block_on(handle, call),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(handle: &Handle, call: F) -> F::Output {
    let _entered = handle.enter();
    // The budget of the task that we block belongs to others; used up, it would never let this call end.
    let mut call = pin!(tokio::task::unconstrained(call));
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        if let Poll::Ready(output) = call.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}
