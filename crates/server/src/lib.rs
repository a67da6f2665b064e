//! The kit that every service and the gateway boot from: settings, telemetry, identity, deadlines, the hop between
//! processes, serving and drain. Mechanism only: no service is named here, and no business rule lives here.

mod admin;
pub mod auth;
mod call;
mod clock;
pub mod config;
mod dead_letter_service;
pub mod deadline;
mod edge;
mod health;
pub mod hop;
mod kit;
pub mod limits;
mod log_service;
mod metrics;
mod observe;
mod reflection;
mod run;
mod serve;
mod signal;
pub mod status;
pub mod telemetry;
mod timers;
pub mod trace;

pub use call::Call;
pub use dead_letter_service::dead_letter_service;
pub use edge::{Admitted, EdgeLayer, Guard, Observed, bounded};
pub use health::Ready;
pub use hop::Upstream;
pub use kit::{House, Kit, RoutesBuilder, Started};
pub use log_service::log_service;
pub use run::{Process, run, runtime};
pub use serve::{Drained, serve};
pub use signal::asked_to_stop;
/// Tells every part of a process that it ends.
pub use tokio_util::sync::CancellationToken as Stop;
