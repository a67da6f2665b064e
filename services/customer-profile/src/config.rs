//! Settings of the profile service alone. It has none beside those of every service.

/// Settings of the profile service.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Config {}
