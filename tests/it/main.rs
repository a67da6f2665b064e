//! Journeys: the story in both modes, real files, and clients that we did not write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod canaries;
mod configuration;
mod corpus;
mod customers;
mod erasure;
mod foreign_clients;
mod imports;
mod persistence;
mod plain_http;
mod security;
mod sign_in;
mod story;
mod traces;
mod walls;
