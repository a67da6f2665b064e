//! Integration tests of the server kit: real sockets, real connections, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

// Every other crate knows this one by its short name; so do its own tests.
extern crate karibu_server as server;

mod auth;
mod deadline;
mod drain;
mod echo;
mod fixture;
mod front;
mod hostile;
mod lanes;
mod logs;
mod process;
mod raw;
mod tls;
mod traces;
mod ways;
