//! What the tests of every service stand on: a fresh database on each engine, the logs of the other services, readers
//! of failures. For tests only, and for whatever no service differs in: payloads and stories stay with the service.
//!
//! What cannot be set up panics, because a test that cannot run must not pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // for tests only

mod failure;
mod ground;
mod neighbours;
mod rows;

pub use failure::{fields, reason};
pub use ground::{Bench, Ground, both};
pub use neighbours::{About, Name, Neighbour, Neighbours, SOON, Tell, Told};
pub use rows::{check_schemas, check_statements, check_survival};
