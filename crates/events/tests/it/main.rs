//! Events over real servers and both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
