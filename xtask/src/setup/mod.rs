//! `cargo xtask setup`: what the tests need from outside. Safe to run at any time; it does only what is missing.
//! System packages come from apt-get where that is allowed; everything else goes into `target/tools`, never elsewhere.

mod packages;
mod tools;

use std::path::Path;

use crate::report::say;

/// Installs what is missing, or fails with the line to run.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    packages::ensure()?;
    let tools = root.join("target/tools");
    std::fs::create_dir_all(&tools)?;
    tools::nats_server(root, &tools)?;
    tools::buf(&tools)?;
    tools::python(root, &tools)?;
    say("    everything the tests need is there");
    Ok(())
}
