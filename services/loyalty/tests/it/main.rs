//! The loyalty service against real engines, called as a client calls it and told what its neighbours tell.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_loyalty as loyalty;

mod bench;
mod earning;
mod goodwill;
mod ledger;
mod members;
mod neighbours;
mod programs;
mod rows;
mod statements;
