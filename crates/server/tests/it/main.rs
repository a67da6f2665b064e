//! Integration tests of the server kit: real sockets, real connections, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
