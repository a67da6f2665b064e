//! The write path against real engines: every behaviour on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_commit as commit;

mod accountability;
mod alone;
mod bank;
mod batching;
mod consuming;
mod engines;
mod idempotency;
mod laws;
mod letters;
mod tls;
