//! Where the outside programs are, and the line that installs one that is missing.

use std::path::{Path, PathBuf};

/// Install line of PostgreSQL.
pub(crate) const POSTGRES_INSTALL: &str = "PostgreSQL (initdb, postgres) was not found. Install it:\n    \
    cargo xtask setup        (on Debian and Ubuntu: apt-get install -y --no-install-recommends postgresql)\n\
    or name its bin folder: KARIBU_TEST_POSTGRES=/path/to/postgresql/bin";

/// Install line of nats-server.
pub(crate) const NATS_INSTALL: &str = "nats-server was not found. Install it:\n    \
    cargo xtask setup        (puts the pinned nats-server into target/tools)\n\
    or name the program: KARIBU_TEST_NATS_SERVER=/path/to/nats-server";

/// Install line of the oldest nats-server that is supported.
pub(crate) const OLD_NATS_INSTALL: &str = "the old nats-server (2.9, as Debian 12 ships it) was not found. Install it:\n    \
    cargo xtask setup        (on Debian and Ubuntu: apt-get install -y --no-install-recommends nats-server)\n\
    or name the program: KARIBU_TEST_NATS_SERVER_OLD=/path/to/nats-server";

/// Install line of the Python of the independent clients.
pub(crate) const PYTHON_INSTALL: &str = "the Python environment of the independent clients (target/tools/python) is missing or out of date. \
    Make it:\n    cargo xtask setup";

/// Folder with both `initdb` and `postgres`: `KARIBU_TEST_POSTGRES`, then PATH, then where the distributions put it (newest first).
pub(crate) fn postgres_bin() -> Option<PathBuf> {
    let complete = |dir: &PathBuf| is_program(&dir.join("initdb")) && is_program(&dir.join("postgres"));
    if let Some(named) = std::env::var_os("KARIBU_TEST_POSTGRES") {
        return Some(PathBuf::from(named)).filter(complete);
    }
    search_path().into_iter().chain(distribution_dirs()).find(complete).map(|dir| {
        // A link in PATH would leave initdb looking for its share folder beside the link when it runs as another user.
        dir.join("initdb")
            .canonicalize()
            .ok()
            .and_then(|real| real.parent().map(Path::to_path_buf))
            .filter(complete)
            .unwrap_or(dir)
    })
}

/// A program of the PostgreSQL that tests run, such as `postgres` or `pgbench`; fails the test with the install line when there
/// is none.
#[track_caller]
pub fn postgres_program(name: &str) -> PathBuf {
    postgres_bin()
        .map(|bin| bin.join(name))
        .filter(|path| is_program(path))
        .unwrap_or_else(|| crate::fail(POSTGRES_INSTALL))
}

/// The nats-server that tests run; fails the test with the install line when there is none.
#[track_caller]
pub fn nats_program() -> PathBuf {
    nats_server().unwrap_or_else(|| crate::fail(NATS_INSTALL))
}

/// The pinned nats-server: `KARIBU_TEST_NATS_SERVER`, then `target/tools`, then PATH.
pub(crate) fn nats_server() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KARIBU_TEST_NATS_SERVER") {
        return Some(PathBuf::from(named)).filter(|path| is_program(path));
    }
    let pinned = crate::workspace_root().join("target/tools/nats-server");
    std::iter::once(pinned).chain(on_path("nats-server")).find(|path| is_program(path))
}

/// The nats-server of the distribution: the oldest version that is supported.
pub(crate) fn old_nats_server() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KARIBU_TEST_NATS_SERVER_OLD") {
        return Some(PathBuf::from(named)).filter(|path| is_program(path));
    }
    on_path("nats-server").find(|path| is_program(path))
}

/// Python of the virtual environment that `cargo xtask setup` makes from `tests/python/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    crate::workspace_root().join("target/tools/python/bin/python")
}

fn on_path(program: &str) -> impl Iterator<Item = PathBuf> {
    let dirs = search_path().into_iter().chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    dirs.map(move |dir| dir.join(program))
}

fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}

fn distribution_dirs() -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let number =
        |path: &PathBuf| path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<u32>().ok());
    versions.sort_by_key(|path| std::cmp::Reverse(number(path)));
    versions.into_iter().map(|dir| dir.join("bin")).collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
