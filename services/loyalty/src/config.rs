//! Settings of the loyalty service alone. It has none beside those of every service.

/// Settings of the loyalty service.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Config {}
