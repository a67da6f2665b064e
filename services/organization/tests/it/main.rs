//! The organization service against real engines, and called as a client calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_organization as organization;

mod api;
mod bench;
mod calendars;
mod first_key;
mod identity;
mod key_care;
mod keys;
mod roles;
mod rows;
mod staff_at_work;
mod statements;
