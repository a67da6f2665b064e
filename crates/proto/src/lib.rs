//! The contract of every service: generated messages, clients and servers, the descriptors behind them, and what the
//! contract says about its methods and fields. No behaviour of any service lives here.

mod calendar;
mod events;
mod methods;
mod money;
pub mod options;
mod time;
pub mod validate;

use std::sync::OnceLock;

use prost_reflect::DescriptorPool;

pub use events::{EventPayload, EventType, EventTypes, event_types};
pub use methods::{HttpBinding, HttpMethod, MethodInfo, Methods, methods};
pub use time::{InvalidTime, duration_from_ms, ms_from_duration, timestamp_from_us, us_from_timestamp};
pub use validate::{FieldPath, FieldViolation, Validate, Violations};

pub use karibu::options::v1::Permission;

/// Messages, clients and servers as they are generated from `proto/`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/karibu.rs"));
}
pub use generated::karibu;

#[allow(clippy::all)]
mod generated_validation {
    include!(concat!(env!("OUT_DIR"), "/validation.rs"));
}

mod generated_events {
    include!(concat!(env!("OUT_DIR"), "/event_types.rs"));
}

/// The whole contract as an encoded `google.protobuf.FileDescriptorSet`: with everything it imports, with comments and
/// positions. For `buf` and for documentation; at run time use [`pool`].
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/documented.binpb"));

/// The same without comments and positions: a fraction of the size, for server reflection and [`pool`].
pub const LEAN_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lean.binpb"));

/// The descriptors of the contract, decoded once per process. Without comments.
///
/// # Panics
/// Never: the build decoded the same bytes.
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    #[allow(clippy::expect_used)] // the build decoded the same bytes
    POOL.get_or_init(|| DescriptorPool::decode(LEAN_DESCRIPTOR_SET).expect("the build decoded these bytes"))
}
