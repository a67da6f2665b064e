//! Tests of the gateway as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod customers;
mod desk;
mod diary;
mod entrance;
mod hostile;
mod issuer;
mod limits;
mod not_here;
mod odd_issuers;
mod oidc;
mod overview;
mod protocols;
mod stage;
mod subscribe;
mod transcode;
