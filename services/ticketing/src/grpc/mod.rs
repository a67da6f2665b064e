//! Who may ask: decode, submit or query, encode. `codes` maps the enums, `decode` reads requests, `wire` makes
//! replies, `service`,
//! `casework`, `remedy`, `routing`, `duplicates`, `conversation` and `sla` have the handlers. No business rule lives here.

mod casework;
pub(crate) mod codes;
mod conversation;
mod decode;
mod duplicates;
mod import;
mod remedy;
mod routing;
mod search;
mod service;
mod sla;
pub(crate) mod wire;

pub(crate) use service::Api;
