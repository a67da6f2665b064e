//! Who may ask: decode, submit or query, encode. `codes` maps the enums, `decode` reads requests, `wire` makes
//! replies, `service`,
//! `casework`, `remedy` and `sla` have the handlers. No business rule lives here.

mod casework;
pub(crate) mod codes;
mod decode;
mod import;
mod remedy;
mod service;
mod sla;
pub(crate) mod wire;

pub(crate) use service::Api;
