//! The settings of TLS, and the rule that plaintext leaves a machine only when somebody said so.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;

use crate::config::duration;
use crate::limits;

/// The settings of TLS of every process.
#[derive(Clone, Debug, clap::Args)]
pub struct TlsConfig {
    /// PEM file with the certificate chain that the ports show; with it they speak TLS and nothing else
    #[arg(long, env = "KARIBU_TLS_CERTIFICATE", value_name = "FILE")]
    pub tls_certificate: Option<PathBuf>,
    /// PEM file with the private key of that certificate
    #[arg(long, env = "KARIBU_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// PEM file with the authorities of callers: who shows no certificate of theirs is refused (mTLS between services; leave it out for the public port)
    #[arg(long, env = "KARIBU_TLS_CALLERS", value_name = "FILE")]
    pub tls_callers: Option<PathBuf>,
    /// Names of which the certificate of a caller must have one; the services of Karibu if left out
    #[arg(long, env = "KARIBU_TLS_CALLER_NAMES", value_name = "NAMES", value_delimiter = ',')]
    pub tls_caller_names: Vec<String>,
    /// PEM file with the authorities of peers, needed to call peers at https://; the certificate of a peer must be for its name, such as ticketing
    #[arg(long, env = "KARIBU_TLS_PEERS", value_name = "FILE")]
    pub tls_peers: Option<PathBuf>,
    /// PEM file with the certificate chain that peers are shown; the one of the ports if left out
    #[arg(long, env = "KARIBU_TLS_OWN_CERTIFICATE", value_name = "FILE")]
    pub tls_own_certificate: Option<PathBuf>,
    /// PEM file with the private key of that certificate
    #[arg(long, env = "KARIBU_TLS_OWN_KEY", value_name = "FILE")]
    pub tls_own_key: Option<PathBuf>,
    /// How often these files are looked at; new ones are for new connections
    #[arg(long, env = "KARIBU_TLS_RELOAD", value_name = "DURATION", default_value = "5s", value_parser = duration)]
    pub tls_reload: Duration,
    /// Serve and call without TLS beyond this machine: for a network that nobody else reaches
    #[arg(long, env = "KARIBU_PLAINTEXT", value_name = "BOOL", default_value = "false", default_missing_value = "true",
          num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub plaintext: bool,
}

impl TlsConfig {
    /// No TLS, and no plaintext beyond this machine.
    pub fn none() -> Self {
        Self {
            tls_certificate: None,
            tls_key: None,
            tls_callers: None,
            tls_caller_names: Vec::new(),
            tls_peers: None,
            tls_own_certificate: None,
            tls_own_key: None,
            tls_reload: limits::TLS_RELOAD,
            plaintext: false,
        }
    }

    pub(super) fn is_used(&self) -> bool {
        self.tls_certificate.is_some() || self.tls_peers.is_some()
    }

    pub(super) fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            self.tls_certificate.is_some() == self.tls_key.is_some(),
            "--tls-certificate and --tls-key belong together"
        );
        ensure!(
            self.tls_own_certificate.is_some() == self.tls_own_key.is_some(),
            "--tls-own-certificate and --tls-own-key belong together"
        );
        ensure!(
            self.tls_callers.is_none() || self.tls_certificate.is_some(),
            "--tls-callers needs a port that speaks TLS: give --tls-certificate and --tls-key"
        );
        ensure!(!self.tls_reload.is_zero(), "--tls-reload must be longer than nothing");
        Ok(())
    }

    /// Refuses to serve plaintext at an address that others reach, unless somebody said so.
    pub(crate) fn may_listen(&self, address: SocketAddr) -> anyhow::Result<()> {
        ensure!(
            self.tls_certificate.is_some() || self.plaintext || address.ip().to_canonical().is_loopback(),
            "{address} can be reached from other machines and would speak plaintext: give --tls-certificate and \
             --tls-key, or say --plaintext if nobody else reaches that network"
        );
        Ok(())
    }

    /// Refuses to send tokens in plaintext to another machine, unless somebody said so.
    pub(crate) fn may_call(&self, url: &http::Uri) -> anyhow::Result<()> {
        let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback());
        ensure!(
            url.scheme_str() == Some("https") || self.plaintext || here,
            "{url} would be called in plaintext beyond this machine: use https:// and --tls-peers, or say --plaintext \
             if nobody else reaches that network"
        );
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_stays_on_this_machine_unless_somebody_says_otherwise() {
        let none = TlsConfig::none();
        let certified = TlsConfig { tls_certificate: Some("x".into()), ..TlsConfig::none() };
        let said = TlsConfig { plaintext: true, ..TlsConfig::none() };
        for (address, here) in [
            ("127.0.0.1:1", true),
            ("127.8.9.1:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("10.0.0.1:1", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(none.may_listen(address).is_ok(), here, "{address}");
            assert!(certified.may_listen(address).is_ok() && said.may_listen(address).is_ok());
        }
        for (url, fine) in [
            ("http://127.0.0.1:1", true),
            ("http://localhost:1", true),
            ("http://[::1]:1", true),
            ("https://ticketing:1", true),
            ("http://ticketing:1", false),
            ("http://10.0.0.1:1", false),
            ("http://localhost.example.com:1", false),
        ] {
            let url = url.parse().unwrap();
            assert_eq!(none.may_call(&url).is_ok(), fine, "{url}");
            assert!(said.may_call(&url).is_ok());
        }
    }
}
