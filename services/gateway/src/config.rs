//! The settings of the gateway itself. What every process knows (addresses, peers, keys, deadlines) is in the kit.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use http::HeaderValue;

use crate::admission::{RateLimits, oidc};
use crate::door::Network;
use crate::limits;

/// Shortest secret for resume tokens, characters.
const MIN_SECRET: usize = 16;

/// Settings of the gateway.
#[derive(Clone, Default, clap::Args)]
pub struct Config {
    /// Origins whose pages may call, such as https://console.example.com; none if left out
    #[arg(long = "cors-origin", env = "KARIBU_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origins: Vec<HeaderValue>,
    /// Calls each second, and twice as many at once, by class: of one caller the reads, writes, bulk calls, streams and
    /// look-ups by phone, e-mail or card; of one address what comes without a credential that holds. 0 bounds nobody, a
    /// class that is left out keeps its default, `off` is 0 for all
    #[arg(long, env = "KARIBU_RATE_LIMITS", value_name = "NAME=CALLS",
          default_value = limits::RATE_LIMITS)]
    pub rate_limits: RateLimits,
    /// Addresses or networks of proxies before the gateway, whose `x-forwarded-for` is believed
    #[arg(long = "trusted-proxy", env = "KARIBU_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Secrets behind resume tokens and the tokens of customers, at least 16 characters: the first makes tokens, all are
    /// believed. If left out, one is derived from the key that signs internal tokens, which all replicas share
    #[arg(
        long = "resume-secret",
        env = "KARIBU_RESUME_SECRETS",
        value_name = "SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub resume_secrets: Vec<String>,
    /// File with the secret behind these tokens, made if it is not there; for one gateway whose signing key does not last
    #[arg(long, env = "KARIBU_RESUME_SECRET_FILE", value_name = "FILE", conflicts_with = "resume_secrets")]
    pub resume_secret_file: Option<PathBuf>,
    /// How staff sign in.
    #[command(flatten)]
    pub sign_in: SignIn,
}

/// How staff sign in: by access tokens of the business's own issuer.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct SignIn {
    /// Issuer of the access tokens of staff (OpenID Connect), letter by letter as in its tokens, such as
    /// https://login.example.com/; if left out, only API keys open the door
    #[arg(long, env = "KARIBU_OIDC_ISSUER", value_name = "URL")]
    pub oidc_issuer: Option<String>,
    /// Audiences of which an access token must name one; needed with an issuer
    #[arg(long = "oidc-audience", env = "KARIBU_OIDC_AUDIENCES", value_name = "AUDIENCE", value_delimiter = ',')]
    pub oidc_audiences: Vec<String>,
    /// File with the root certificates that the issuer's certificate is checked against, PEM; those of the machine if
    /// left out
    #[arg(long, env = "KARIBU_OIDC_ROOTS", value_name = "FILE")]
    pub oidc_roots: Option<PathBuf>,
}

impl SignIn {
    /// Which access tokens are believed; none if there is no issuer.
    pub(crate) fn settings(&self) -> Option<oidc::Settings> {
        let issuer = self.oidc_issuer.clone()?;
        Some(oidc::Settings { issuer, audiences: self.oidc_audiences.clone(), roots: self.oidc_roots.clone() })
    }

    fn validate(&self) -> anyhow::Result<()> {
        let of_nobody = self.oidc_issuer.is_none() && !(self.oidc_audiences.is_empty() && self.oidc_roots.is_none());
        ensure!(!of_nobody, "access tokens need --oidc-issuer");
        Ok(())
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("cors_origins", &self.cors_origins)
            .field("rate_limits", &self.rate_limits)
            .field("trusted_proxies", &self.trusted_proxies)
            .field("resume_secrets", &self.resume_secrets.len())
            .field("resume_secret_file", &self.resume_secret_file)
            .field("sign_in", &self.sign_in)
            .finish()
    }
}

impl Config {
    /// The secrets behind tokens, from the file too; none if nothing is configured.
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
        self.sign_in.validate()?;
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
        let sign_in = SignIn { oidc_audiences: vec!["karibu".to_owned()], ..SignIn::default() };
        let audience = Config { sign_in, ..Config::default() };
        assert!(audience.validate().is_err(), "an audience of nobody");
    }
}
