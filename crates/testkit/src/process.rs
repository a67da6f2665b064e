//! A child process that never outlives the test that started it, however the test ends.
//!
//! Each child has a guard: a tiny shell that waits on a pipe held by the test process. When the test process is gone,
//! killed or not, the pipe closes; the guard then ends the child and removes its folder. That needs no unsafe code and,
//! unlike a parent-death signal, does not depend on the thread that did the start.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const TAIL_BYTES: u64 = 4096;

/// Arguments: signal, pid, folder. Ends at once without doing anything when told `release`.
const GUARD_SCRIPT: &str = r#"
    read -r word
    [ "$word" = release ] && exit 0
    kill -s "$1" "$2" 2>/dev/null
    n=0
    while kill -0 "$2" 2>/dev/null && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done
    kill -s KILL "$2" 2>/dev/null
    [ -n "$3" ] && rm -rf -- "$3"
"#;

/// A running (or ended) child with its log file.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    guard: Option<Child>,
    log: PathBuf,
    stop_signal: &'static str,
}

impl Process {
    /// Starts `command` with output to `log` (appended), in a process group of its own so that Ctrl-C reaches the test first.
    /// `folder` is removed by the guard if the test process dies; `stop_signal` is the polite end ("TERM", "QUIT").
    pub(crate) fn start(
        name: &str,
        command: &mut Command,
        log: &Path,
        folder: Option<&Path>,
        stop_signal: &'static str,
    ) -> std::io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0).spawn()?;
        let mut process = Self { name: name.to_owned(), child, guard: None, log: log.to_path_buf(), stop_signal };
        process.guard = Some(process.start_guard(folder)?);
        Ok(process)
    }

    fn start_guard(&self, folder: Option<&Path>) -> std::io::Result<Child> {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD_SCRIPT, "guard", self.stop_signal]).arg(self.child.id().to_string());
        guard.arg(folder.unwrap_or(Path::new("")));
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Sends a signal by its short name ("TERM", "STOP", "CONT", "KILL"); does nothing if the process has ended.
    pub(crate) fn signal(&mut self, signal: &str) {
        if self.exited().is_none() {
            // The shell's own `kill`: the program of that name is missing on lean systems.
            let sent = Command::new("sh")
                .args(["-c", r#"kill -s "$1" "$2""#, "kill", signal])
                .arg(self.child.id().to_string())
                .output();
            if let Err(error) = sent {
                crate::fail(format_args!("cannot signal {}: {error}", self.name));
            }
        }
    }

    /// Waits for the end; `None` when it still runs after `timeout`. Blocks the thread.
    pub(crate) fn wait(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.exited() {
                return Some(status);
            }
            if started.elapsed() >= timeout {
                return None;
            }
            std::thread::sleep(POLL);
        }
    }

    /// SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// The polite end: its stop signal, then SIGKILL after ten seconds.
    pub(crate) fn stop(&mut self) {
        self.signal(self.stop_signal);
        // A stopped process acts on nothing but KILL and CONT.
        self.signal("CONT");
        if self.wait(STOP_TIMEOUT).is_none() {
            self.kill();
        }
    }

    /// The last lines of its output.
    pub(crate) fn log_tail(&self) -> String {
        tail(&self.log).unwrap_or_else(|error| format!("(no log: {error})"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
        if let Some(mut guard) = self.guard.take() {
            if let Some(mut pipe) = guard.stdin.take() {
                pipe.write_all(b"release\n").ok();
            }
            guard.wait().ok();
        }
    }
}

fn tail(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
