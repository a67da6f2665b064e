//! TLS of a process: what its ports show and demand, and what it believes of the peers it calls. Everything comes from
//! PEM files that are read again while the process runs; a file that cannot be used changes nothing and is told.

mod config;
mod dial;
mod files;
mod listen;

pub use config::TlsConfig;
pub(crate) use listen::Acceptor;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tonic::transport::ClientTlsConfig;

use crate::Stop;
use files::Contents;
use listen::Listening;

/// The TLS of one process. Clones share it. The default is none: ports speak plaintext and peers at `https://` cannot be
/// called.
#[derive(Clone, Default)]
pub struct Tls(Option<Arc<Live>>);

struct Live {
    config: TlsConfig,
    listening: watch::Sender<Option<Listening>>,
    dialling: watch::Sender<Dialling>,
    /// What was read last, good or not: the same files are not tried, and not complained of, twice.
    tried: Mutex<Contents>,
}

/// What is shown to peers and believed of them; `round` grows with every change.
#[derive(Clone, Default)]
struct Dialling {
    config: Option<ClientTlsConfig>,
    round: u64,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.0.as_ref().map(|live| &live.config)).finish()
    }
}

impl Tls {
    /// Reads the files that the settings name; fails when one of them cannot be used.
    pub fn load(config: &TlsConfig) -> anyhow::Result<Self> {
        config.validate()?;
        if !config.is_used() {
            return Ok(Self::default());
        }
        let contents = Contents::read(config)?;
        let live = Live {
            config: config.clone(),
            listening: watch::Sender::new(Listening::of(&contents, config)?),
            dialling: watch::Sender::new(Dialling { config: dial::config(&contents)?, round: 0 }),
            tried: Mutex::new(contents),
        };
        Ok(Self(Some(Arc::new(live))))
    }

    /// Looks at the files again and again until `stop`. Connections that are open stay as they are.
    pub fn follow(&self, tasks: &TaskTracker, stop: &Stop) {
        let Some(live) = self.0.clone() else { return };
        let stop = stop.clone();
        tasks.spawn(async move {
            let period = live.config.tls_reload;
            while stop.run_until_cancelled(tokio::time::sleep(period)).await.is_some() {
                live.look();
            }
        });
    }

    /// For a port that only Karibu itself calls: with caller authorities, a certificate of theirs is demanded.
    pub(crate) fn acceptor(&self) -> Acceptor {
        Acceptor::new(self.0.as_ref().map(|live| live.listening.subscribe()), true)
    }

    /// For a port that programs of the surroundings call, such as probes: no certificate is demanded of them.
    pub(crate) fn lenient_acceptor(&self) -> Acceptor {
        Acceptor::new(self.0.as_ref().map(|live| live.listening.subscribe()), false)
    }

    /// Whether peers at `https://` can be called.
    pub(crate) fn can_dial(&self) -> bool {
        self.0.as_ref().is_some_and(|live| live.dialling.borrow().config.is_some())
    }

    /// How to call `peer`, whose certificate must be for that name.
    pub(crate) fn for_peer(&self, peer: &str) -> anyhow::Result<ClientTlsConfig> {
        let config = self.0.as_ref().and_then(|live| live.dialling.borrow().config.clone());
        Ok(config.context("no authorities of peers are configured (--tls-peers)")?.domain_name(peer))
    }

    /// Grows whenever [`Self::for_peer`] answers otherwise than before.
    pub(crate) fn round(&self) -> u64 {
        self.0.as_ref().map_or(0, |live| live.dialling.borrow().round)
    }
}

impl Live {
    /// One look at the files.
    fn look(&self) {
        // A file that cannot be read may be half way through its replacement: the next look will tell.
        let contents = match Contents::read(&self.config) {
            Ok(contents) => contents,
            Err(error) => return tracing::warn!(error = format!("{error:#}"), "certificates cannot be read"),
        };
        {
            let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
            if *tried == contents {
                return;
            }
            *tried = contents.clone();
        }
        match self.renewed(&contents) {
            Ok((listening, dialling)) => {
                self.listening.send_replace(listening);
                self.dialling.send_modify(|now| *now = Dialling { config: dialling, round: now.round + 1 });
                tracing::info!("new certificates are in use");
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "new certificates cannot be used, the old ones stay");
            }
        }
    }

    /// All or nothing: a port and the calls of one process never stand on two different sets of files.
    fn renewed(&self, contents: &Contents) -> anyhow::Result<(Option<Listening>, Option<ClientTlsConfig>)> {
        Ok((Listening::of(contents, &self.config)?, dial::config(contents)?))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use testkit::Authority;

    use super::*;

    fn settings(folder: &Path) -> TlsConfig {
        let named = |name: &str| Some(folder.join(name));
        TlsConfig {
            tls_certificate: named("port.pem"),
            tls_key: named("port.key"),
            tls_peers: named("authority.pem"),
            ..TlsConfig::none()
        }
    }

    #[test]
    fn files_that_cannot_be_used_leave_the_old_ones_and_good_ones_take_over() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("ours");
        authority.write(&folder.path().join("authority.pem"));
        authority.issue(&["echo"]).write(folder.path(), "port");
        let tls = Tls::load(&settings(folder.path())).unwrap();
        let (live, acceptor) = (tls.0.clone().unwrap(), tls.acceptor());
        let first = acceptor.current().unwrap();

        live.look();
        assert!(Arc::ptr_eq(&first, &acceptor.current().unwrap()), "the same files change nothing");

        // A key that does not belong to the certificate, half a file, and no file.
        let other = authority.issue(&["echo"]);
        std::fs::write(folder.path().join("port.key"), &other.key).unwrap();
        live.look();
        std::fs::write(folder.path().join("port.pem"), &other.certificate[..200]).unwrap();
        live.look();
        std::fs::remove_file(folder.path().join("port.pem")).unwrap();
        live.look();
        assert!(Arc::ptr_eq(&first, &acceptor.current().unwrap()), "bad files change nothing");
        assert_eq!(tls.round(), 0);

        std::fs::write(folder.path().join("port.pem"), &other.certificate).unwrap();
        live.look();
        assert!(!Arc::ptr_eq(&first, &acceptor.current().unwrap()), "good files take over");
        assert_eq!(tls.round(), 1);
    }

    #[test]
    fn what_cannot_be_used_at_the_start_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let config = settings(folder.path());
        let said = |config: &TlsConfig| format!("{:#}", Tls::load(config).unwrap_err());
        assert!(said(&config).contains("port.pem"), "{}", said(&config));
        let half = TlsConfig { tls_certificate: Some("port.pem".into()), ..TlsConfig::none() };
        assert!(said(&half).contains("--tls-key"), "{}", said(&half));
        let callers = TlsConfig { tls_callers: Some("authority.pem".into()), ..TlsConfig::none() };
        assert!(said(&callers).contains("--tls-certificate"), "{}", said(&callers));
        std::fs::write(folder.path().join("empty"), "").unwrap();
        let empty = TlsConfig { tls_peers: Some(folder.path().join("empty")), ..TlsConfig::none() };
        assert!(said(&empty).contains("no certificate"), "{}", said(&empty));
        assert!(Tls::load(&TlsConfig::none()).unwrap().0.is_none());
    }
}
