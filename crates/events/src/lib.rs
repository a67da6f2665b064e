//! Events between services: the envelope, the relay from an event log to NATS JetStream, the readers, and
//! the runner that turns the events of other services into commands of this one. The only crate that
//! names NATS; no service and no event type is known here.
//!
//! Laws, each with a test: the sequence in the stream is the sequence in the log; a reader gives every event
//! once, in order, and never skips one; an event takes effect exactly once, whoever else runs the same
//! consumer; an event that cannot be applied stops only its own aggregate; writers never wait for the bus.
//!
//! ```text
//! EventLog ──► Bus::publish ─┬─ local ──────────────────────► Source ──► Reader ──► Bus::consume ──► Door::apply
//!                            └─ relay ──► KARIBU_<SERVICE> ─► Source      └────────► Bus::tail (the gateway)
//! ```

mod bus;
mod chance;
mod consumer;
mod envelope;
mod link;
mod names;
mod nats;
mod progress;
mod reader;
mod redrive;
mod relay;
mod source;
mod stream;

// Inside of the library, because it takes the place of NATS; beside the other tests, because it is one.
#[cfg(test)]
#[path = "../tests/sim/mod.rs"]
mod sim;

pub use bus::{BackfillOf, Bus, react};
pub use consumer::{ConsumerOptions, Poison, React, process_span};
pub use envelope::{Envelope, EnvelopeError};
pub use names::Names;
pub use nats::{ConnectError, NatsOptions};
pub use progress::{Phase, Progress};
pub use reader::{Lost, Reader};
pub use redrive::{Redrive, RedriveError, Redriven};
pub use relay::{RelayPhase, RelayState};
pub use source::{Backfill, BoxError, BoxFuture, Page, Source};
