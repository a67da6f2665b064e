//! Who may ask: decode, submit or query, encode. `codes` maps the enums, `decode` reads requests, `wire` makes
//! replies, `service` has the handlers. No business rule lives here.

pub(crate) mod codes;
mod decode;
mod import;
mod service;
pub(crate) mod wire;

pub(crate) use service::Api;
