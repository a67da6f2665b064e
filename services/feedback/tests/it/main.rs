//! The feedback service against real engines, beside logs of its neighbours, and called as a client calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

extern crate karibu_feedback as feedback;

mod answers;
mod bench;
mod invitations;
mod neighbours;
mod rows;
mod scores;
mod statements;
mod surveys;
