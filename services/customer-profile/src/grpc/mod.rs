//! The gRPC face of the profile service: decode, submit or query, encode. No rule of the domain lives here.

mod batch;
mod certificate;
mod decode;
mod service;
pub(crate) mod wire;

pub(crate) use service::Api;
