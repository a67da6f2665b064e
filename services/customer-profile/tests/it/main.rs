//! The profile service against real engines, and called as a client calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_customer_profile as profile;

mod audit;
mod bench;
mod customers;
mod neighbours;
mod purchases;
mod rows;
mod scope;
mod statements;
mod timeline;
