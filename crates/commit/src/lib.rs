//! The write path: one door, always a batch. Verbs decide in memory, one transaction saves their effect,
//! their events and their replies, and the event log follows from it. No rule of a service lives here.
//!
//! Laws, each with a test: sequence numbers of a log have no gaps and rise in commit order; a command that
//! is refused or fails leaves no trace and never disturbs its neighbours; a key that was answered once is
//! answered the same for ever; an acknowledged command is durable.

mod aggregate;
mod audit;
mod base;
mod batch;
mod cause;
mod chore;
mod committer;
mod dead;
mod door;
mod erasure;
mod keys;
mod log;
mod rehearsal;
mod sealing;
mod slot;
mod spent;
mod sql;
mod verb;
mod world;

#[doc(hidden)]
pub use world::macros;

pub use aggregate::{Aggregate, Append, Corrupt, known};
pub use audit::{AuditFilter, AuditLog, AuditNote, Change, NoteRow};
pub use base::{Advance, DeadLetter};
pub use cause::{Cause, CauseParts};
pub use committer::{Stats, start};
pub use dead::DeadLetters;
pub use door::{Applied, Door, Effect, Options, Refused, Submission};
pub use erasure::{Erasure, Erasures};
pub use keys::{KeyRing, KeyRingError, Keys};
pub use log::{EventLog, LogBounds, LogEvent};
pub use rehearsal::Rehearsal;
pub use slot::{Claims, Log, Missing, Slot, Taken};
pub use spent::Spent;
pub use verb::{Answer, Cx, DomainEvent, Service, Stop, Verb};
pub use world::{Room, World};

/// The tables of the write path; every service runs these before its own.
pub const MIGRATIONS: store::Migrations =
    store::migrations!(base 0; "0001_write_path", "0002_accountability").behind(&[
        // What no caller is ever shown a row of; operators get dead letters from Karibu itself.
        store::Wall::Hidden { table: "request" },
        store::Wall::Hidden { table: "consumer" },
        store::Wall::Hidden { table: "dead_letter" },
        store::Wall::Hidden { table: "parked_key" },
        store::Wall::Hidden { table: "data_key" },
        store::Wall::Hidden { table: "erasure" },
    ]);

/// Every statement of this crate, for the test that prepares them on both engines.
pub use sql::ALL as STATEMENTS;

/// The 16-byte key of a natural key: the first half of the SHA-256 of its parts, each behind its length,
/// so that ("ab", "c") and ("a", "bc") differ.
pub fn key(parts: &[&[u8]]) -> uuid::Uuid {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    uuid::Uuid::from_bytes(half)
}

/// The fingerprint of a request body: the first 8 bytes of its SHA-256.
pub fn fingerprint(body: &[u8]) -> i64 {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(body);
    let mut part = [0; 8];
    part.copy_from_slice(&digest[..8]);
    i64::from_be_bytes(part)
}
