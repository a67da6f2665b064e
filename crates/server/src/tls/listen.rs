//! What ports show, and what they demand of who connects: with authorities of callers, a certificate of theirs that is
//! made out to a service of Karibu.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::watch;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

use super::TlsConfig;
use super::files::{Contents, Pair};

/// Protocols that ports offer (ALPN), the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// How ports speak TLS now.
#[derive(Clone, Debug)]
pub(super) struct Listening {
    /// With the certificate of the caller, where authorities of callers are known.
    strict: Arc<ServerConfig>,
    /// Without it.
    lenient: Arc<ServerConfig>,
}

impl Listening {
    /// `None` when ports speak plaintext.
    pub(super) fn of(contents: &Contents, config: &TlsConfig) -> anyhow::Result<Option<Self>> {
        let Some(pair) = &contents.port else { return Ok(None) };
        let lenient = server_config(pair, None)?;
        let strict = match &contents.callers {
            Some(authorities) => server_config(pair, Some(verifier(authorities, &config.tls_caller_names)?))?,
            None => lenient.clone(),
        };
        Ok(Some(Self { strict, lenient }))
    }
}

/// Gives each new connection the certificates of the moment.
#[derive(Clone)]
pub(crate) struct Acceptor {
    listening: Option<watch::Receiver<Option<Listening>>>,
    strict: bool,
}

impl Acceptor {
    pub(super) fn new(listening: Option<watch::Receiver<Option<Listening>>>, strict: bool) -> Self {
        Self { listening, strict }
    }

    /// Speaks plaintext.
    pub(crate) fn plaintext() -> Self {
        Self::new(None, false)
    }

    /// How to speak TLS now; `None` means plaintext.
    pub(crate) fn current(&self) -> Option<Arc<ServerConfig>> {
        let listening = self.listening.as_ref()?.borrow().clone()?;
        Some(if self.strict { listening.strict } else { listening.lenient })
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn server_config(pair: &Pair, callers: Option<Arc<dyn ClientCertVerifier>>) -> anyhow::Result<Arc<ServerConfig>> {
    let chain = certificates(&pair.certificate).context("the certificate of the ports")?;
    let key = PrivateKeyDer::from_pem_slice(&pair.key)
        .map_err(|error| anyhow::anyhow!("the key of the ports is no PEM: {error:?}"))?;
    // TLS 1.2 and 1.3, the suites that the library holds safe.
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match callers {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).context("the certificate and the key of the ports")?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config))
}

fn certificates(pem: &[u8]) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| anyhow::anyhow!("it is no PEM: {error:?}"))?;
    anyhow::ensure!(!found.is_empty(), "it holds no certificate");
    Ok(found)
}

fn verifier(authorities: &[u8], names: &[String]) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities).context("the authorities of callers")? {
        roots.add(authority).context("an authority of callers cannot be used")?;
    }
    let chain = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build()?;
    let given: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let names = if given.is_empty() { services() } else { given };
    let names = names.into_iter().map(|name| {
        ServerName::try_from(name.to_owned()).with_context(|| format!("{name:?} cannot stand in a certificate"))
    });
    Ok(Arc::new(NamedCaller { chain, names: names.collect::<anyhow::Result<_>>()? }))
}

/// The short names of all services, by the contract.
fn services() -> BTreeSet<&'static str> {
    proto::methods().iter().map(|method| method.service.as_str()).collect()
}

/// A caller with a certificate of a known authority, made out to one of these names.
#[derive(Debug)]
struct NamedCaller {
    chain: Arc<dyn ClientCertVerifier>,
    names: Vec<ServerName<'static>>,
}

impl ClientCertVerifier for NamedCaller {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if self.names.iter().any(|name| verify_server_name(&certificate, name).is_ok()) {
            return Ok(verified);
        }
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
