//! The embedded suite: every service in one process on SQLite, behind the gateway on one port. Rooms:
//! `embedded` (the wiring), `story` (the main job, told through the gateway), `import` (CSV files through
//! the gateway), `command` (what the command line does). No rule of a service lives here.

pub mod command;
pub mod embedded;
pub mod import;
pub mod story;
