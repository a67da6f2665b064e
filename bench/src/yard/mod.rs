//! Yardsticks: the usual or the least way to do the same thing, by hand and without our crates.

pub(crate) mod echo;
pub(crate) mod hand;
pub(crate) mod pgbench;
