//! The system's own packages. Only on Debian and Ubuntu, and only as root, are they installed; elsewhere the user is told.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::commands;
use crate::report::say;

/// One thing that must be on the machine, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    there: fn() -> bool,
    debian: &'static [&'static str],
}

const NEEDS: [Need; 5] = [
    Need { what: "PostgreSQL (initdb, postgres)", there: has_postgres, debian: &["postgresql"] },
    Need { what: "nats-server (the old one, for the version test)", there: has_nats_server, debian: &["nats-server"] },
    Need { what: "python3 with venv and pip", there: has_python, debian: &["python3", "python3-venv", "python3-pip"] },
    Need { what: "openssl (for deploy/certificates.sh)", there: has_openssl, debian: &["openssl"] },
    Need { what: "npm (for buf)", there: has_npm, debian: &["npm"] },
];

/// Makes sure that every need is met.
pub(crate) fn ensure() -> anyhow::Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.what).collect();
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.debian).copied().collect();
    let line = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !is_debian() {
        bail!(
            "missing: {}. Install them with this system's package manager; on Debian and Ubuntu that is:\n    {line}",
            names.join(", ")
        );
    }
    if !is_root() {
        bail!("missing: {}. Run:\n    sudo {line}", names.join(", "));
    }
    say(&format!("    missing: {}", names.join(", ")));
    commands::run(apt_get().args(["update", "-qq"]))?;
    commands::run(apt_get().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&packages))?;
    let still: Vec<&str> = missing.iter().filter(|need| !(need.there)()).map(|need| need.what).collect();
    if !still.is_empty() {
        bail!("still missing after installing the packages: {}", still.join(", "));
    }
    Ok(())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_debian() -> bool {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let like_debian = |line: &str| {
        (line.starts_with("ID=") || line.starts_with("ID_LIKE="))
            && (line.contains("debian") || line.contains("ubuntu"))
    };
    release.lines().any(like_debian) && commands::find_program("apt-get").is_some()
}

/// The owner of our own entry in `/proc` is who we are.
fn is_root() -> bool {
    Path::new("/proc/self").metadata().is_ok_and(|meta| meta.uid() == 0)
}

fn has_postgres() -> bool {
    let named = std::env::var_os("KARIBU_TEST_POSTGRES").is_some();
    let packaged = || {
        std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .any(|version| version.path().join("bin/initdb").is_file())
    };
    named || packaged() || (commands::find_program("initdb").is_some() && commands::find_program("postgres").is_some())
}

fn has_nats_server() -> bool {
    std::env::var_os("KARIBU_TEST_NATS_SERVER_OLD").is_some() || commands::find_program("nats-server").is_some()
}

fn has_python() -> bool {
    let probe = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
    [probe, pip].into_iter().all(|outcome| outcome.is_ok_and(|output| output.status.success()))
}

fn has_openssl() -> bool {
    commands::find_program("openssl").is_some()
}

fn has_npm() -> bool {
    commands::find_program("npm").is_some() && commands::find_program("node").is_some()
}
