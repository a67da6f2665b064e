//! A whole process: it boots from flags, file and environment, tells its state, and ends as it is asked to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use server::auth::SigningKeys;
use testkit::{Service, ServiceOptions};

const MINUTE: Duration = Duration::from_secs(60);

fn idle() -> ServiceOptions {
    let test = std::env::current_exe().unwrap();
    let program: PathBuf = test.ancestors().nth(2).unwrap().join("examples/idle");
    assert!(program.exists(), "build it: cargo build -p karibu-server --example idle");
    ServiceOptions::new("idle", program)
}

/// A folder with a key pair and the settings file that names it.
fn settings(more: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = SigningKeys::generate().unwrap().to_pem().unwrap();
    std::fs::write(dir.path().join("key.pem"), private).unwrap();
    std::fs::write(dir.path().join("key.pub.pem"), public).unwrap();
    let keys = format!("internal_public_keys = [{:?}]\n", dir.path().join("key.pub.pem"));
    std::fs::write(dir.path().join("karibu.toml"), format!("{keys}listen = '127.0.0.1:0'\n{more}")).unwrap();
    dir
}

fn start(settings: &tempfile::TempDir, metrics: SocketAddr, flags: &[&str]) -> Service {
    let mut options = idle()
        .arg("--config")
        .arg(settings.path().join("karibu.toml").display().to_string())
        .env("KARIBU_METRICS_LISTEN", metrics.to_string());
    for flag in flags {
        options = options.arg(*flag);
    }
    options.start()
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], testkit::free_port()))
}

#[tokio::test]
async fn a_process_boots_serves_and_ends_with_0_when_asked() {
    let (settings, metrics) =
        (settings("log_format = 'json'\n[idle]\nlinger = '20ms'\n[other]\nx = 1\n"), free_address());
    let service = start(&settings, metrics, &[]);
    service.wait_http_ok(metrics, "/readyz").await;
    service.wait_http_ok(metrics, "/metrics").await;
    let line = service.wait_line("listening").await;
    assert!(line.starts_with('{') && line.contains("\"address\":\"127.0.0.1:"), "{line}");
    service.terminate();
    let status = service.wait_exit(MINUTE).await;
    assert_eq!(status.code(), Some(0), "{}", service.log());
    assert!(service.log().contains("asked to stop"));
}

#[tokio::test]
async fn a_second_request_ends_it_at_once() {
    let (settings, metrics) = (settings("drain_delay = '10m'\n"), free_address());
    let service = start(&settings, metrics, &[]);
    service.wait_http_ok(metrics, "/readyz").await;
    service.terminate();
    service.wait_line("asked to stop").await;
    service.terminate();
    assert_eq!(service.wait_exit(MINUTE).await.code(), Some(1));
}

#[tokio::test]
async fn background_work_gets_its_time_and_no_more() {
    let (settings, metrics) = (settings(""), free_address());
    let service = start(&settings, metrics, &["--linger", "10m"]);
    service.wait_http_ok(metrics, "/readyz").await;
    service.terminate();
    assert_eq!(service.wait_exit(MINUTE).await.code(), Some(0));
    assert!(service.log().contains("background tasks did not end in time"), "{}", service.log());
}

#[tokio::test]
async fn what_it_cannot_start_with_is_said_in_one_line() {
    let no_keys = idle().arg("--listen").arg("127.0.0.1:0").start();
    assert_eq!(no_keys.wait_exit(MINUTE).await.code(), Some(1));
    assert!(no_keys.log().contains("--internal-public-keys"), "{}", no_keys.log());

    let unknown = idle().arg("--lsten").arg("x").start();
    assert_eq!(unknown.wait_exit(MINUTE).await.code(), Some(2));
    assert!(unknown.log().contains("--listen"), "{}", unknown.log());

    let open = ["--listen", "0.0.0.0:0", "--internal-public-keys"].map(str::to_owned);
    let keys = settings("");
    let open = open.into_iter().chain([keys.path().join("key.pub.pem").display().to_string()]);
    let open: Vec<String> = open.collect();
    let plain = open.iter().fold(idle(), |options, flag| options.arg(flag)).start();
    assert_eq!(plain.wait_exit(MINUTE).await.code(), Some(1));
    assert!(plain.log().contains("--tls-certificate") && plain.log().contains("--plaintext"), "{}", plain.log());
    let said = open.iter().fold(idle(), |options, flag| options.arg(flag)).arg("--plaintext").start();
    said.wait_line("listening").await;
    let called = ["--listen", "127.0.0.1:0", "--peer", "echo=http://10.0.0.1:1"];
    let called = called.iter().fold(idle(), |options, flag| options.arg(*flag)).arg("--internal-key");
    let called = called.arg(keys.path().join("key.pem").display().to_string()).start();
    assert_eq!(called.wait_exit(MINUTE).await.code(), Some(1));
    assert!(called.log().contains("in plaintext beyond this machine"), "{}", called.log());

    let help = idle().arg("--help").start();
    assert_eq!(help.wait_exit(MINUTE).await.code(), Some(0));
    for expected in ["--linger", "--database", "KARIBU_OTLP_ENDPOINT", "karibu-idle"] {
        assert!(help.log().contains(expected), "{expected}: {}", help.log());
    }
    assert!(!help.log().contains("clock-offset"), "hidden settings stay hidden");
}
