//! A real nats-server with JetStream in a temporary folder on a free loopback port.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::process::Process;
use crate::{fail, free_port, locate, ports, unique_name};

/// URL of a nats-server that a whole test run shares; `cargo xtask test` sets it.
pub const NATS_URL_VAR: &str = "KARIBU_TEST_NATS_URL";

const START_TIMEOUT: Duration = Duration::from_secs(30);
const START_TRIES: u32 = 3;

static SHARED: OnceCell<Nats> = OnceCell::const_new();

/// How a server of one's own is run.
#[derive(Debug, Clone, Default)]
pub struct NatsOptions {
    /// The program; `None` is the pinned one. See [`Nats::old_program`].
    pub program: Option<PathBuf>,
    /// Further lines of its configuration file, such as `max_payload: 65536`.
    pub config: String,
}

/// A nats-server with JetStream. Cheap to clone; it ends with the last clone, and with the test process at the latest.
#[derive(Debug, Clone)]
pub struct Nats {
    url: String,
    namespace: String,
    own: Option<Arc<Mutex<OwnServer>>>,
}

#[derive(Debug)]
struct OwnServer {
    // Declared before `folder`: the process must be gone before its files are.
    process: Process,
    program: PathBuf,
    port: u16,
    version: String,
    folder: TempDir,
}

impl Nats {
    /// A server of one's own (it starts in some 50 ms): nothing to share, free to be killed, paused and restarted.
    pub async fn start() -> Self {
        Self::start_with(NatsOptions::default()).await
    }

    /// A server of one's own of another version or with another configuration.
    pub async fn start_with(options: NatsOptions) -> Self {
        match tokio::task::spawn_blocking(move || OwnServer::start(&options)).await {
            Ok(Ok(server)) => {
                let url = format!("nats://127.0.0.1:{}", server.port);
                Self { url, namespace: unique_name("t"), own: Some(Arc::new(Mutex::new(server))) }
            }
            Ok(Err(error)) => fail(format_args!("nats-server did not start: {error:#}")),
            Err(error) => fail(error),
        }
    }

    /// The server shared by this run, with a namespace of this call's own: the one `cargo xtask test` started, else one for
    /// this process. Streams and subjects of the caller must carry the [`Nats::namespace`].
    pub async fn shared() -> Self {
        let shared = SHARED.get_or_init(|| async {
            match std::env::var(NATS_URL_VAR) {
                Ok(url) => Self { url, namespace: String::new(), own: None },
                Err(_) => Self::start().await,
            }
        });
        let shared = shared.await;
        Self { url: shared.url.clone(), namespace: unique_name("t"), own: None }
    }

    /// The oldest supported server (2.9, as Debian 12 ships it); fails the test with the install line when it is missing.
    #[track_caller]
    pub fn old_program() -> PathBuf {
        locate::old_nats_server().unwrap_or_else(|| fail(locate::OLD_NATS_INSTALL))
    }

    /// `nats://127.0.0.1:port`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A name that no other test has: letters, digits, underscores, so a subject token and part of a stream name.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Version as the server itself tells it, such as `2.15.0`. Own servers only.
    pub fn version(&self) -> String {
        self.own().version.clone()
    }

    /// SIGKILL: a crash. Own servers only.
    pub fn kill(&self) {
        self.own().process.kill();
    }

    /// SIGTERM, waits for the end. Own servers only.
    pub fn stop(&self) {
        self.own().process.stop();
    }

    /// SIGSTOP: connections stay open and nobody answers. Own servers only.
    pub fn pause(&self) {
        self.own().process.signal("STOP");
    }

    /// Ends a [`Nats::pause`].
    pub fn resume(&self) {
        self.own().process.signal("CONT");
    }

    /// Starts it again on the same store and port, after ending it if it still runs. Own servers only.
    pub async fn restart_same_store(&self) {
        self.restart(false).await;
    }

    /// Starts it again on the same port with an empty store: everything it kept is lost. Own servers only.
    pub async fn restart_empty_store(&self) {
        self.restart(true).await;
    }

    async fn restart(&self, empty: bool) {
        let Some(own) = self.own.clone() else { fail(SHARED_SERVER) };
        match tokio::task::spawn_blocking(move || lock(&own).restart(empty)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => fail(format_args!("nats-server did not start again: {error:#}")),
            Err(error) => fail(error),
        }
    }

    /// The last lines of the server's log; empty for a shared server.
    pub fn log_tail(&self) -> String {
        self.own.as_ref().map(|own| lock(own).process.log_tail()).unwrap_or_default()
    }

    #[track_caller]
    fn own(&self) -> MutexGuard<'_, OwnServer> {
        match &self.own {
            Some(own) => lock(own),
            None => fail(SHARED_SERVER),
        }
    }
}

const SHARED_SERVER: &str = "this nats-server is shared by the run: use Nats::start to kill or restart one";

fn lock(own: &Arc<Mutex<OwnServer>>) -> MutexGuard<'_, OwnServer> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OwnServer {
    fn start(options: &NatsOptions) -> anyhow::Result<Self> {
        let Some(program) = options.program.clone().or_else(locate::nats_server) else {
            bail!("{}", locate::NATS_INSTALL)
        };
        let folder = tempfile::Builder::new().prefix("karibu-nats-").tempdir().context("temporary folder")?;
        std::fs::write(folder.path().join("nats.conf"), configuration(folder.path(), &options.config))?;
        let mut last = None;
        for _ in 0..START_TRIES {
            let port = free_port();
            match run(&program, folder.path(), port) {
                Ok((process, version)) => return Ok(Self { process, program, port, version, folder }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no try was made")))
    }

    fn restart(&mut self, empty: bool) -> anyhow::Result<()> {
        self.process.stop();
        if empty {
            std::fs::remove_dir_all(self.folder.path().join("store")).context("emptying the store")?;
        }
        (self.process, self.version) = run(&self.program, self.folder.path(), self.port)?;
        Ok(())
    }
}

fn configuration(folder: &Path, more: &str) -> String {
    let store = serde_json::Value::from(folder.join("store").to_string_lossy());
    format!("jetstream {{ store_dir: {store}, max_mem: 256MB, max_file: 4GB }}\n{more}\n")
}

/// Starts the server and waits until its greeting says that JetStream is on. Returns its version.
fn run(program: &Path, folder: &Path, port: u16) -> anyhow::Result<(Process, String)> {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .arg("-c")
        .arg(folder.join("nats.conf"))
        .args(["-a", "127.0.0.1", "-p"])
        .arg(port.to_string());
    let mut process = Process::start("nats-server", &mut command, &folder.join("log"), Some(folder), "TERM")
        .with_context(|| format!("cannot run {}", program.display()))?;
    let started = Instant::now();
    loop {
        if let Some(status) = process.exited() {
            bail!("nats-server ended with {status}\n{}", process.log_tail());
        }
        match greeting(port) {
            Ok(version) => return Ok((process, version)),
            Err(error) if started.elapsed() > START_TIMEOUT => {
                bail!("nats-server was not ready in {START_TIMEOUT:?}: {error:#}\n{}", process.log_tail())
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Reads the `INFO {…}` line that the server sends first. JetStream is announced there once it is up.
fn greeting(port: u16) -> anyhow::Result<String> {
    let stream = ports::connect(port)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    let info: serde_json::Value = serde_json::from_str(line.trim_start_matches("INFO ").trim()).context("greeting")?;
    if info["jetstream"] != true {
        bail!("JetStream is not up yet");
    }
    info["version"].as_str().map(str::to_owned).context("no version in the greeting")
}
