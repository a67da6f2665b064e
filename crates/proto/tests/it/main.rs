//! What must hold for the whole contract, whatever it comes to contain.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

extern crate karibu_proto as proto;

mod contract;
mod contract_rules;
mod event_page;
mod events;
mod methods;
mod validation;
