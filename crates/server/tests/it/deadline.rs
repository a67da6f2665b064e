//! A late call ends as DEADLINE_EXCEEDED on every way, every time.

use tonic::Code;

use crate::echo::SAY;
use crate::fixture::{Running, ask, call, house, request, settings};

const TRIES: usize = 40;

#[tokio::test]
async fn a_late_call_is_status_4_forty_of_forty() {
    let running = Running::start(&[]).await;
    let bearer = running.bearer();
    let late = || {
        let mut request = request(ask("", 60_000), &bearer);
        // The header alone: set_timeout would also start the timer of the client.
        request.metadata_mut().insert("grpc-timeout", "20m".parse().unwrap());
        request
    };
    let (local, remote) = (running.local(), running.remote());
    let calls = (0..TRIES).map(|_| async {
        let raw = raw_status(running.address, SAY, &late()).await;
        let by_lane = call(remote.clone(), SAY, late()).await.unwrap_err().code();
        let direct = call(local.clone(), SAY, late()).await.unwrap_err().code();
        (raw, by_lane, direct)
    });
    for codes in futures_util::future::join_all(calls).await {
        assert_eq!(codes, (4, Code::DeadlineExceeded, Code::DeadlineExceeded));
    }
    running.end().await;
}

/// The grpc-status by a plain HTTP/2 client: a tonic channel has a timer of its own, which would answer in its place.
async fn raw_status(address: std::net::SocketAddr, path: &str, request: &tonic::Request<crate::echo::Ask>) -> u16 {
    use http_body_util::{BodyExt, Full};
    use prost::Message;
    let io = hyper_util::rt::TokioIo::new(tokio::net::TcpStream::connect(address).await.unwrap());
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io).await.unwrap();
    tokio::spawn(connection);
    let message = request.get_ref().encode_to_vec();
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let mut http =
        http::Request::post(format!("http://{address}{path}")).body(Full::new(bytes::Bytes::from(body))).unwrap();
    *http.headers_mut() = request.metadata().as_ref().clone();
    http.headers_mut().insert("content-type", "application/grpc".parse().unwrap());
    let response = sender.send_request(http).await.unwrap();
    let (parts, body) = response.into_parts();
    let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
    let status = parts.headers.get("grpc-status").or_else(|| trailers.get("grpc-status")).unwrap();
    status.to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_caller_without_a_deadline_gets_the_default_and_junk_counts_as_none() {
    let mut house = house();
    house.deadlines = settings(&["--deadline", "30ms", "--deadline-cap", "40ms"]).deadlines();
    let running = Running::start_in(house, &[]).await;
    let bearer = running.bearer();
    for timeout in [None, Some("soon"), Some("-1S"), Some("99999999H")] {
        let mut request = request(ask("", 60_000), &bearer);
        if let Some(timeout) = timeout {
            request.metadata_mut().insert("grpc-timeout", timeout.parse().unwrap());
        }
        assert_eq!(raw_status(running.address, SAY, &request).await, 4, "{timeout:?}");
    }
    let quick = call(running.channel().await, SAY, request(ask("", 0), &bearer)).await;
    assert!(quick.is_ok());
    running.end().await;
}

#[tokio::test]
async fn nothing_left_of_the_time_is_a_passed_deadline() {
    let running = Running::start(&[]).await;
    let bearer = running.bearer();
    let mut none_left = request(ask("", 60_000), &bearer);
    none_left.metadata_mut().insert("grpc-timeout", "0n".parse().unwrap());
    assert_eq!(call(running.remote(), SAY, none_left).await.unwrap_err().code(), Code::DeadlineExceeded);
    running.end().await;
}
