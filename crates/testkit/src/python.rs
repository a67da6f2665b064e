//! The Python of clients that we did not write (grpcio, nats-py): proof that our wire is the standard one.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The virtual environment made by `cargo xtask setup` from `tests/python/requirements.txt`.
#[derive(Debug, Clone)]
pub struct Python {
    program: PathBuf,
}

impl Python {
    /// Finds it; fails the test with the line to run when it is missing or was made from other requirements.
    #[track_caller]
    pub fn find() -> Self {
        let root = crate::workspace_root();
        let wanted = std::fs::read_to_string(root.join("tests/python/requirements.txt")).unwrap_or_default();
        let made_from = std::fs::read_to_string(root.join("target/tools/python/requirements.txt")).unwrap_or_default();
        let program = crate::locate::python();
        if !program.exists() || wanted != made_from {
            crate::fail(crate::locate::PYTHON_INSTALL);
        }
        Self { program }
    }

    /// Path of the interpreter.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command that runs `script`, given relative to the workspace (`tests/python/…`), with unbuffered output.
    pub fn script(&self, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-u").arg(crate::workspace_root().join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
