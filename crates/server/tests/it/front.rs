//! What stands on the ports beside the methods: probes, metrics, reflection, and clients that do not behave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use testkit::assert_eventually;
use tokio_stream::StreamExt;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::fixture::{Running, SOON, settings};

fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_port_tells_of_life_readiness_and_metrics() {
    let admin = testkit::free_port();
    let address: SocketAddr = format!("127.0.0.1:{admin}").parse().unwrap();
    let running = Running::start(&["--metrics-listen", &address.to_string()]).await;
    assert_eventually(SOON, || async { get(address, "/readyz").starts_with("HTTP/1.1 200") }).await;
    assert!(get(address, "/livez").ends_with("alive\n"));
    assert!(get(address, "/metrics").contains("text/plain; version=0.0.4"));
    assert!(get(address, "/nothing").starts_with("HTTP/1.1 404"));
    running.end().await;
}

#[tokio::test]
async fn reflection_lists_what_is_served_and_can_be_turned_off() {
    for (flags, expected) in [(&["--reflection", "true"], true), (&["--reflection", "false"], false)] {
        let running = Running::start(flags).await;
        let mut client = ServerReflectionClient::new(running.channel().await);
        let ask = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let answer = client.server_reflection_info(tokio_stream::iter([ask])).await;
        match answer {
            Ok(answer) => {
                let answer = answer.into_inner().next().await.unwrap().unwrap().message_response;
                let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
                let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
                assert!(expected && names.contains(&"test.v1.Echo".to_owned()), "{names:?}");
            }
            Err(status) => assert_eq!((expected, status.code()), (false, tonic::Code::Unauthenticated)),
        }
        running.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_http_and_garbage_do_no_harm() {
    let running = Running::start(&[]).await;
    let address = running.address;
    let answer = get(address, "/test.v1.Echo/Say");
    assert!(answer.starts_with("HTTP/1.1"), "{answer}");
    for garbage in [&b"\x00\x01\x02 nonsense\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff"] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(garbage).unwrap();
        let mut answer = Vec::new();
        // Answered or cut, but not left open.
        let _ = stream.read_to_end(&mut answer);
    }
    let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "x-many: y\r\n".repeat(500));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(headers.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    running.end().await;
}

#[tokio::test]
async fn the_address_file_names_the_bound_port() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("address");
    let running = Running::start(&["--address-file", path.to_str().unwrap()]).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), running.address.to_string());
    assert_ne!(running.address.port(), settings(&[]).listen.port());
    running.end().await;
}
