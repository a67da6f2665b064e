//! Certificates made by the test that needs them: an authority, and what it signs. Nothing of them lives longer than
//! the test.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use crate::fail;

/// An authority that signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its private key, both PEM.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Where a certificate and its key were written.
#[derive(Clone, Debug)]
pub struct IssuedFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

#[track_caller]
fn good<T>(made: Result<T, rcgen::Error>) -> T {
    made.unwrap_or_else(|error| fail(format!("cannot make a certificate: {error}")))
}

impl Authority {
    /// An authority of its own, which nobody knows yet.
    pub fn new(name: &str) -> Self {
        let mut params = good(CertificateParams::new(Vec::new()));
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = good(KeyPair::generate());
        let pem = good(params.self_signed(&key)).pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Writes its own certificate to `path`.
    pub fn write(&self, path: &Path) -> PathBuf {
        put(path, &self.pem)
    }

    /// A certificate for these names (host names, or IP addresses), for servers and clients.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.sign(names, 2099)
    }

    /// The same, but its time is over.
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        self.sign(names, 2021)
    }

    fn sign(&self, names: &[&str], last_year: i32) -> Issued {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = good(CertificateParams::new(names));
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 12, 31);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = good(KeyPair::generate());
        let certificate = good(params.signed_by(&key, &self.issuer)).pem();
        Issued { certificate, key: key.serialize_pem() }
    }
}

impl Issued {
    /// Writes both into `folder` as NAME.pem and NAME.key, over what was there.
    pub fn write(&self, folder: &Path, name: &str) -> IssuedFiles {
        let certificate = put(&folder.join(format!("{name}.pem")), &self.certificate);
        IssuedFiles { certificate, key: put(&folder.join(format!("{name}.key")), &self.key) }
    }
}

#[track_caller]
fn put(path: &Path, text: &str) -> PathBuf {
    if let Err(error) = std::fs::write(path, text) {
        fail(format!("cannot write {}: {error}", path.display()));
    }
    path.to_path_buf()
}
