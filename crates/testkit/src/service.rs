//! One of our own binaries as a process of its own: started, watched, paused, killed, and its log shown when a test fails.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::Process;
use crate::{fail, unique_name};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const HTTP_TIMEOUT: Duration = Duration::from_secs(2);

/// What to run: program, arguments, environment.
#[derive(Debug, Clone)]
pub struct ServiceOptions {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

impl ServiceOptions {
    /// A program by its path; `name` is for messages.
    pub fn new(name: &str, program: impl Into<PathBuf>) -> Self {
        Self { name: name.to_owned(), program: program.into(), args: Vec::new(), env: Vec::new() }
    }

    /// One of the workspace's binaries, from the folder of the running test (`target/debug`). Fails the test with the line
    /// that builds it when it is missing.
    #[track_caller]
    pub fn workspace_binary(binary: &str) -> Self {
        let program = std::env::current_exe().ok().and_then(|test| Some(test.parent()?.parent()?.join(binary)));
        match program {
            Some(program) if program.exists() => Self::new(binary, program),
            _ => fail(format_args!("the binary {binary} is not built. Build it:\n    cargo build --workspace --bins")),
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets one environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Starts it. Its environment is what is given here and nothing of the test's own but `PATH` and `HOME`.
    #[track_caller]
    pub fn start(self) -> Service {
        Service::start(self)
    }
}

/// A running service. It ends when this is dropped.
#[derive(Debug)]
pub struct Service {
    process: Mutex<Process>,
    options: ServiceOptions,
    log: PathBuf,
    folder: TempDir,
}

impl Service {
    #[track_caller]
    fn start(options: ServiceOptions) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("karibu-service-")
            .tempdir()
            .unwrap_or_else(|error| fail(format_args!("temporary folder: {error}")));
        let log = folder.path().join(unique_name(&options.name)).with_extension("log");
        let process = run(&options, &log, folder.path());
        Self { process: Mutex::new(process), options, log, folder }
    }

    /// Starts it again with the same options, after ending it if it still runs. The log goes on in the same file.
    #[track_caller]
    pub fn restart(&mut self) {
        self.lock().stop();
        let process = run(&self.options, &self.log, self.folder.path());
        self.process = Mutex::new(process);
    }

    /// Waits until `GET http://address path` answers 200; fails the test with the log when it ends or takes over a minute.
    pub async fn wait_http_ok(&self, address: SocketAddr, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        self.wait_for(&format!("GET {address}{path} answers 200"), || {
            let request = request.clone();
            async move {
                tokio::task::spawn_blocking(move || http_status(address, &request))
                    .await
                    .is_ok_and(|status| status == Some(200))
            }
        })
        .await;
    }

    /// Waits until a line that contains `text` stands in the log, and returns that line.
    pub async fn wait_line(&self, text: &str) -> String {
        self.wait_for(&format!("a line with {text:?}"), || async { self.find_line(text).is_some() }).await;
        self.find_line(text).unwrap_or_default()
    }

    /// Waits until the file at `path` holds some text, and returns that text trimmed: an address file, say.
    pub async fn wait_file(&self, path: &Path) -> String {
        let text = || std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        self.wait_for(&format!("something in {}", path.display()), || async { !text().is_empty() }).await;
        text()
    }

    /// Waits until `check` holds; fails the test with the log when the process ends first or a minute passes.
    pub async fn wait_for<F: Future<Output = bool>>(&self, what: &str, mut check: impl FnMut() -> F) {
        let started = Instant::now();
        while !check().await {
            if let Some(status) = self.exited() {
                fail(format_args!("{} ended with {status} before: {what}\n{}", self.options.name, self.log_tail()));
            }
            if started.elapsed() > START_TIMEOUT {
                fail(format_args!("{}: not within {START_TIMEOUT:?}: {what}\n{}", self.options.name, self.log_tail()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&self) {
        self.lock().kill();
    }

    /// Sends SIGTERM and does not wait.
    pub fn terminate(&self) {
        self.lock().signal("TERM");
    }

    /// SIGSTOP: it hangs with its connections open.
    pub fn pause(&self) {
        self.lock().signal("STOP");
    }

    /// Ends a [`Service::pause`].
    pub fn resume(&self) {
        self.lock().signal("CONT");
    }

    /// Waits until it has ended and returns how; fails the test with the log after `timeout`.
    pub async fn wait_exit(&self, timeout: Duration) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            if started.elapsed() > timeout {
                fail(format_args!("{} still runs after {timeout:?}\n{}", self.options.name, self.log_tail()));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How it ended, or `None` while it runs.
    pub fn exited(&self) -> Option<ExitStatus> {
        self.lock().exited()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.lock().id()
    }

    /// Everything it printed so far, both streams.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The last lines it printed.
    pub fn log_tail(&self) -> String {
        self.lock().log_tail()
    }

    /// A folder of its own that lasts as long as this value.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn find_line(&self, text: &str) -> Option<String> {
        self.log().lines().find(|line| line.contains(text)).map(str::to_owned)
    }

    fn lock(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tail = self.log_tail();
            let mut out = std::io::stderr().lock();
            writeln!(out, "---- last output of {} ----\n{tail}\n----", self.options.name).ok();
        }
    }
}

#[track_caller]
fn run(options: &ServiceOptions, log: &Path, folder: &Path) -> Process {
    let mut command = Command::new(&options.program);
    command.args(&options.args).env_clear();
    for inherited in ["PATH", "HOME", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(inherited) {
            command.env(inherited, value);
        }
    }
    command.envs(options.env.iter().map(|(name, value)| (name, value))).current_dir(folder);
    Process::start(&options.name, &mut command, log, Some(folder), "TERM")
        .unwrap_or_else(|error| fail(format_args!("cannot start {}: {error}", options.program.display())))
}

/// Status of a plain HTTP/1.1 request, `None` if nobody answers. Written out because testkit carries no HTTP client.
fn http_status(address: SocketAddr, request: &str) -> Option<u16> {
    let mut stream = std::net::TcpStream::connect_timeout(&address, HTTP_TIMEOUT).ok()?;
    stream.set_read_timeout(Some(HTTP_TIMEOUT)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0_u8; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.split(' ').nth(1)?.parse().ok()
}
