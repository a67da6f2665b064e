//! Master keys: what data keys are wrapped by. They come as text from a file or the environment, several at a time, so
//! that a new one takes over while old ones still open what they wrapped.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::{Zeroize, Zeroizing};
use secrecy::{ExposeSecret, SecretBox};
use uuid::Uuid;

use crate::data_key::{self, DataKey, KEY_BYTES};

/// Longest name of a master key.
const MAX_ID_CHARS: usize = 64;

/// Why a key does not do what it should.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The text does not name master keys. It is not repeated: it may hold a part of one.
    #[error("line {line} is no master key; expected NAME:KEY with 32 bytes in base64, the newest first")]
    Form {
        /// Number of the line, from 1.
        line: usize,
    },
    /// No master key is given.
    #[error("no master key is given")]
    None,
    /// Two master keys have one name.
    #[error("the master key {id} is given twice")]
    Twice {
        /// Its name.
        id: String,
    },
    /// What is to be opened was wrapped by a key that is not given.
    #[error("the master key {id} is not given")]
    Unknown {
        /// Its name.
        id: String,
    },
    /// It was sealed under another key or for another place, or was changed since.
    #[error("it does not open under this key in this place")]
    Unsealed,
    /// The file of keys cannot be read or made.
    #[error("the file of master keys {path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
}

/// A data key as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The name of the master key that opens it.
    pub master_key_id: String,
    /// The key, sealed.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").field("master_key_id", &self.master_key_id).finish_non_exhaustive()
    }
}

struct MasterKey {
    id: String,
    key: SecretBox<[u8; KEY_BYTES]>,
}

/// The master keys of an installation: the first wraps, all open. Cheap to clone, never printed.
#[derive(Clone)]
pub struct MasterKeys(Arc<Vec<MasterKey>>);

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl MasterKeys {
    /// The keys in a text of lines `NAME:KEY` (32 bytes in base64), the newest first. Empty lines and lines that begin
    /// with `#` are skipped; a comma ends a line too, for the environment.
    ///
    /// # Errors
    /// A line is no key, a name comes twice, or there is none.
    pub fn parse(text: &str) -> Result<Self, KeyFault> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for (place, line) in text.split(['\n', ',']).enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let key = read_line(line).ok_or(KeyFault::Form { line: place + 1 })?;
            if keys.iter().any(|other| other.id == key.id) {
                return Err(KeyFault::Twice { id: key.id });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyFault::None) } else { Ok(Self(Arc::new(keys))) }
    }

    /// One new random key, which lives as long as this value: for tests, and for what is not kept.
    pub fn ephemeral() -> Self {
        Self(Arc::new(vec![fresh("ephemeral".to_owned())]))
    }

    /// The keys in the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or its text names no keys.
    pub fn read(path: &Path) -> Result<Self, KeyFault> {
        let text = std::fs::read_to_string(path).map_err(|error| file(path, &error))?;
        Self::parse(&Zeroizing::new(text))
    }

    /// The keys in the file at `path`, which is made with one new key, readable for its owner only, if it is not there.
    ///
    /// # Errors
    /// The file cannot be read or made, or its text names no keys.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyFault> {
        if path.exists() {
            return Self::read(path);
        }
        let key = fresh(format!("k{}", Uuid::now_v7().simple()));
        let encoded = Zeroizing::new(STANDARD.encode(key.key.expose_secret()));
        let text = Zeroizing::new(format!(
            "# Master keys: what the keys of customers are wrapped by. Without this file their data cannot be read.\n\
             # Keep a copy apart from the backups of the databases. The newest key comes first.\n{}:{}\n",
            key.id, *encoded
        ));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| file(path, &error))?;
        }
        // Linked into place when it is whole: another part of this installation that starts now must not read half.
        let part = path.with_extension(key.id.as_str());
        let made = write_private(&part, text.as_bytes()).and_then(|()| std::fs::hard_link(&part, path));
        let _ = std::fs::remove_file(&part);
        match made {
            Ok(()) => Ok(Self(Arc::new(vec![key]))),
            // It was faster.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(file(path, &error)),
        }
    }

    /// The name of the key that wraps.
    pub fn current(&self) -> &str {
        self.0.first().map_or("", |key| key.id.as_str())
    }

    /// Wraps the key of `subject` of a service.
    ///
    /// # Errors
    /// There is no master key.
    pub fn wrap(&self, service: &str, subject: Uuid, key: &DataKey) -> Result<Wrapped, KeyFault> {
        let master = self.0.first().ok_or(KeyFault::None)?;
        let bytes = data_key::seal(master.key.expose_secret(), &bound(service, subject, &master.id), key.expose())?;
        Ok(Wrapped { master_key_id: master.id.clone(), bytes })
    }

    /// Opens the wrapped key of `subject` of a service.
    ///
    /// # Errors
    /// Its master key is not given, or it was not wrapped for this subject.
    pub fn unwrap(&self, service: &str, subject: Uuid, wrapped: &Wrapped) -> Result<DataKey, KeyFault> {
        let id = &wrapped.master_key_id;
        let master = self.0.iter().find(|key| key.id == *id).ok_or_else(|| KeyFault::Unknown { id: id.clone() })?;
        let bytes = data_key::open(master.key.expose_secret(), &bound(service, subject, id), &wrapped.bytes)?;
        let bytes: &[u8; KEY_BYTES] = bytes.as_slice().try_into().map_err(|_| KeyFault::Unsealed)?;
        Ok(DataKey::from_bytes(bytes))
    }
}

/// Writes a new file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut made = options.open(path)?;
    made.write_all(bytes)?;
    made.sync_all()
}

fn fresh(id: String) -> MasterKey {
    MasterKey { id, key: SecretBox::init_with_mut(|bytes: &mut [u8; KEY_BYTES]| *bytes = rand::random()) }
}

fn read_line(line: &str) -> Option<MasterKey> {
    let (id, encoded) = line.split_once(':')?;
    let id = id.trim();
    let named = !id.is_empty() && id.len() <= MAX_ID_CHARS;
    if !named || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let mut given: [u8; KEY_BYTES] = bytes.as_slice().try_into().ok()?;
    let key = SecretBox::init_with_mut(|bytes: &mut [u8; KEY_BYTES]| bytes.copy_from_slice(&given));
    given.zeroize();
    Some(MasterKey { id: id.to_owned(), key })
}

/// What a wrapped key is bound to.
fn bound(service: &str, subject: Uuid, id: &str) -> Vec<u8> {
    let mut bytes = b"karibu data key v1".to_vec();
    for text in [service, id] {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(subject.as_bytes());
    bytes
}

fn file(path: &Path, error: &std::io::Error) -> KeyFault {
    KeyFault::File { path: path.display().to_string(), cause: error.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(ids: &[(&str, u8)]) -> MasterKeys {
        let lines: Vec<String> =
            ids.iter().map(|(id, byte)| format!("{id}:{}", STANDARD.encode([*byte; 32]))).collect();
        MasterKeys::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn a_wrapped_key_opens_for_its_subject_and_service_only() {
        let master = keys(&[("a", 1)]);
        let (ann, key) = (Uuid::from_u128(1), DataKey::from_bytes(&[9; 32]));
        let wrapped = master.wrap("ticketing", ann, &key).unwrap();
        assert_eq!(master.unwrap("ticketing", ann, &wrapped).unwrap().expose(), &[9; 32]);
        assert_eq!(master.unwrap("ticketing", Uuid::from_u128(2), &wrapped).unwrap_err(), KeyFault::Unsealed);
        assert_eq!(master.unwrap("feedback", ann, &wrapped).unwrap_err(), KeyFault::Unsealed);
        let renamed = Wrapped { master_key_id: "b".to_owned(), ..wrapped.clone() };
        let both = keys(&[("b", 1), ("a", 1)]);
        assert_eq!(both.unwrap("ticketing", ann, &renamed).unwrap_err(), KeyFault::Unsealed, "its name is bound");
    }

    #[test]
    fn a_new_master_key_wraps_while_the_old_one_still_opens() {
        let key = DataKey::generate();
        let old = keys(&[("a", 1)]).wrap("s", Uuid::nil(), &key).unwrap();
        let both = keys(&[("b", 2), ("a", 1)]);
        let opened = both.unwrap("s", Uuid::nil(), &old).unwrap();
        let new = both.wrap("s", Uuid::nil(), &opened).unwrap();
        assert_eq!((both.current(), new.master_key_id.as_str()), ("b", "b"));
        let only_new = keys(&[("b", 2)]);
        assert_eq!(only_new.unwrap("s", Uuid::nil(), &new).unwrap().expose(), key.expose());
        assert_eq!(only_new.unwrap("s", Uuid::nil(), &old).unwrap_err(), KeyFault::Unknown { id: "a".to_owned() });
    }

    #[test]
    fn texts_that_name_no_keys_are_refused_without_repeating_them() {
        let good = STANDARD.encode([1; 32]);
        for (text, line) in [
            ("secretpart".to_owned(), 1),
            (format!("a:{good}\nb:short"), 2),
            (format!("a b:{good}"), 1),
            (format!(":{good}"), 1),
        ] {
            let fault = MasterKeys::parse(&text).unwrap_err();
            assert_eq!(fault, KeyFault::Form { line }, "{text}");
            assert!(!fault.to_string().contains("secretpart"));
        }
        assert_eq!(MasterKeys::parse("# none\n\n").unwrap_err(), KeyFault::None);
        assert_eq!(
            MasterKeys::parse(&format!("a:{good},a:{good}")).unwrap_err(),
            KeyFault::Twice { id: "a".to_owned() }
        );
        assert_eq!(format!("{:?}", keys(&[("a", 1), ("b", 2)])), r#"["a", "b"]"#);
    }

    #[test]
    fn the_file_is_made_once_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join("master-keys");
        let first = MasterKeys::open_or_create(&path).unwrap();
        let again = MasterKeys::open_or_create(&path).unwrap();
        assert_eq!(first.current(), again.current());
        let wrapped = first.wrap("s", Uuid::nil(), &DataKey::generate()).unwrap();
        assert!(again.unwrap("s", Uuid::nil(), &wrapped).is_ok());
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left behind");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
