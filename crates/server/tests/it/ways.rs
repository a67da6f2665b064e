//! Whatever way a call goes, the answer is the same: message, metadata, trailers and errors.

use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use tower::ServiceExt;

use crate::echo::{Ask, COUNT, SAY};
use crate::fixture::{Running, ask, call, request};

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
}

fn sorted(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    // The date is the server connection's, not the answer's.
    let entries = headers.iter().filter(|(name, _)| *name != "date");
    let mut entries: Vec<_> = entries.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    entries.sort();
    entries
}

fn http_request(running: &Running, path: &str, ask: &Ask) -> Request<Body> {
    let message = ask.encode_to_vec();
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    Request::post(path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("authorization", running.bearer())
        .body(Body::new(Full::new(bytes::Bytes::from(frame))))
        .unwrap()
}

async fn answer<S, E>(service: S, request: Request<Body>) -> Answer
where
    S: tower::Service<Request<Body>, Response = http::Response<Body>, Error = E>,
    E: std::fmt::Debug,
{
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().map(sorted).unwrap_or_default();
    Answer { status: parts.status.as_u16(), headers: sorted(&parts.headers), body: body.to_bytes().to_vec(), trailers }
}

#[tokio::test]
async fn local_lane_and_raw_path_answer_the_same() {
    let running = Running::start(&[]).await;
    let (local, remote, raw) = (running.local(), running.remote(), running.channel().await);
    let long = Ask { payload: vec![42; 300_000], ..ask("", 0) };
    let too_long = Ask { payload: vec![42; 1_100_000], ..ask("", 0) };
    let cases = [
        (SAY, ask("", 0)),
        (SAY, ask("fail", 0)),
        (SAY, ask("panic", 0)),
        (SAY, Ask::default()),
        (SAY, long),
        (SAY, too_long),
        (COUNT, ask("", 5)),
        (COUNT, ask("", 0)),
        (COUNT, ask("fail", 0)),
        ("/test.v1.Echo/Forgotten", ask("", 0)),
        ("/nowhere", ask("", 0)),
    ];
    for (path, ask) in &cases {
        let expected = answer(raw.clone(), http_request(&running, path, ask)).await;
        for service in [local.clone(), remote.clone()] {
            let got = answer(service.clone(), http_request(&running, path, ask)).await;
            assert_eq!(got, expected, "{path} {} by {service:?}", ask.verb);
        }
    }
    running.end().await;
}

#[tokio::test]
async fn what_a_handler_says_arrives_whole() {
    let running = Running::start(&[]).await;
    for service in [running.local(), running.remote()] {
        let told = call(service.clone(), SAY, request(ask("", 0), &running.bearer())).await.unwrap();
        assert_eq!(told.metadata().get("x-mood").unwrap(), "good");
        assert_eq!(told.metadata().get_bin("x-raw-bin").unwrap().to_bytes().unwrap().as_ref(), [0, 255, 7]);
        let told = told.into_inner();
        assert_eq!((told.subject.as_str(), told.metadata.as_str()), ("staff-1", "kindly"));
        assert_eq!(told.payload, b"hello");

        let refused = call(service.clone(), SAY, request(ask("fail", 0), &running.bearer())).await.unwrap_err();
        assert_eq!((refused.code(), refused.message()), (Code::FailedPrecondition, "not today"));
        assert_eq!(refused.metadata().get("x-mood").unwrap(), "bad");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!((info.reason.as_str(), info.metadata.get("a").unwrap().as_str()), ("SULKING", "b"));
    }
    running.end().await;
}

#[tokio::test]
async fn a_panic_costs_one_call_and_tells_nothing() {
    let running = Running::start(&[]).await;
    let remote = running.remote();
    let calls = (0..20).map(|n| {
        let verb = if n % 2 == 0 { "panic" } else { "" };
        call(remote.clone(), SAY, request(ask(verb, 5), &running.bearer()))
    });
    for (n, outcome) in futures_util::future::join_all(calls).await.into_iter().enumerate() {
        match outcome {
            Ok(_) => assert_eq!(n % 2, 1),
            Err(status) => {
                assert_eq!((n % 2, status.code(), status.message()), (0, Code::Internal, "internal error"));
            }
        }
    }
    running.end().await;
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused_on_every_way() {
    let running = Running::start(&[]).await;
    let too_long = || Ask { payload: vec![1; 1024 * 1024], ..ask("", 0) };
    let check = |status: Status| {
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert_eq!(status.get_details_error_info().unwrap().reason, "REQUEST_TOO_LARGE");
    };
    check(call(running.local(), SAY, request(too_long(), &running.bearer())).await.unwrap_err());
    check(call(running.remote(), SAY, request(too_long(), &running.bearer())).await.unwrap_err());
    check(call(running.channel().await, SAY, request(too_long(), &running.bearer())).await.unwrap_err());
    running.end().await;
}
