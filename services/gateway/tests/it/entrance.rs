//! Who comes in: every method of the contract with no key, a wrong key, a key that lacks its permission and a key that
//! has it; and what a service gets to see of a caller.

use http::uri::PathAndQuery;
use karibu_gateway::transcode::frame::frame;
use karibu_gateway::{Config, limits};
use proto::Permission;
use proto::karibu::events::v1 as events_v1;
use proto::karibu::events::v1::dead_letter_service_client::DeadLetterServiceClient;
use proto::karibu::organization::v1::GetBranchRequest;
use server::auth::Kind;
use tonic::client::Grpc;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::desk::KNOWN;
use crate::stage::{SOON, Stage, keyed, pass, reason};

/// Every permission that a key can carry.
fn all() -> Vec<Permission> {
    (2..128)
        .filter_map(|number| Permission::try_from(number).ok())
        .filter(|permission| *permission != Permission::Internal)
        .collect()
}

/// Calls a method with an empty message.
async fn call(stage: &Stage, path: &str, key: Option<&str>) -> Result<(), Status> {
    let mut grpc = Grpc::new(stage.channel().await);
    grpc.ready().await.unwrap();
    let request = match key {
        Some(key) => keyed((), key),
        None => tonic::Request::new(()),
    };
    let path: PathAndQuery = path.parse().unwrap();
    grpc.server_streaming(request, path, ProstCodec::<(), ()>::default()).await?.into_inner().message().await?;
    Ok(())
}

fn code(result: Result<(), Status>) -> Code {
    result.map_or_else(|status| status.code(), |()| Code::Ok)
}

#[tokio::test]
async fn every_method_lets_in_whom_it_should_and_nobody_else() {
    // So many wrong keys from one address would be held up.
    let stage = Stage::with(Config { rate_limits: "off".parse().unwrap(), ..Default::default() }).await;
    let admin = stage.desk.key("admin", all());
    for method in proto::methods().iter() {
        let path = method.path.as_str();
        if method.is_internal() {
            for key in [None, Some(admin.as_str())] {
                assert_eq!(code(call(&stage, path, key).await), Code::Unimplemented, "{path}");
            }
            continue;
        }
        if method.is_public() {
            // Nobody is behind the door in this test, and that is how far a caller without a key gets.
            assert_eq!(code(call(&stage, path, None).await), Code::Unavailable, "{path}");
            assert_eq!(code(call(&stage, path, Some("kb_test_unknown")).await), Code::Unavailable, "{path}");
            continue;
        }
        assert_eq!(code(call(&stage, path, None).await), Code::Unauthenticated, "{path}");
        if method.permission == Permission::CustomerOwn {
            // No key ever carries it; `customers` shows who comes in.
            assert_eq!(code(call(&stage, path, Some(&admin)).await), Code::PermissionDenied, "{path}");
            continue;
        }
        assert_eq!(code(call(&stage, path, Some("kb_test_unknown")).await), Code::Unauthenticated, "{path}");
        let others: Vec<Permission> = all().into_iter().filter(|held| *held != method.permission).collect();
        let lacking = stage.desk.key(&format!("all-but-{:?}", method.permission), others);
        let refused = call(&stage, path, Some(&lacking)).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "PERMISSION_DENIED"),
            "{path}"
        );
        let holding = stage.desk.key(&format!("only-{:?}", method.permission), [method.permission]);
        let admitted = call(&stage, path, Some(&holding)).await;
        assert!(
            !matches!(code(admitted.clone()), Code::Unauthenticated | Code::PermissionDenied),
            "{path}: {admitted:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_in_the_contract_is_unimplemented() {
    let stage = Stage::new().await;
    let admin = stage.desk.key("admin", all());
    for path in [
        "/karibu.organization.v1.OrganizationService/NoSuchMethod",
        "/karibu.nowhere.v1.NowhereService/Get",
        "/karibu.hop.v1.LaneService/Batch",
        "/karibu.events.v1.LogService/ReadLog",
        "/karibu.organization.v1.OrganizationService/VerifyApiKey",
        "/a/b/c",
        "/",
    ] {
        assert_eq!(code(call(&stage, path, Some(&admin)).await), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn a_service_sees_the_caller_that_the_gateway_knows_and_nothing_that_a_caller_says_of_itself() {
    for stage in Stage::both().await {
        let key = stage.desk.key_in("ann", [Permission::OrganizationRead], Some(&[KNOWN]));
        let mut request = keyed(GetBranchRequest { branch_id: KNOWN.into() }, &key);
        for name in ["x-karibu-principal", "x-forwarded-for", "x-forwarded-user", "x-real-ip", "cookie", "x-anything"] {
            request.metadata_mut().insert(name, "system:evil".parse().unwrap());
        }
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        request.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
        stage.organization().await.get_branch(request).await.unwrap();

        let seen = stage.desk.seen.lock().unwrap().pop().unwrap();
        assert_eq!((&*seen.caller.subject, seen.caller.kind), ("ann", Kind::Key));
        assert_eq!(seen.caller.scope.branches(), [KNOWN.parse::<store::Uuid>().unwrap()]);
        assert!(seen.caller.may(Permission::OrganizationRead) && !seen.caller.may(Permission::OrganizationWrite));
        let names: Vec<String> = seen
            .metadata
            .keys()
            .map(|key| match key {
                tonic::metadata::KeyRef::Ascii(key) => key.to_string(),
                tonic::metadata::KeyRef::Binary(key) => key.to_string(),
            })
            .collect();
        // The door itself says from what kind of address a call came.
        let allowed = [
            "content-type",
            "te",
            "user-agent",
            "traceparent",
            "grpc-timeout",
            "grpc-accept-encoding",
            "karibu-origin",
        ];
        assert!(names.iter().all(|name| allowed.contains(&name.as_str())), "{names:?}");
        assert_eq!(seen.metadata.get("traceparent").unwrap(), traceparent);
    }
}

/// What proxies, other suites and hopeful callers put on a request to say who they are.
const CLAIMS_OF_ONESELF: [(&str, &str); 17] = [
    ("karibu-origin", "system"),
    ("karibu-principal", "system:evil"),
    ("karibu-subject", "system:evil"),
    ("karibu-permissions", "*"),
    ("karibu-branches", "*"),
    ("x-karibu-principal", "system:evil"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-user", "admin"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-client-cert", "By=spiffe://karibu/gateway"),
    ("forwarded", "for=10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
    ("x-remote-user", "admin"),
    ("x-envoy-external-address", "10.0.0.1"),
    ("x-amzn-oidc-identity", "admin"),
    ("proxy-authorization", "Bearer x"),
    ("cookie", "session=admin"),
];

#[tokio::test]
async fn what_a_caller_says_of_itself_ends_at_the_door_over_every_protocol() {
    for stage in Stage::both().await {
        let key = stage.desk.key_in("ann", [Permission::OrganizationRead], Some(&[KNOWN]));
        let mut headers = vec![("x-api-key", key.as_str())];
        headers.extend(CLAIMS_OF_ONESELF);
        let json = stage.send("GET", &format!("/v1/branches/{KNOWN}"), &headers, b"").await;
        assert_eq!(json.status, 200, "{json:?}");
        let body = frame(&GetBranchRequest { branch_id: KNOWN.into() });
        headers.push(("content-type", "application/grpc-web+proto"));
        let path = "/karibu.organization.v1.OrganizationService/GetBranch";
        let web = stage.send("POST", path, &headers, &body).await;
        assert_eq!(web.status, 200, "{web:?}");
        let mut request = keyed(GetBranchRequest { branch_id: KNOWN.into() }, &key);
        for (name, value) in CLAIMS_OF_ONESELF {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        stage.organization().await.get_branch(request).await.unwrap();

        let seen = std::mem::take(&mut *stage.desk.seen.lock().unwrap());
        assert_eq!(seen.len(), 3);
        for seen in seen {
            assert_eq!((&*seen.caller.subject, seen.caller.kind), ("ann", Kind::Key));
            for (name, _) in CLAIMS_OF_ONESELF {
                // The door itself says from what kind of address a call came, whatever the caller says.
                assert!(seen.metadata.get(name).is_none() || name == "karibu-origin", "{name} came through");
            }
            for (name, value) in CLAIMS_OF_ONESELF {
                let held = seen.metadata.as_ref().values().any(|held| held.as_bytes() == value.as_bytes());
                assert!(!held || value == "*", "{name}: {value} came through under another name");
            }
            assert!(seen.metadata.get("x-api-key").is_none(), "the key itself stays outside too");
            assert!(!format!("{:?}", seen.metadata).contains(&key));
        }
    }
}

#[tokio::test]
async fn the_internal_token_opens_nothing_from_outside() {
    let stage = Stage::new().await;
    let minter = stage.house.minter.clone().unwrap();
    let token = minter.bearer(&server::auth::Principal::system("evil"), "organization").unwrap();
    let headers = [("authorization", token.to_str().unwrap())];
    let answer = stage.send("GET", &format!("/v1/branches/{KNOWN}"), &headers, b"").await;
    assert_eq!((answer.status, answer.headers["www-authenticate"].as_str()), (401, "Bearer realm=\"karibu\""));
}

#[tokio::test]
async fn the_request_says_which_service_answers_for_dead_letters() {
    let stage = Stage::new().await;
    let key = stage.desk.key("ops", [Permission::EventAdmin]);
    let mut client = DeadLetterServiceClient::new(stage.channel().await);
    let ask = |service: &str| events_v1::ListDeadLettersRequest { service: service.into(), ..Default::default() };
    let unknown = client.list_dead_letters(keyed(ask("nobody"), &key)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument);
    // The desk is that service; that it answers UNIMPLEMENTED itself shows that the call went there.
    let routed = client.list_dead_letters(keyed(ask("organization"), &key)).await.unwrap_err();
    assert_eq!(routed.code(), Code::Unimplemented);
    let answer = stage.json("GET", "/v1/services/nobody/deadLetters", &key, "").await;
    assert_eq!(answer.status, 400);
    assert_eq!(stage.json("GET", "/v1/services/organization/deadLetters", &key, "").await.status, 501);
}

#[tokio::test]
async fn a_caller_over_its_rate_is_told_when_to_come_again() {
    let stage = Stage::with(Config { rate_limits: "read=1".parse().unwrap(), ..Default::default() }).await;
    let key = stage.desk.key("eager", [Permission::OrganizationRead]);
    let path = format!("/v1/branches/{KNOWN}");
    let mut codes = Vec::new();
    for _ in 0..4 {
        let answer = stage.json("GET", &path, &key, "").await;
        if answer.status == 429 {
            assert_eq!(answer.reason(), "RATE_LIMITED");
            assert!(answer.headers["retry-after"].parse::<u64>().unwrap() >= 1);
        }
        codes.push(answer.status);
    }
    assert_eq!(codes[0], 200);
    assert!(codes.contains(&429), "{codes:?}");
    let other = stage.desk.key("calm", [Permission::OrganizationRead]);
    assert_eq!(stage.json("GET", &path, &other, "").await.status, 200);
}

#[tokio::test]
async fn the_last_use_of_a_key_is_told_once_a_minute() {
    let stage = Stage::new().await;
    let id = "0190163d-8694-739b-aea5-966c26f8ad99";
    let key = stage.desk.key(id, [Permission::OrganizationRead]);
    for _ in 0..3 {
        assert_eq!(stage.json("GET", &format!("/v1/branches/{KNOWN}"), &key, "").await.status, 200);
    }
    assert!(stage.desk.uses.lock().unwrap().is_empty(), "no call waits for it");
    pass(limits::USES_PERIOD).await;
    let desk = stage.desk.clone();
    testkit::assert_eventually(SOON, || async { desk.uses.lock().unwrap().len() == 1 }).await;
    let told = stage.desk.uses.lock().unwrap().pop().unwrap();
    assert_eq!(told.api_key_id, id);
    let ago = std::time::SystemTime::now().duration_since(told.use_time.unwrap().try_into().unwrap()).unwrap();
    assert!(ago.as_secs() < 30, "{ago:?}");
}
