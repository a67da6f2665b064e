//! The settings of the gateway itself. What every process knows (addresses, peers, keys, deadlines) is in the kit.

use anyhow::ensure;
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
    /// Secrets behind resume tokens, at least 16 characters: the first makes tokens, all are believed. The same in
    /// all replicas; if left out, tokens end with the process
    #[arg(
        long = "resume-secret",
        env = "KARIBU_RESUME_SECRETS",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub resume_secrets: Vec<String>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("cors_origins", &self.cors_origins)
            .field("rate_limit", &self.rate_limit)
            .field("resume_secrets", &self.resume_secrets.len())
            .finish()
    }
}

impl Config {
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
