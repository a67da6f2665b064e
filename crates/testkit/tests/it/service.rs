//! A process of our own: its lines are seen, signals reach it, and its folder goes with it.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use testkit::ServiceOptions;

const SCRIPT: &str = r#"trap 'echo drained; exit 3' TERM; echo "listening on $ADDRESS"; while :; do sleep 0.05; done"#;

fn shell() -> ServiceOptions {
    ServiceOptions::new("shell", "/bin/sh").arg("-c").arg(SCRIPT).env("ADDRESS", "127.0.0.1:1")
}

#[tokio::test]
async fn terminates_politely_and_restarts() {
    let mut service = shell().start();
    assert_eq!(service.wait_line("listening").await, "listening on 127.0.0.1:1");
    service.terminate();
    assert_eq!(service.wait_exit(Duration::from_secs(10)).await.code(), Some(3));
    assert!(service.log().contains("drained"));
    let before = service.id();
    service.restart();
    assert_ne!(service.id(), before);
    service.kill();
    assert_eq!(service.wait_exit(Duration::from_secs(1)).await.signal(), Some(9));
}

#[tokio::test]
async fn a_file_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("address");
    let service = ServiceOptions::new("shell", "/bin/sh")
        .arg("-c")
        .arg("echo 127.0.0.1:7 > \"$0\"; exec sleep 60")
        .arg(file.to_str().unwrap())
        .start();
    assert_eq!(service.wait_file(&file).await, "127.0.0.1:7");
}

#[tokio::test]
#[should_panic(expected = "ended with exit status: 4 before: a line with \"ready\"\nno luck")]
async fn an_early_end_shows_the_log() {
    let service = ServiceOptions::new("shell", "/bin/sh").arg("-c").arg("echo no luck; exit 4").start();
    service.wait_line("ready").await;
}

#[tokio::test]
async fn the_environment_is_only_what_was_given() {
    let service = ServiceOptions::new("env", "/usr/bin/env").env("KARIBU_X", "1").start();
    service.wait_exit(Duration::from_secs(10)).await;
    let log = service.log();
    assert!(log.contains("KARIBU_X=1") && !log.contains("CARGO"), "{log}");
}

#[tokio::test]
async fn an_http_answer_is_waited_for() {
    let port = testkit::free_port();
    let script = format!(
        "import http.server as h\nclass H(h.BaseHTTPRequestHandler):\n def do_GET(self):\n  self.send_response(200 if self.path == '/health' else 404)\n  self.end_headers()\n\
         h.HTTPServer(('127.0.0.1', {port}), H).serve_forever()"
    );
    let service = ServiceOptions::new("http", "/usr/bin/env").arg("python3").arg("-c").arg(script).start();
    service.wait_http_ok(([127, 0, 0, 1], port).into(), "/health").await;
}
