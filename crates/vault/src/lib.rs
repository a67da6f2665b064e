//! Personal data under keys that can be destroyed. Every customer has a data key; a data key is stored wrapped by a
//! master key, which comes from a file or the environment and is in no database. Destroying the one row with the
//! wrapped key makes everything sealed under it unreadable, in backups too. Pure: no database, no clock lives here.
//!
//! Laws, each with a test: what was sealed opens only in the place it was sealed for (service, table, field, record and
//! customer are bound to it) and under its key; no two sealings share a nonce; a wrapped key opens under every master
//! key that is still given; no key is ever printed.

mod blind;
mod data_key;
mod master;

pub use blind::{Blinded, LookupKey};
pub use data_key::{DataKey, Place, Sealed};
pub use master::{KeyFault, MasterKeys, Wrapped};
