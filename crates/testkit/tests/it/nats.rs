//! nats-server: the pinned and the old version start, a restart keeps the store, and a pause is felt.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use testkit::{Nats, NatsOptions};

/// A request over the text protocol: testkit carries no NATS client, and `events` is tested with a real one.
fn request(nats: &Nats, subject: &str, body: &str) -> std::io::Result<String> {
    let stream = TcpStream::connect(nats.url().trim_start_matches("nats://"))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut writer = stream.try_clone()?;
    write!(writer, "CONNECT {{\"verbose\":false}}\r\nSUB reply 1\r\nPUB {subject} reply {}\r\n{body}\r\n", body.len())?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next().transpose()? {
        if line.starts_with("MSG reply") {
            return lines.next().unwrap_or_else(|| Ok(String::new()));
        }
    }
    Err(std::io::Error::other("no reply"))
}

fn stream_config(namespace: &str) -> String {
    format!(
        r#"{{"name":"{namespace}","subjects":["{namespace}.>"],"storage":"file","retention":"limits","num_replicas":1}}"#
    )
}

#[tokio::test]
async fn a_restart_keeps_the_store_and_an_empty_one_loses_it() {
    let nats = Nats::start().await;
    let name = nats.namespace().to_owned();
    let made = request(&nats, &format!("$JS.API.STREAM.CREATE.{name}"), &stream_config(&name)).unwrap();
    assert!(!made.contains("\"error\""), "{made}");
    assert!(request(&nats, &format!("{name}.a"), "hello").unwrap().contains("\"seq\":1"));

    nats.kill();
    assert!(request(&nats, "x", "").is_err());
    nats.restart_same_store().await;
    let info = request(&nats, &format!("$JS.API.STREAM.INFO.{name}"), "").unwrap();
    assert!(info.contains("\"messages\":1"), "{info}");

    nats.restart_empty_store().await;
    let info = request(&nats, &format!("$JS.API.STREAM.INFO.{name}"), "").unwrap();
    assert!(info.contains("stream not found"), "{info}");
}

#[tokio::test]
async fn a_pause_is_silence_and_ends() {
    let nats = Nats::start().await;
    nats.pause();
    let error = request(&nats, "$JS.API.INFO", "").unwrap_err();
    assert!(matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "{error}");
    nats.resume();
    assert!(request(&nats, "$JS.API.INFO", "").unwrap().contains("\"streams\""));
}

#[tokio::test]
async fn the_shared_server_gives_each_caller_a_namespace() {
    let (one, two) = (Nats::shared().await, Nats::shared().await);
    assert_eq!(one.url(), two.url());
    assert_ne!(one.namespace(), two.namespace());
}

#[tokio::test]
async fn the_pinned_and_the_oldest_server_can_be_chosen() {
    let pinned = Nats::start().await.version();
    let old =
        Nats::start_with(NatsOptions { program: Some(Nats::old_program()), ..Default::default() }).await.version();
    assert!(pinned.starts_with("2.15."), "{pinned}");
    assert!(old.starts_with("2."), "{old}");
}

#[tokio::test]
async fn configuration_reaches_the_server() {
    let nats = Nats::start_with(NatsOptions { config: "max_payload: 4096".to_owned(), ..Default::default() }).await;
    let error = request(&nats, "x", &"y".repeat(5000)).unwrap_err();
    assert!(!nats.log_tail().is_empty(), "{error}");
}
