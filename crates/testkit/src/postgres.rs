//! A real PostgreSQL in a temporary folder on a free loopback port. Nothing of the machine's own servers is touched.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::process::Process;
use crate::{Issued, fail, free_port, locate, unique_name};

/// URL of a PostgreSQL that a whole test run shares; `cargo xtask test` sets it.
pub const PG_URL_VAR: &str = "KARIBU_TEST_PG_URL";

const START_TIMEOUT: Duration = Duration::from_secs(60);
const RESTART_TIMEOUT: Duration = Duration::from_secs(20);
const START_TRIES: u32 = 3;
/// PostgreSQL refuses root, so root starts it as the first of these that exists.
const UNPRIVILEGED_USERS: [&str; 2] = ["postgres", "nobody"];

static SHARED: OnceCell<Postgres> = OnceCell::const_new();

/// How a server of one's own is run.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// fsync on, as in production: for benches and fault tests. Off (the default) is three times faster to start and to write.
    pub durable: bool,
    /// Further settings, `name=value`, as for `postgres -c`.
    pub settings: Vec<String>,
    /// What it shows to who asks for TLS; none means plaintext only.
    pub certificate: Option<Issued>,
}

/// A PostgreSQL server. Cheap to clone; the server ends with the last clone, and with the test process at the latest.
#[derive(Debug, Clone)]
pub struct Postgres {
    base_url: String,
    own: Option<Arc<Mutex<OwnServer>>>,
}

#[derive(Debug)]
struct OwnServer {
    // Declared before `folder`: the process must be gone before its files are.
    process: Process,
    layout: Layout,
    port: u16,
    settings: Vec<String>,
    folder: TempDir,
}

/// Programs, and the user that runs them.
#[derive(Debug, Clone)]
struct Layout {
    bin: PathBuf,
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// The server shared by this run: the one `cargo xtask test` started, else one for this process. fsync is off.
    pub async fn start() -> Self {
        let shared = SHARED.get_or_init(|| async {
            match std::env::var(PG_URL_VAR) {
                Ok(url) => Self::at(&url),
                Err(_) => Self::start_own(PostgresOptions::default()).await,
            }
        });
        shared.await.clone()
    }

    /// A server of one's own, to be killed, paused or restarted.
    pub async fn start_own(options: PostgresOptions) -> Self {
        match tokio::task::spawn_blocking(move || OwnServer::start(&options)).await {
            Ok(Ok(server)) => Self { base_url: base_url(server.port), own: Some(Arc::new(Mutex::new(server))) },
            Ok(Err(error)) => fail(format_args!("PostgreSQL did not start: {error:#}")),
            Err(error) => fail(error),
        }
    }

    /// A server that runs already; `url` may end in a database name.
    fn at(url: &str) -> Self {
        let base = url
            .rsplit_once('/')
            .filter(|(before, _)| before.contains("://") && !before.ends_with('/'))
            .map_or(url, |(before, _)| before);
        Self { base_url: base.trim_end_matches('/').to_owned(), own: None }
    }

    /// Creates an empty database with a name of its own (`name` plus random digits) and returns its URL.
    pub async fn database(&self, name: &str) -> String {
        let database = unique_name(name);
        if let Err(error) = self.create(&database).await {
            fail(format_args!("cannot create database {database}: {error:#}\n{}", self.log_tail()));
        }
        self.url(&database)
    }

    async fn create(&self, database: &str) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await?;
        // The name is our own: letters, digits and underscores only.
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {database} template template0")))
            .execute(&mut connection)
            .await?;
        connection.close().await?;
        Ok(())
    }

    /// URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base_url)
    }

    /// SIGKILL to the postmaster: a crash. Own servers only.
    pub fn kill(&self) {
        let mut server = self.own();
        server.process.kill();
    }

    /// Immediate shutdown, waits for the end. Own servers only.
    pub fn stop(&self) {
        self.own().process.stop();
    }

    /// SIGSTOP to the postmaster: no new connections are answered, existing ones go on. Own servers only.
    pub fn pause(&self) {
        self.own().process.signal("STOP");
    }

    /// Ends a [`Postgres::pause`].
    pub fn resume(&self) {
        self.own().process.signal("CONT");
    }

    /// Starts it again on the same files and port, after ending it if it still runs. Own servers only.
    pub async fn restart(&self) {
        let Some(own) = self.own.clone() else { fail(SHARED_SERVER) };
        match tokio::task::spawn_blocking(move || lock(&own).restart()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => fail(format_args!("PostgreSQL did not start again: {error:#}")),
            Err(error) => fail(error),
        }
    }

    /// The last lines of the server's log; empty for a shared server of another process.
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

const SHARED_SERVER: &str = "this PostgreSQL is shared by the run: use Postgres::start_own to kill or restart one";

fn lock(own: &Arc<Mutex<OwnServer>>) -> MutexGuard<'_, OwnServer> {
    own.lock().unwrap_or_else(PoisonError::into_inner)
}

fn base_url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}")
}

impl OwnServer {
    fn start(options: &PostgresOptions) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("karibu-pg-").tempdir().context("temporary folder")?;
        let layout = Layout::find(folder.path())?;
        let data = folder.path().join("data");
        layout.init(&data, folder.path())?;
        let mut settings = settings(options);
        if let Some(issued) = &options.certificate {
            layout.certify(&data, issued)?;
            settings.push("ssl=on".to_owned());
        }
        let mut last = None;
        for _ in 0..START_TRIES {
            let port = free_port();
            match run(&layout, folder.path(), port, &settings) {
                Ok(process) => return Ok(Self { process, layout, port, settings, folder }),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("no try was made")))
    }

    fn restart(&mut self) -> anyhow::Result<()> {
        self.process.stop();
        let started = Instant::now();
        loop {
            match run(&self.layout, self.folder.path(), self.port, &self.settings) {
                Ok(process) => {
                    self.process = process;
                    return Ok(());
                }
                // After a kill the children of the old one hold its shared memory for a moment.
                Err(_) if started.elapsed() < RESTART_TIMEOUT => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(error),
            }
        }
    }
}

fn settings(options: &PostgresOptions) -> Vec<String> {
    let mut settings: Vec<String> = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_buffers=64MB",
        "log_min_messages=warning",
    ]
    .map(str::to_owned)
    .into();
    if !options.durable {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings.extend(options.settings.iter().cloned());
    settings
}

/// Starts `postgres` and waits until it answers a query on its port.
fn run(layout: &Layout, folder: &Path, port: u16, settings: &[String]) -> anyhow::Result<Process> {
    let mut command = layout.command("postgres", folder);
    command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string());
    for setting in settings {
        command.args(["-c", setting]);
    }
    // QUIT is the immediate shutdown: it frees the shared memory, and the files are thrown away anyway.
    let mut process = Process::start("postgres", &mut command, &folder.join("log"), Some(folder), "QUIT")?;
    let started = Instant::now();
    loop {
        if let Some(status) = process.exited() {
            bail!("postgres ended with {status}\n{}", process.log_tail());
        }
        if ready(folder, process.id()) {
            return Ok(process);
        }
        if started.elapsed() > START_TIMEOUT {
            bail!("postgres was not ready in {START_TIMEOUT:?}\n{}", process.log_tail());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The postmaster writes its state into line 8 of its lock file, and its pid into line 1.
fn ready(folder: &Path, pid: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(folder.join("data/postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next().is_some_and(|line| line.trim() == pid.to_string())
        && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

impl Layout {
    /// Finds the programs and, for root, the user to run them as; hands `folder` to that user.
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let Some(bin) = locate::postgres_bin() else { bail!("{}", locate::POSTGRES_INSTALL) };
        // The owner of a folder just made is who we are.
        let user = if folder.metadata()?.uid() == 0 {
            let accounts = std::fs::read_to_string("/etc/passwd").context("/etc/passwd")?;
            let Some((uid, gid)) = UNPRIVILEGED_USERS.iter().find_map(|name| account(&accounts, name)) else {
                bail!(
                    "PostgreSQL refuses to run as root, and none of the users {UNPRIVILEGED_USERS:?} exists. Make one: useradd --system postgres"
                );
            };
            chown(folder, Some(uid), Some(gid)).context("handing the folder to the unprivileged user")?;
            Some((uid, gid))
        } else {
            None
        };
        Ok(Self { bin, user })
    }

    fn command(&self, program: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.current_dir(folder).env_clear().env("PATH", &self.bin).env("LC_ALL", "C").env("TZ", "UTC");
        if let Some((uid, gid)) = self.user {
            // As root this drops the supplementary groups too.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Puts a certificate where the server looks for it.
    fn certify(&self, data: &Path, issued: &Issued) -> anyhow::Result<()> {
        for (name, text) in [("server.crt", &issued.certificate), ("server.key", &issued.key)] {
            let path = data.join(name);
            std::fs::write(&path, text)?;
            // A key that others can read is refused.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            if let Some((uid, gid)) = self.user {
                chown(&path, Some(uid), Some(gid))?;
            }
        }
        Ok(())
    }

    fn init(&self, data: &Path, folder: &Path) -> anyhow::Result<()> {
        let mut command = self.command("initdb", folder);
        command.arg("-D").arg(data).args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        ]);
        let output = command.output().with_context(|| format!("cannot run {}", self.bin.join("initdb").display()))?;
        if !output.status.success() {
            bail!(
                "initdb failed: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }
}

/// User and group id of `name` in the text of `/etc/passwd`.
fn account(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Postgres, account};

    #[test]
    fn a_shared_url_may_name_a_database_or_not() {
        for url in [
            "postgres://postgres@127.0.0.1:1234",
            "postgres://postgres@127.0.0.1:1234/",
            "postgres://postgres@127.0.0.1:1234/postgres",
        ] {
            assert_eq!(Postgres::at(url).url("x"), "postgres://postgres@127.0.0.1:1234/x", "{url}");
        }
    }

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let text = "root:x:0:0:root:/root:/bin/sh\nnobody2:x:7:8::/:/\nnobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n";
        assert_eq!(account(text, "nobody"), Some((65534, 65533)));
        assert_eq!(account(text, "postgres"), None);
    }
}
