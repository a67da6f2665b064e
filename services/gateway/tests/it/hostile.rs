//! Input that no honest client sends is answered cleanly, and the door stays open for others.

use karibu_gateway::transcode::frame::frame;
use proto::Permission;
use proto::karibu::organization::v1::GetBranchRequest;
use tonic::Code;

use crate::desk::KNOWN;
use crate::stage::{Stage, keyed, reason};

const GET_BRANCH: &str = "/karibu.organization.v1.OrganizationService/GetBranch";

async fn stage() -> (Stage, String) {
    let stage = Stage::new().await;
    let key = admin(&stage);
    (stage, key)
}

fn admin(stage: &Stage) -> String {
    stage.desk.key("admin", [Permission::OrganizationRead, Permission::OrganizationWrite])
}

async fn still_open(stage: &Stage, key: &str) {
    assert_eq!(stage.json("GET", &format!("/v1/branches/{KNOWN}"), key, "").await.status, 200);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_over_every_protocol() {
    for stage in Stage::both().await {
        let key = admin(&stage);
        let large = "x".repeat(server::limits::MAX_REQUEST_BYTES + 1);
        let answer = stage.json("POST", "/v1/branches", &key, &format!("{{\"displayName\":\"{large}\"}}")).await;
        assert_eq!((answer.status, answer.reason().as_str()), (413, "REQUEST_TOO_LARGE"));

        let request = keyed(GetBranchRequest { branch_id: large }, &key);
        let status = stage.organization().await.get_branch(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "REQUEST_TOO_LARGE"));

        let body = frame(&GetBranchRequest { branch_id: "x".repeat(server::limits::MAX_REQUEST_BYTES + 1) });
        let headers = [("content-type", "application/grpc-web+proto"), ("x-api-key", key.as_str())];
        let answer = stage.send("POST", GET_BRANCH, &headers, &body).await;
        assert_eq!(answer.headers["grpc-status"], "8", "{:?}", answer.headers);
        still_open(&stage, &key).await;
    }
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_is_read() {
    let (stage, _) = stage().await;
    // A length is promised and nothing is sent: who reads the body first would wait for ever.
    let head = "POST /v1/branches HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1000\r\n\r\n";
    assert_eq!(stage.raw(head.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let (stage, key) = stage().await;
    let post = async |kind: &str, body: &[u8]| {
        let headers = [("x-api-key", key.as_str()), ("content-type", kind)];
        stage.send("POST", "/v1/branches", &headers, body).await.status
    };
    let deep = "[".repeat(50_000);
    for body in [&b"\xff\xfe"[..], b"{\"displayName\":\"\xc3\x28\"}", b"{", b"nope", deep.as_bytes(), b"\0"] {
        assert_eq!(post("application/json", body).await, 400, "{:?}", &body[..body.len().min(20)]);
    }
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "multipart/form-data"]
    {
        assert_eq!(post(kind, b"{}").await, 415, "{kind}");
    }
    let headers = [("x-api-key", key.as_str()), ("content-type", "application/json"), ("content-encoding", "gzip")];
    assert_eq!(stage.send("POST", "/v1/branches", &headers, b"{}").await.status, 415);
    still_open(&stage, &key).await;
}

#[tokio::test]
async fn the_wrong_protocol_in_the_wrong_place_is_told_so() {
    let (stage, key) = stage().await;
    let send = async |method: &str, path: &str, kind: &str| {
        let headers = [("x-api-key", key.as_str()), ("content-type", kind)];
        stage.send(method, path, &headers, b"").await.status
    };
    // gRPC needs HTTP/2, and this is HTTP/1.
    assert_eq!(send("POST", GET_BRANCH, "application/grpc").await, 426);
    assert_eq!(send("POST", GET_BRANCH, "application/grpc+json").await, 415);
    assert_eq!(send("POST", GET_BRANCH, "application/grpc-web+json").await, 415);
    assert_eq!(send("GET", GET_BRANCH, "application/grpc-web").await, 405);
    // A gRPC path without its content type is an address that does not exist.
    assert_eq!(send("POST", GET_BRANCH, "application/json").await, 404);
    assert_eq!(send("GET", "/", "text/html").await, 404);
    let wrong = stage.send("DELETE", "/v1/branches", &[], b"").await;
    assert_eq!((wrong.status, wrong.headers["allow"].as_str()), (405, "POST, GET"));
    assert_eq!(send("TRACE", "/v1/branches", "application/json").await, 405);
    assert_eq!(send("GET", "/v1/%2e%2e/%2e%2e/etc/passwd", "text/html").await, 404);
    assert_eq!(send("GET", "/v1/branches/%ff", "application/json").await, 400);
    still_open(&stage, &key).await;
}

#[tokio::test]
async fn broken_frames_are_answered() {
    let (stage, key) = stage().await;
    let web = async |body: &[u8]| {
        let headers = [("content-type", "application/grpc-web+proto"), ("x-api-key", key.as_str())];
        let answer = stage.send("POST", GET_BRANCH, &headers, body).await;
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        let code = answer.headers.get("grpc-status").cloned();
        code.or_else(|| {
            body.split("grpc-status:").nth(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        })
    };
    for body in [&b""[..], b"\0", b"\0\0\0\0\x05abc", b"\0\xff\xff\xff\xff", b"\x01\0\0\0\x01a", b"\0\0\0\0\x01\xff"] {
        let code = web(body).await.unwrap_or_else(|| panic!("no status for {body:?}"));
        assert_ne!(code, "0", "{body:?}");
    }
    still_open(&stage, &key).await;
}

#[tokio::test]
async fn bytes_that_are_no_http_close_the_connection_and_nothing_else() {
    let (stage, key) = stage().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"[..],
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        let answer = stage.raw(bytes).await;
        assert!(matches!(answer.status, 0 | 400..500), "{bytes:?}: {answer:?}");
    }
    let long = "x".repeat(1_000_000);
    let headers = [("x-api-key", key.as_str()), ("x-long", long.as_str())];
    let answer = stage.send("GET", "/v1/branches", &headers, b"").await;
    assert!(matches!(answer.status, 0 | 431 | 400), "{}", answer.status);
    let many: String = (0..10_000).map(|n| format!("x-{n}: 1\r\n")).collect();
    let answer = stage.raw(format!("GET /v1/branches HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await;
    assert!(matches!(answer.status, 0 | 431 | 400), "{}", answer.status);
    still_open(&stage, &key).await;
}

#[tokio::test]
async fn large_metadata_ends_the_call_and_not_the_server() {
    let (stage, key) = stage().await;
    let mut request = keyed(GetBranchRequest { branch_id: KNOWN.into() }, &key);
    request.metadata_mut().insert("x-long", "x".repeat(64 * 1024).parse().unwrap());
    stage.organization().await.get_branch(request).await.unwrap_err();
    still_open(&stage, &key).await;
}
