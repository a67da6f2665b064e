//! The way to the issuer: its discovery document and its keys over HTTPS. No redirect is followed, nothing large is read,
//! and plain HTTP is for an issuer on this machine only.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Uri;
use http::uri::Scheme;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jsonwebtoken::jwk::Jwk;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ring::Fetch;
use super::token::Key;
use crate::limits;

/// Where the discovery document stands below the issuer (OpenID Connect Discovery 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What of the discovery document is read.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// The keys as they come: each is looked at alone, so that one of an unknown form does not hide the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

/// An issuer that can be asked for its keys.
#[derive(Debug)]
pub(super) struct Issuer {
    name: String,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl Issuer {
    /// The issuer with this address. Its certificate is checked against the roots in the file `roots`, or those of the
    /// machine.
    pub(super) fn new(name: &str, roots: Option<&Path>) -> anyhow::Result<Self> {
        address(name)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted(roots)?)
            .with_no_client_auth();
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { name: name.to_owned(), client })
    }

    /// This issuer as a way to get keys.
    pub(super) fn fetch(self) -> Fetch {
        let issuer = Arc::new(self);
        Arc::new(move || {
            let issuer = issuer.clone();
            Box::pin(async move { issuer.keys().await })
        })
    }

    /// The keys that may sign tokens.
    async fn keys(&self) -> anyhow::Result<Vec<Key>> {
        let discovery = format!("{}{DISCOVERY}", self.name.trim_end_matches('/'));
        let found: Discovery = self.get(&discovery).await?;
        // Else anyone whose document can be put there could speak for the issuer (Discovery 4.3).
        ensure!(found.issuer == self.name, "{discovery} speaks for another issuer");
        let set: KeySet = self.get(&found.jwks_uri).await?;
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        let keys: Vec<Key> = known.filter_map(|key| Key::of(&key)).take(limits::MAX_ISSUER_KEYS).collect();
        ensure!(!keys.is_empty(), "{} has no key that could be used (RS256, ES256, EdDSA)", found.jwks_uri);
        Ok(keys)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> anyhow::Result<T> {
        let answer = self.client.get(address(url)?).await.with_context(|| format!("{url} cannot be reached"))?;
        ensure!(answer.status() == http::StatusCode::OK, "{url} answers {}", answer.status());
        let body = Limited::new(answer.into_body(), limits::MAX_ISSUER_BYTES).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{url} cannot be read: {error}"))?.to_bytes();
        serde_json::from_slice(&body).with_context(|| format!("{url} is not what was expected"))
    }
}

/// The address, if secrets may be taken from there: over HTTPS, or from this machine.
pub(super) fn address(url: &str) -> anyhow::Result<Uri> {
    let uri: Uri = url.parse().with_context(|| format!("{url} is no address"))?;
    let host = uri.host().with_context(|| format!("{url} names no host"))?;
    ensure!(uri.query().is_none(), "{url} has a query");
    let local = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match uri.scheme() {
        Some(scheme) if *scheme == Scheme::HTTPS => Ok(uri),
        Some(scheme) if *scheme == Scheme::HTTP && local => Ok(uri),
        _ => bail!("{url} is not https"),
    }
}

fn trusted(file: Option<&Path>) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = file {
        let certificates = CertificateDer::pem_file_iter(path);
        for certificate in certificates.with_context(|| format!("cannot read {}", path.display()))? {
            roots.add(certificate.with_context(|| format!("{} holds no certificates", path.display()))?)?;
        }
        ensure!(!roots.is_empty(), "{} holds no certificates", path.display());
    } else {
        // A certificate of the machine that cannot be read is left out; an issuer that needs it will say so.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_reached_by_https_or_on_this_machine() {
        for good in
            ["https://login.example.com", "https://example.com/realms/a", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        for wrong in [
            "http://login.example.com",
            "ftp://example.com",
            "login.example.com",
            "/x",
            "",
            "https://a/?b",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
