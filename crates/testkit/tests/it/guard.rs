//! The guard: when a test process is killed, its servers and their folders go with it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Service, ServiceOptions, assert_eventually};

/// `with-servers` that prints its servers' URLs and stays.
async fn started() -> (Service, String, String) {
    let script = r#"echo "urls $KARIBU_TEST_PG_URL $KARIBU_TEST_NATS_URL"; while kill -0 $PPID; do sleep 0.05; done"#;
    let service =
        ServiceOptions::new("with-servers", env!("CARGO_BIN_EXE_with-servers")).arg("sh").arg("-c").arg(script).start();
    let line = service.wait_line("urls").await;
    let mut words =
        line.split(' ').skip(1).map(|url| url.split(':').nth(2).unwrap().split('/').next().unwrap().to_owned());
    (service, words.next().unwrap(), words.next().unwrap())
}

fn answers(port: &str) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port.parse().unwrap())).is_ok()
}

#[tokio::test]
async fn servers_and_folders_go_when_their_process_is_killed() {
    let (service, postgres, nats) = started().await;
    assert!(answers(&postgres) && answers(&nats));
    let folders = folders_of(service.id());
    assert_eq!(folders.len(), 2, "{folders:?}");
    service.kill();
    assert_eventually(Duration::from_secs(20), || async { !answers(&postgres) && !answers(&nats) }).await;
    assert_eventually(Duration::from_secs(20), || async { folders.iter().all(|folder| !Path::new(folder).exists()) })
        .await;
}

/// Working folders of the children of `pid` that are servers of testkit.
fn folders_of(pid: u32) -> Vec<String> {
    let children = Command::new("sh").args(["-c", &format!("cat /proc/{pid}/task/*/children")]).output().unwrap();
    let children = String::from_utf8(children.stdout).unwrap();
    let folder = |child: &str| std::fs::read_link(format!("/proc/{child}/cwd")).ok();
    let mut folders: Vec<String> = children
        .split_whitespace()
        .filter_map(folder)
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|path| path.contains("karibu-pg-") || path.contains("karibu-nats-"))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}
