//! Tests of the profile service against real engines and through its own methods.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
