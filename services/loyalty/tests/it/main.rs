//! The loyalty service as others meet it: on both engines, through its calls, and by the events that it hears.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]
