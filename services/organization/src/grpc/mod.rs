//! The gRPC face of the organization: decode, submit or query, encode. Wall clock and randomness for keys enter here.

mod access_service;
mod calendar_service;
pub(crate) mod key_text;
mod service;
mod staff_service;
mod team_handlers;
pub(crate) mod wire;

pub(crate) use service::{Api, wall_us};
