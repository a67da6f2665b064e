//! What this process shows to the peers that it calls, and which authorities it believes about them.

use anyhow::Context;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::files::Contents;

/// Any address: settings are tried on it, and nothing is sent there.
const SOME_PEER: &str = "https://peer.invalid";

/// How to call peers over TLS; `None` when no authority of theirs is known.
pub(super) fn config(contents: &Contents) -> anyhow::Result<Option<ClientTlsConfig>> {
    let Some(authorities) = &contents.peers else { return Ok(None) };
    // Asked here, because a client with no authority at all would only fail at its first call.
    let known = CertificateDer::pem_slice_iter(authorities).collect::<Result<Vec<_>, _>>();
    let known = known.map_err(|error| anyhow::anyhow!("the authorities of peers are no PEM: {error:?}"))?;
    anyhow::ensure!(!known.is_empty(), "the authorities of peers hold no certificate");
    let mut config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authorities));
    if let Some(own) = &contents.own {
        config = config.identity(Identity::from_pem(&own.certificate, &own.key));
    }
    Endpoint::from_static(SOME_PEER).tls_config(config.clone()).context("the certificates for peers cannot be used")?;
    Ok(Some(config))
}
