//! The Ed25519 keys of internal tokens: generated at start in one process, PEM files between processes.
//! Key material is never printed.

use std::fmt;
use std::path::Path;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}: {source}")]
    Unreadable {
        /// Path of the file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds no Ed25519 key of the expected half.
    #[error("{path} holds no Ed25519 {half} key in PEM (make one with `openssl genpkey -algorithm ed25519`)")]
    NotAKey {
        /// Path of the file, or "generated".
        path: String,
        /// "private" or "public".
        half: &'static str,
    },
}

/// The private half: who has it can say who a caller is.
#[derive(Clone)]
pub struct SigningKeys {
    pub(super) id: String,
    pub(super) encoding: EncodingKey,
    key: SigningKey,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKeys {
    /// A fresh key that lives as long as the process.
    pub fn generate() -> Result<Self, KeyError> {
        Self::new(SigningKey::from_bytes(&rand::random::<[u8; 32]>()), "generated")
    }

    /// The key in a PKCS#8 PEM file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(&read(path)?).map_err(|_| not_a_key(path, "private"))?;
        Self::new(key, &path.display().to_string())
    }

    fn new(key: SigningKey, path: &str) -> Result<Self, KeyError> {
        let der = key.to_pkcs8_der().map_err(|_| KeyError::NotAKey { path: path.to_owned(), half: "private" })?;
        Ok(Self { id: key_id(&key.verifying_key()), encoding: EncodingKey::from_ed_der(der.as_bytes()), key })
    }

    /// The public half, for services.
    pub fn public(&self) -> VerifyingKeys {
        let mut keys = VerifyingKeys::default();
        keys.add(&self.key.verifying_key());
        keys
    }

    /// A secret for another purpose, the same wherever this key is: who has it learns nothing of the key.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        // The key has a fixed length, so no two purposes meet.
        Sha256::new().chain_update(self.key.as_bytes()).chain_update(purpose.as_bytes()).finalize().into()
    }

    /// Both halves as PEM (private, public): what a deployment writes once.
    pub fn to_pem(&self) -> Result<(String, String), KeyError> {
        let failed = |half| KeyError::NotAKey { path: "generated".to_owned(), half };
        let private = self.key.to_pkcs8_pem(LineEnding::LF).map_err(|_| failed("private"))?;
        let public = self.key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|_| failed("public"))?;
        Ok((private.as_str().to_owned(), public))
    }
}

/// The public halves that are believed. Several, so that a key can be changed without a gap.
#[derive(Clone, Default)]
pub struct VerifyingKeys(Vec<(String, DecodingKey)>);

impl fmt::Debug for VerifyingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}

impl VerifyingKeys {
    /// The keys in these PEM files, one in each.
    pub fn read(paths: &[impl AsRef<Path>]) -> Result<Self, KeyError> {
        let mut keys = Self::default();
        for path in paths.iter().map(AsRef::as_ref) {
            let key = VerifyingKey::from_public_key_pem(&read(path)?).map_err(|_| not_a_key(path, "public"))?;
            keys.add(&key);
        }
        Ok(keys)
    }

    /// Whether there is none, so that no token would be believed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These keys and those of `other`.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The key with this id.
    pub(super) fn find(&self, id: &str) -> Option<&DecodingKey> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, key)| key)
    }

    fn add(&mut self, key: &VerifyingKey) {
        self.0.push((key_id(key), DecodingKey::from_ed_der(key.as_bytes())));
    }
}

/// The first eight bytes of the SHA-256 of the public key, in hexadecimal: `kid` of the tokens.
fn key_id(key: &VerifyingKey) -> String {
    Sha256::digest(key.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<String, KeyError> {
    std::fs::read_to_string(path).map_err(|source| KeyError::Unreadable { path: path.display().to_string(), source })
}

fn not_a_key(path: &Path, half: &'static str) -> KeyError {
    KeyError::NotAKey { path: path.display().to_string(), half }
}
