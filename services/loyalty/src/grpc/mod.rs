//! The gRPC face of the loyalty service: decode, submit or query, encode. No rule of the domain lives here.

mod decode;
mod service;
pub(crate) mod wire;

pub(crate) use service::Api;
