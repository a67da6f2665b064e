//! The settings of the gateway itself. What every process knows (addresses, peers, keys, deadlines) is in the kit.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use http::HeaderValue;

/// Shortest secret for resume tokens, characters.
const MIN_SECRET: usize = 16;

/// Settings of the gateway.
#[derive(Clone, Default, clap::Args)]
pub struct Config {
    /// Origins whose pages may call, such as https://console.example.com; none if left out
    #[arg(long = "cors-origin", env = "KARIBU_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<HeaderValue>,
    /// Calls that one caller may make each second, and twice as many at once; 0 bounds nobody
    #[arg(long, env = "KARIBU_RATE_LIMIT", value_name = "CALLS", default_value = "0")]
    pub rate_limit: u32,
    /// Secrets behind resume tokens, at least 16 characters: the first makes tokens, all are believed. If left out, one
    /// is derived from the key that signs internal tokens, which all replicas share
    #[arg(
        long = "resume-secret",
        env = "KARIBU_RESUME_SECRETS",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub resume_secrets: Vec<String>,
    /// File with the secret behind resume tokens, made if it is not there; for one gateway whose signing key does not last
    #[arg(long, env = "KARIBU_RESUME_SECRET_FILE", value_name = "FILE", conflicts_with = "resume_secrets")]
    pub resume_secret_file: Option<PathBuf>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("cors_origins", &self.cors_origins)
            .field("rate_limit", &self.rate_limit)
            .field("resume_secrets", &self.resume_secrets.len())
            .field("resume_secret_file", &self.resume_secret_file)
            .finish()
    }
}

impl Config {
    /// The secrets behind resume tokens, from the file too; none if nothing is configured.
    pub(crate) fn secrets(&self) -> anyhow::Result<Vec<String>> {
        let Some(path) = &self.resume_secret_file else { return Ok(self.resume_secrets.clone()) };
        let secret = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_secret(path)?,
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let secret = secret.trim().to_owned();
        ensure!(secret.chars().count() >= MIN_SECRET, "{} holds no secret", path.display());
        Ok(vec![secret])
    }

    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        let long_enough = |secret: &String| secret.chars().count() >= MIN_SECRET;
        ensure!(
            self.resume_secrets.iter().all(long_enough),
            "a secret for resume tokens has at least {MIN_SECRET} characters"
        );
        let origin = |origin: &HeaderValue| {
            origin.to_str().is_ok_and(|text| text.contains("://") && !text.ends_with('/') && !text.contains('*'))
        };
        ensure!(
            self.cors_origins.iter().all(origin),
            "an origin is a scheme, a host and perhaps a port, such as https://console.example.com"
        );
        Ok(())
    }
}

/// Writes a new secret that only the owner of the file can read.
fn make_secret(path: &Path) -> anyhow::Result<String> {
    let secret: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{secret}")?;
    Ok(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("resume-secret");
        let config = Config { resume_secret_file: Some(path.clone()), ..Config::default() };
        let made = config.secrets().unwrap();
        assert_eq!((made.len(), made[0].len()), (1, 64));
        assert_eq!(config.secrets().unwrap(), made);
        std::fs::write(&path, "short").unwrap();
        assert!(config.secrets().is_err());
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        let origin =
            |text: &'static str| Config { cors_origins: vec![HeaderValue::from_static(text)], ..Config::default() };
        assert!(origin("https://console.example.com").validate().is_ok());
        for wrong in ["*", "console.example.com", "https://*.example.com", "https://example.com/"] {
            assert!(origin(wrong).validate().is_err(), "{wrong}");
        }
        let secret = Config { resume_secrets: vec!["short".to_owned()], ..Config::default() };
        assert!(secret.validate().is_err());
    }
}
