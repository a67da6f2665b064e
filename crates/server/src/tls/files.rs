//! The PEM files, as bytes of one moment. What they mean is read elsewhere.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::TlsConfig;

/// What the files held. Never printed: there are keys in it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    /// What ports show.
    pub(super) port: Option<Pair>,
    /// What peers are shown.
    pub(super) own: Option<Pair>,
    /// Authorities of callers.
    pub(super) callers: Option<Vec<u8>>,
    /// Authorities of peers.
    pub(super) peers: Option<Vec<u8>>,
}

/// A certificate chain and its key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Contents {
    pub(super) fn read(config: &TlsConfig) -> anyhow::Result<Self> {
        let port = pair(config.tls_certificate.as_deref(), config.tls_key.as_deref())?;
        let own = pair(config.tls_own_certificate.as_deref(), config.tls_own_key.as_deref())?;
        Ok(Self {
            own: own.or_else(|| port.clone()),
            port,
            callers: maybe(config.tls_callers.as_ref())?,
            peers: maybe(config.tls_peers.as_ref())?,
        })
    }
}

fn pair(certificate: Option<&Path>, key: Option<&Path>) -> anyhow::Result<Option<Pair>> {
    Ok(match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Pair { certificate: read(certificate)?, key: read(key)? }),
        _ => None,
    })
}

fn maybe(path: Option<&PathBuf>) -> anyhow::Result<Option<Vec<u8>>> {
    path.map(|path| read(path)).transpose()
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
