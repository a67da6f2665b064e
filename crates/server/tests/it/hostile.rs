//! Clients that want to wear a server out: each is cut, and everybody else is served meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, TE};
use testkit::assert_eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::echo::SAY;
use crate::fixture::{Running, SOON, ask, call, request};
use crate::raw::{CONTINUATION, END_HEADERS, HEADERS, PING, RST_STREAM, Raw, SETTINGS, block, frame};

/// HTTP/2 error code ENHANCE_YOUR_CALM.
const ENHANCE_YOUR_CALM: u32 = 11;
/// A flood that nobody stops would be this many rounds long.
const ROUNDS: u32 = 5_000;

async fn is_served(running: &Running) {
    let channel = running.channel().await;
    assert!(call(channel, SAY, request(ask("", 0), &running.bearer())).await.is_ok());
}

/// Whether the server closes this connection soon, whatever it says before.
async fn is_cut(stream: &mut TcpStream) -> bool {
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_resets_ends_the_connection() {
    let running = Running::start(&[]).await;
    let mut flood = Raw::connect(running.address).await;
    let headers = block(SAY);
    let rounds = flood
        .flood(ROUNDS, |round| {
            let streams = (0..20).map(|n| 1 + 2 * (round * 20 + n));
            streams
                .flat_map(|id| {
                    [frame(HEADERS, END_HEADERS, id, &headers), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat()
                })
                .collect()
        })
        .await;
    let heard = flood.end().await;
    assert!(rounds < ROUNDS, "{rounds} rounds of 20 resets were heard");
    assert!(heard.goaway().is_none_or(|code| code == ENHANCE_YOUR_CALM), "{:?}", heard.goaway());
    is_served(&running).await;
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_pings_settings_continuations_and_empty_data_end_the_connection() {
    let running = Running::start(&[]).await;
    let many = |frame: Vec<u8>| frame.repeat(100);
    for (what, opening, flooding) in [
        ("ping", vec![], many(frame(PING, 0, 0, &[7; 8]))),
        ("settings", vec![], many(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]))),
        ("continuation", frame(HEADERS, 0, 1, &block(SAY)), many(frame(CONTINUATION, 0, 1, &[]))),
        ("empty data", frame(HEADERS, END_HEADERS, 1, &block(SAY)), many(frame(0, 0, 1, &[]))),
    ] {
        let mut flood = Raw::connect(running.address).await;
        flood.flood(1, |_| opening.clone()).await;
        let rounds = flood.flood(ROUNDS, |_| flooding.clone()).await;
        flood.end().await;
        assert!(rounds < ROUNDS, "{what}");
        is_served(&running).await;
    }
    running.end().await;
}

#[tokio::test]
async fn who_does_not_finish_a_head_is_cut_and_so_is_who_goes_silent() {
    let running = Running::start(&["--head-timeout", "150ms"]).await;
    for begun in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n", b"PRI * HTTP/2.0\r\n\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        assert!(is_cut(&mut stream).await, "{begun:?}");
    }
    // One byte now and then is no head either: the whole of it has one time.
    let mut drip = TcpStream::connect(running.address).await.unwrap();
    drip.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let (mut read, mut write) = drip.split();
    let mut answer = Vec::new();
    let dripping = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while write.write_all(b"x").await.is_ok() {
            tick.tick().await;
        }
    };
    let cut = async {
        tokio::select! {
            () = dripping => {}
            _ = read.read_to_end(&mut answer) => {}
        }
    };
    timeout(SOON, cut).await.expect("it is cut");
    // A connection that had its answer and then says nothing more.
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(is_cut(&mut idle).await);
    is_served(&running).await;
    running.end().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_holds_a_call_no_longer_than_its_deadline() {
    let running = Running::start(&["--deadline", "150ms"]).await;
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let head = http::Request::post(format!("http://{}{SAY}", running.address))
        .header(CONTENT_TYPE, "application/grpc")
        .header(TE, "trailers")
        .header(AUTHORIZATION, running.bearer())
        .body(())
        .unwrap();
    let (answer, mut body) = client.send_request(head, false).unwrap();
    body.send_data(bytes::Bytes::from_static(b"\0\0\0"), false).unwrap();
    let answer = timeout(SOON, answer).await.expect("it is answered").unwrap();
    assert_eq!(answer.headers()["grpc-status"], "4", "{answer:?}");
    is_served(&running).await;
    running.end().await;
}

#[tokio::test]
async fn headers_and_streams_have_limits_that_clients_are_told() {
    let running = Running::start(&["--connection-age", "10ms"]).await;
    let mut client = Raw::connect(running.address).await;
    client.flood(1, |_| frame(PING, 0, 0, &[7; 8])).await;
    let heard = client.end().await;
    assert_eq!(heard.setting(3), Some(server::limits::MAX_STREAMS), "streams");
    assert_eq!(heard.setting(6), Some(server::limits::MAX_INNER_HEADER_BYTES), "header list");
    assert_eq!(heard.goaway(), Some(0), "an old connection is asked to leave");
    let long = "x".repeat(server::limits::MAX_INNER_HEADER_BYTES as usize);
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {long}\r\n\r\n").as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    running.end().await;
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_all_together_so_many() {
    let hold = async |address: SocketAddr| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        stream
    };
    let answers = async |stream: &mut TcpStream, within: Duration| {
        let mut first = [0; 8];
        matches!(timeout(within, stream.read_exact(&mut first)).await, Ok(Ok(_)))
    };
    let running = Running::start(&["--max-connections-per-address", "2"]).await;
    let mut held = [hold(running.address).await, hold(running.address).await];
    assert!(answers(&mut held[0], SOON).await && answers(&mut held[1], SOON).await);
    let mut third = TcpStream::connect(running.address).await.unwrap();
    assert!(is_cut(&mut third).await, "one address has two");
    drop(held);
    assert_eventually(SOON, || async {
        let mut again = hold(running.address).await;
        answers(&mut again, Duration::from_secs(1)).await
    })
    .await;
    running.end().await;

    let running = Running::start(&["--max-connections", "1"]).await;
    let mut first = hold(running.address).await;
    assert!(answers(&mut first, SOON).await);
    let mut waiting = hold(running.address).await;
    assert!(!answers(&mut waiting, Duration::from_millis(100)).await, "there is no place yet");
    drop(first);
    assert!(answers(&mut waiting, SOON).await, "it waited in the backlog");
    drop(waiting);
    running.end().await;
}
