//! Programs that we did not write, run beside a journey: what they print, line by line.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A program whose output is gathered. It ends when this is dropped.
pub struct Foreign {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Foreign {
    /// Starts `command` and gathers its standard output; its standard error goes to the test's.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let gathered = lines.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                gathered.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, lines }
    }

    /// What it printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a line satisfies `fits` and gives it.
    pub async fn wait_line(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let found = testkit::assert_eventually(Duration::from_secs(60), || async {
            self.lines().into_iter().find(|line| fits(line)).ok_or_else(|| format!("no {what} in {:?}", self.lines()))
        });
        found.await
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
