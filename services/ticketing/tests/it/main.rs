//! The ticketing service against real engines, and called as a client calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_ticketing as ticketing;

mod bench;
mod casework;
mod clock_rows;
mod clocks;
mod import;
mod lists;
mod neighbours;
mod remedies;
mod rows;
mod search;
mod statements;
mod story;
mod timer;
