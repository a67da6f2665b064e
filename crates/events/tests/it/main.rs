//! Events over real servers and both engines: what consumers, relays and readers promise, shown on a small till
//! whose events a tally books.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

// Every other crate knows this one by its short name; so do its own tests.
extern crate karibu_events as events;

mod consuming;
mod relaying;
mod shop;
mod stage;
