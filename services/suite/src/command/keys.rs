//! `karibu key` and `karibu keypair`: what an operator makes once for services that run apart.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use server::auth::SigningKeys;

/// Prints the text of a new API key; it is registered nowhere yet.
#[allow(clippy::print_stdout)]
pub(super) fn print_key() -> anyhow::Result<()> {
    anstream::println!("{}", organization::new_key_text("live"));
    Ok(())
}

/// Where the two halves go.
#[derive(Debug, clap::Args)]
pub(super) struct Keypair {
    /// Folder that gets internal.pem (private, for the gateway and peers) and internal.pub.pem; never overwritten
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Keypair {
    #[allow(clippy::print_stdout)]
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (private, public) = SigningKeys::generate()?.to_pem()?;
        std::fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        for (name, text) in [("internal.pem", private), ("internal.pub.pem", public)] {
            let path = self.folder.join(name);
            write_new(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
            anstream::println!("{}", path.display());
        }
        Ok(())
    }
}

/// Readable by its owner alone, and never in place of another key.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
