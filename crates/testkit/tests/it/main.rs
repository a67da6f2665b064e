//! The servers of testkit, started for real.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

extern crate karibu_testkit as testkit;

mod eventually;
mod guard;
mod nats;
mod postgres;
mod service;
