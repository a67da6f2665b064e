//! What the door bears of one caller and of one address, told over HTTP/JSON and gRPC with when to come again.

use std::time::Duration;

use karibu_gateway::Config;
use proto::Permission;
use proto::karibu::feedback::v1::GetSurveyPageRequest;
use proto::karibu::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::karibu::organization::v1::GetBranchRequest;
use tonic::Code;
use tonic_types::StatusExt;

use crate::desk::KNOWN;
use crate::stage::{Stage, keyed, reason};

fn bounded(rate_limits: &str) -> Config {
    Config { rate_limits: rate_limits.parse().unwrap(), ..Default::default() }
}

async fn get(stage: &Stage, key: &str, from: &str) -> u16 {
    let headers = [("x-api-key", key), ("x-forwarded-for", from)];
    stage.send("GET", &format!("/v1/branches/{KNOWN}"), &headers, b"").await.status
}

#[tokio::test]
async fn guesses_from_one_address_are_held_up_and_those_who_are_known_are_not() {
    let stage = Stage::with(bounded("stranger=1")).await;
    let known = stage.desk.key("known", [Permission::OrganizationRead]);
    let new = stage.desk.key("new", [Permission::OrganizationRead]);
    assert_eq!(get(&stage, &known, "").await, 200);
    let mut answers = Vec::new();
    for guess in 0..6 {
        answers.push(get(&stage, &format!("kb_test_guess{guess}"), "").await);
    }
    assert_eq!(answers[..2], [401, 401]);
    assert!(answers[2..].contains(&429), "{answers:?}");
    // What a caller writes into the header changes nothing: nobody said that it is a proxy.
    assert_eq!(get(&stage, "kb_test_guess", "192.0.2.77").await, 429);
    assert_eq!(get(&stage, "nonsense", "").await, 429, "what has no form of a key counts too");
    let answer = stage.json("GET", &format!("/v1/branches/{KNOWN}"), &new, "").await;
    assert_eq!((answer.status, answer.reason().as_str()), (429, "RATE_LIMITED"), "a guess could be good");
    assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(get(&stage, &known, "").await, 200, "who is known is not held up");
}

#[tokio::test]
async fn behind_a_trusted_proxy_every_address_has_its_own_rate() {
    let config = Config { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..bounded("stranger=1") };
    let stage = Stage::with(config).await;
    let mut last = 0;
    for guess in 0..6 {
        last = get(&stage, &format!("kb_test_guess{guess}"), "192.0.2.1").await;
    }
    assert_eq!(last, 429);
    assert_eq!(get(&stage, "kb_test_other", "192.0.2.2").await, 401);
}

#[tokio::test]
async fn one_class_used_up_leaves_the_others() {
    let stage = Stage::with(bounded("write=1")).await;
    let key = stage.desk.key("ann", [Permission::OrganizationRead, Permission::OrganizationWrite]);
    let mut refused = None;
    for _ in 0..5 {
        let answer = stage.json("POST", "/v1/branches", &key, "{}").await;
        if answer.status == 429 {
            refused = Some(answer.json()["message"].to_string());
        }
    }
    assert!(refused.is_some(), "writes are used up");
    let mut client = stage.organization().await;
    for _ in 0..5 {
        client.get_branch(keyed(GetBranchRequest { branch_id: KNOWN.into() }, &key)).await.unwrap();
    }
    let status = stage.json("POST", "/v1/branches", &key, "{}").await;
    assert_eq!(status.status, 429);
}

#[tokio::test]
async fn public_methods_are_counted_by_address() {
    let stage = Stage::with(bounded("stranger=1")).await;
    let mut client = FeedbackServiceClient::new(stage.channel().await);
    let mut codes = Vec::new();
    for round in 0..4 {
        let request = GetSurveyPageRequest { token: format!("link-that-nobody-has-{round}"), ..Default::default() };
        let status = client.get_survey_page(request).await.unwrap_err();
        if status.code() == Code::ResourceExhausted {
            assert_eq!(reason(&status), "RATE_LIMITED");
            assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() <= Duration::from_secs(1));
        }
        codes.push(status.code());
    }
    // Nobody is behind the door here; that far a stranger gets twice.
    assert_eq!(codes[..2], [Code::Unavailable; 2]);
    assert!(codes[2..].contains(&Code::ResourceExhausted), "{codes:?}");
}

#[tokio::test]
async fn headers_at_the_public_door_are_bound_over_http_1_too() {
    let stage = Stage::new().await;
    let key = stage.desk.key("ann", [Permission::OrganizationRead]);
    let send = async |bytes: usize| {
        let long = "x".repeat(bytes);
        let headers = [("x-api-key", key.as_str()), ("x-long", long.as_str())];
        stage.send("GET", &format!("/v1/branches/{KNOWN}"), &headers, b"").await.status
    };
    let limit = server::limits::MAX_HEADER_BYTES as usize;
    assert_eq!(send(limit - 1_024).await, 200);
    assert!(matches!(send(limit + 1).await, 0 | 431), "refused, or cut before the answer could be read");
}
