//! gRPC, gRPC-Web and HTTP/JSON are three ways to the same answer.

use karibu_gateway::transcode::frame::frame;
use prost::Message;
use prost_reflect::DynamicMessage;
use proto::Permission;
use proto::karibu::organization::v1::{GetBranchRequest, GetBranchResponse};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::desk::{KNOWN, SLOW};
use crate::stage::{Answer, Stage, keyed, reason};

const GET_BRANCH: &str = "/karibu.organization.v1.OrganizationService/GetBranch";

fn ask(branch_id: &str) -> GetBranchRequest {
    GetBranchRequest { branch_id: branch_id.to_owned() }
}

async fn web(stage: &Stage, key: &str, request: &GetBranchRequest) -> Answer {
    let headers = [("content-type", "application/grpc-web+proto"), ("x-api-key", key), ("x-grpc-web", "1")];
    stage.send("POST", GET_BRANCH, &headers, &frame(request)).await
}

/// Messages and trailers of a gRPC-Web body.
fn frames(mut bytes: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (mut messages, mut trailers) = (Vec::new(), String::new());
    while bytes.len() >= 5 {
        let length = u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize;
        let body = &bytes[5..5 + length];
        if bytes[0] & 0x80 == 0 {
            messages.push(body.to_vec());
        } else {
            trailers = String::from_utf8_lossy(body).into_owned();
        }
        bytes = &bytes[5 + length..];
    }
    (messages, trailers)
}

#[tokio::test]
async fn one_question_has_one_answer_over_all_protocols() {
    for stage in Stage::both().await {
        let key = stage.desk.key("reader", [Permission::OrganizationRead]);

        let grpc = stage.organization().await.get_branch(keyed(ask(KNOWN), &key)).await.unwrap().into_inner();

        let answer = web(&stage, &key, &ask(KNOWN)).await;
        assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/grpc-web+proto"));
        let (messages, trailers) = frames(&answer.body);
        assert!(trailers.contains("grpc-status:0"), "{trailers:?}");
        assert_eq!(GetBranchResponse::decode(messages[0].as_slice()).unwrap(), grpc);

        let answer = stage.json("GET", &format!("/v1/branches/{KNOWN}"), &key, "").await;
        assert_eq!((answer.status, answer.headers["content-type"].as_str()), (200, "application/json"));
        assert_eq!(answer.headers["etag"], "\"7\"");
        let descriptor = proto::pool().get_message_by_name("karibu.organization.v1.GetBranchResponse").unwrap();
        let json = DynamicMessage::deserialize(descriptor, answer.json()).unwrap();
        assert_eq!(json.transcode_to::<GetBranchResponse>().unwrap(), grpc);
    }
}

#[tokio::test]
async fn one_failure_is_the_same_over_all_protocols() {
    for stage in Stage::both().await {
        let key = stage.desk.key("reader", [Permission::OrganizationRead]);
        let unknown = "0190163d-8694-739b-aea5-000000000000";

        let status = stage.organization().await.get_branch(keyed(ask(unknown), &key)).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "BRANCH_NOT_FOUND"));

        let answer = web(&stage, &key, &ask(unknown)).await;
        assert_eq!(answer.headers["grpc-status"], "5");

        let answer = stage.json("GET", &format!("/v1/branches/{unknown}"), &key, "").await;
        assert_eq!((answer.status, answer.reason().as_str()), (404, "BRANCH_NOT_FOUND"));
        assert_eq!(answer.json()["message"], "no such branch");

        // A broken field rule names its field.
        let status = stage.organization().await.get_branch(keyed(ask("not-a-uuid"), &key)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let answer = stage.json("GET", "/v1/branches/not-a-uuid", &key, "").await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.windows(9).any(|window| window == b"branch_id"), "{answer:?}");
    }
}

#[tokio::test]
async fn the_headers_of_http_become_request_id_and_etag() {
    for stage in Stage::both().await {
        let key = stage.desk.key("writer", [Permission::OrganizationWrite]);
        let path = format!("/v1/branches/{KNOWN}:close");
        let close = async |etag: &str| {
            let headers = [
                ("x-api-key", key.as_str()),
                ("content-type", "application/json; charset=utf-8"),
                ("idempotency-key", "once-1"),
                ("if-match", etag),
            ];
            stage.send("POST", &path, &headers, b"{}").await
        };
        let answer = close("\"7\"").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let request = stage.desk.last_close.lock().unwrap().clone().unwrap();
        assert_eq!((request.request_id.as_str(), request.etag.as_str()), ("once-1", "7"));

        let stale = close("W/\"6\"").await;
        assert_eq!((stale.status, stale.reason().as_str()), (412, "VERSION_MISMATCH"));
        let in_body = stage.json("POST", &path, &key, "{\"etag\": \"6\"}").await;
        assert_eq!((in_body.status, in_body.reason().as_str()), (409, "VERSION_MISMATCH"));
        assert_eq!(close("*").await.status, 200);
        assert_eq!(stage.desk.last_close.lock().unwrap().clone().unwrap().etag, "");
    }
}

#[tokio::test]
async fn a_call_ends_with_its_deadline() {
    for stage in Stage::both().await {
        let key = stage.desk.key("reader", [Permission::OrganizationRead]);
        // Over gRPC-Web by hand: a gRPC client would end the call by its own timer.
        let headers =
            [("content-type", "application/grpc-web+proto"), ("x-api-key", key.as_str()), ("grpc-timeout", "100m")];
        let answer = stage.send("POST", GET_BRANCH, &headers, &frame(&ask(SLOW))).await;
        assert_eq!(answer.headers["grpc-status"], "4", "{answer:?}");

        let path = format!("/v1/branches/{SLOW}");
        let headers = [("x-api-key", key.as_str()), ("grpc-timeout", "100m")];
        let answer = stage.send("GET", &path, &headers, b"").await;
        assert_eq!((answer.status, answer.json()["code"].as_i64()), (504, Some(4)));

        let zero = [("x-api-key", key.as_str()), ("grpc-timeout", "0n")];
        assert_eq!(stage.send("GET", &format!("/v1/branches/{KNOWN}"), &zero, b"").await.status, 504);
        let junk = [("x-api-key", key.as_str()), ("grpc-timeout", "soon")];
        assert_eq!(stage.send("GET", &format!("/v1/branches/{KNOWN}"), &junk, b"").await.status, 200);
    }
}

#[tokio::test]
async fn health_and_reflection_answer_without_a_key() {
    let stage = Stage::new().await;
    let mut health = HealthClient::new(stage.channel().await);
    let answer = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    assert_eq!(answer.into_inner().status, 1);

    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let ask = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(stage.channel().await);
    let mut answers = client.server_reflection_info(futures_util::stream::iter([ask])).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.contains(&"karibu.ticketing.v1.TicketingService".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("hop") || name.contains("LogService")), "{names:?}");
}

#[tokio::test]
async fn pages_of_other_origins_may_call_only_when_they_are_named() {
    let origin = "https://console.example.com";
    let config = karibu_gateway::Config { cors_origins: vec![origin.parse().unwrap()], ..Default::default() };
    let stage = Stage::with(config).await;
    let preflight = async |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        stage.send("OPTIONS", "/v1/complaints", &headers, b"").await
    };
    let answer = preflight(origin).await;
    assert_eq!((answer.status, answer.headers["access-control-allow-origin"].as_str()), (204, origin));
    assert!(answer.headers["access-control-allow-headers"].contains("x-api-key"));
    let foreign = preflight("https://console.example.com.evil.test").await;
    assert_eq!((foreign.status, foreign.headers.get("access-control-allow-origin")), (403, None));
    let read = stage.send("GET", "/v1/branches", &[("origin", origin)], b"").await;
    assert_eq!((read.status, read.headers["access-control-allow-origin"].as_str()), (401, origin));
    let read = stage.send("GET", "/v1/branches", &[("origin", "null")], b"").await;
    assert_eq!(read.headers.get("access-control-allow-origin"), None);

    let closed = Stage::new().await;
    let headers = [("origin", origin), ("access-control-request-method", "POST")];
    assert_eq!(closed.send("OPTIONS", "/v1/complaints", &headers, b"").await.status, 403);
}
