//! The gRPC face of feedback: decode, submit or query, encode.

pub(crate) mod link;
mod service;
pub(crate) mod wire;

pub(crate) use service::Api;
