//! A short run of the ledger harness, as part of every test run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fork;
mod ledger;
mod proxy;
