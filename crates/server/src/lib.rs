//! The kit that every service and the gateway boot from: settings, telemetry, identity, deadlines, the hop between
//! processes, serving and drain. Mechanism only: no service is named here, and no business rule lives here.
//!
//! A service is one function. It gets a [`Kit`], which is all that differs between one process and many, and gives
//! back what it [`Started`]; its `main` is one line:
//!
//! ```ignore
//! pub async fn start(kit: &Kit, config: Config) -> anyhow::Result<Started> {
//!     let db = kit.open_database().await?;
//!     db.migrate(&[commit::MIGRATIONS, MIGRATIONS]).await?;
//!     let door = commit::start::<Ticketing>(db.clone(), kit.clock.clone(), Options::default()).await?;
//!     kit.publish(&door);                                   // its events, for all others
//!     kit.consume(&["profile"], &door, &react);             // theirs, as its own commands
//!     kit.every("follow-ups", PERIOD, move || due(..));     // its timers
//!     Ok(kit.routes().with(TicketingServiceServer::new(api)).with(log_service(door.log())).started(ready))
//! }
//!
//! fn main() -> ExitCode { server::run(NAME, start) }
//! ```
//!
//! A handler begins with [`Call::admit`]. What a call has passed before that, on whatever way it came:
//!
//! ```text
//! port ──────────────────────┐
//! lane (hop) ────────────────┼─► edge: span, metrics, load, token, permission, size, deadline, panic wall ─► handler
//! function call (embedded) ──┘
//! ```

mod admin;
mod audit_service;
pub mod auth;
mod call;
mod clock;
pub mod config;
mod dead_letter_service;
pub mod deadline;
mod edge;
pub mod field;
mod health;
pub mod hop;
mod kit;
pub mod limits;
mod log_service;
mod memory;
mod metrics;
mod observe;
mod origin;
mod pages;
mod privacy;
mod read_audit;
mod reflection;
mod run;
mod serve;
mod signal;
pub mod status;
pub mod telemetry;
mod timers;
pub mod tls;
pub mod trace;

pub use audit_service::audit_service;
pub use call::Call;
pub use dead_letter_service::dead_letter_service;
pub use edge::{Admitted, EdgeLayer, Guard, Observed, bounded};
pub use health::Ready;
pub use hop::Upstream;
pub use kit::{House, Kit, RoutesBuilder, Started};
pub use log_service::log_service;
pub use origin::{ORIGIN, Origin, Via};
pub use pages::Pages;
pub use privacy::Privacy;
pub use run::{Process, run, runtime};
pub use serve::{Bounds, Drained, PeerAddress, serve};
pub use signal::asked_to_stop;
/// Tells every part of a process that it ends.
pub use tokio_util::sync::CancellationToken as Stop;
