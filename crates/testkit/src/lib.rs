//! Everything a test needs from the outside: real PostgreSQL and NATS servers, our own binaries as processes, polling.
//! No mocks live here, and nothing here is linked into a shipped binary.
//!
//! A failure to start something panics with what to do about it, because a test that cannot run must not pass.

mod certificates;
mod clock;
mod eventually;
mod locate;
mod nats;
mod ports;
mod postgres;
mod process;
mod python;
mod service;
mod unique;

pub use certificates::{Authority, Issued, IssuedFiles};
pub use clock::ClockFile;
pub use eventually::{Outcome, assert_eventually};
pub use locate::{nats_program, postgres_program};
pub use nats::{NATS_URL_VAR, Nats, NatsOptions};
pub use ports::free_port;
pub use postgres::{PG_URL_VAR, Postgres, PostgresOptions};
pub use python::Python;
pub use service::{Service, ServiceOptions};
pub use unique::unique_name;

/// Folder of the workspace, with `Cargo.toml`, `target` and `tests` in it.
pub fn workspace_root() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Ends the test with `message`: the one place of this crate that panics.
#[track_caller]
#[allow(clippy::panic)]
fn fail(message: impl std::fmt::Display) -> ! {
    panic!("{message}")
}
