//! Journeys: the story in both modes, real files, and clients that we did not write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod configuration;
mod customers;
mod foreign_clients;
mod imports;
mod persistence;
mod plain_http;
mod security;
mod story;
mod traces;
