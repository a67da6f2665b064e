//! Who is let in, and who is not.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde::de::IgnoredAny;
use server::auth::{Kind, Minter, PermissionSet, Principal, SigningKeys};
use tonic::{Code, Request};
use tonic_types::StatusExt;

use crate::echo::{INSIDE, OPEN, SAY};
use crate::fixture::{Running, ask, call, house, request, speaker};

/// Claims as the minter writes them, to be made wrong one by one.
#[derive(Clone, Serialize)]
struct Claims {
    iss: &'static str,
    sub: &'static str,
    aud: &'static str,
    kind: &'static str,
    permissions: Vec<i32>,
    branches: &'static str,
    iat: i64,
    exp: i64,
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn good() -> Claims {
    Claims {
        iss: "karibu",
        sub: "staff-1",
        aud: "echo",
        kind: "staff",
        permissions: vec![7],
        branches: "*",
        iat: now(),
        exp: now() + 60,
    }
}

fn bearer(token: &str) -> HeaderValue {
    HeaderValue::try_from(format!("Bearer {token}")).unwrap()
}

/// A process whose private key the test knows.
async fn with_known_key() -> (Running, EncodingKey, Header, String) {
    let keys = SigningKeys::generate().unwrap();
    let (private, public) = keys.to_pem().unwrap();
    let mut house = house();
    house.keys = keys.public();
    house.minter = Some(Minter::new(keys));
    let running = Running::start_in(house, &[]).await;
    let token = running.bearer().to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    (running, EncodingKey::from_ed_pem(private.as_bytes()).unwrap(), header, public)
}

#[tokio::test]
async fn only_a_valid_token_for_this_service_is_let_in() {
    let (running, key, header, public_pem) = with_known_key().await;
    let sign = |header: &Header, claims: &Claims| bearer(&jsonwebtoken::encode(header, claims, &key).unwrap());

    let honest = sign(&header, &good());
    let parts: Vec<String> = honest.to_str().unwrap().split(['.', ' ']).skip(1).map(str::to_owned).collect();
    let [head, body, signature] = parts.as_slice() else { panic!("a token has three parts") };
    let none = BASE64.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, header.kid.clone().unwrap()));
    let more = BASE64.encode(serde_free(&Claims { permissions: vec![7, 8], ..good() }));
    let mut by_hmac = header.clone();
    by_hmac.alg = Algorithm::HS256;
    let hmac = EncodingKey::from_secret(public_pem.as_bytes());
    let stranger = SigningKeys::generate().unwrap();
    let stranger = Minter::new(stranger).bearer(&speaker(), "echo").unwrap();

    let refused = [
        ("expired", sign(&header, &Claims { exp: now() - 120, ..good() })),
        ("foreign audience", sign(&header, &Claims { aud: "other", ..good() })),
        ("foreign issuer", sign(&header, &Claims { iss: "someone", ..good() })),
        ("unknown kind", sign(&header, &Claims { kind: "god", ..good() })),
        ("unknown key", stranger),
        ("no key id", sign(&Header::new(Algorithm::EdDSA), &good())),
        ("alg none", bearer(&format!("{none}.{body}."))),
        ("alg none with a signature", bearer(&format!("{none}.{body}.{signature}"))),
        ("HS256 with the public key", bearer(&jsonwebtoken::encode(&by_hmac, &good(), &hmac).unwrap())),
        ("tampered claims", bearer(&format!("{head}.{more}.{signature}"))),
        ("no signature", bearer(&format!("{head}.{body}."))),
        ("no token", HeaderValue::from_static("Bearer ")),
        ("other scheme", HeaderValue::try_from(format!("Basic {head}.{body}.{signature}")).unwrap()),
        ("too long", bearer(&"x".repeat(9_000))),
    ];
    let channel = running.channel().await;
    for (what, token) in refused {
        for service in [running.local(), running.remote()] {
            let status = call(service, SAY, request(ask("", 0), &token)).await.expect_err(what);
            assert_eq!(status.code(), Code::Unauthenticated, "{what}: {status:?}");
            assert_eq!(status.get_details_error_info().unwrap().reason, "UNAUTHENTICATED");
        }
        let status = call(channel.clone(), SAY, request(ask("", 0), &token)).await.expect_err(what);
        assert_eq!(status.code(), Code::Unauthenticated, "{what}: {status:?}");
    }
    let status = call(channel.clone(), SAY, Request::new(ask("", 0))).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "no header at all");
    let mut twice = request(ask("", 0), &honest);
    twice.metadata_mut().as_mut().append("authorization", honest.clone());
    assert_eq!(call(channel.clone(), SAY, twice).await.unwrap_err().code(), Code::Unauthenticated, "two headers");

    // The second call finds the token in the cache; both see the same caller.
    for _ in 0..2 {
        let told = call(channel.clone(), SAY, request(ask("", 0), &honest)).await.unwrap().into_inner();
        assert_eq!(told.subject, "staff-1");
    }
    running.end().await;
}

/// JSON without a dependency on it: jsonwebtoken writes claims, and the middle part is theirs.
fn serde_free(claims: &Claims) -> Vec<u8> {
    let token = jsonwebtoken::encode(&Header::default(), claims, &EncodingKey::from_secret(b"any")).unwrap();
    BASE64.decode(token.split('.').nth(1).unwrap()).unwrap()
}

#[tokio::test]
async fn a_method_asks_for_its_own_permission() {
    let running = Running::start(&[]).await;
    let nobody = Principal { permissions: PermissionSet::from_iter([8]), ..speaker() };
    let almighty_key = Principal { kind: Kind::Key, permissions: PermissionSet::ALL, ..speaker() };
    let cases = [
        (speaker(), SAY, Code::Ok),
        (nobody.clone(), SAY, Code::PermissionDenied),
        (Principal::anonymous(), SAY, Code::PermissionDenied),
        (Principal::anonymous(), OPEN, Code::Ok),
        (speaker(), INSIDE, Code::PermissionDenied),
        (almighty_key, INSIDE, Code::PermissionDenied),
        (Principal::system("gateway"), INSIDE, Code::Ok),
        (Principal::system("gateway"), SAY, Code::Ok),
        (Principal::system("gateway"), "/test.v1.Echo/Forgotten", Code::Unimplemented),
        (Principal::system("gateway"), "/test.v2.Other/Say", Code::Unimplemented),
    ];
    for (principal, path, expected) in cases {
        for service in [running.local(), running.remote()] {
            let token = running.minter().bearer(&principal, "echo").unwrap();
            let code = call(service, path, request(ask("", 0), &token)).await.map_or_else(|s| s.code(), |_| Code::Ok);
            assert_eq!(code, expected, "{principal:?} {path}");
        }
    }
    let token = running.minter().bearer(&nobody, "echo").unwrap();
    let status = call(running.local(), SAY, request(ask("", 0), &token)).await.unwrap_err();
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("PERMISSION_DENIED", "karibu"));
    assert_eq!(info.metadata.get("permission").unwrap(), "PERMISSION_SPEAK");
    running.end().await;
}

#[tokio::test]
async fn a_lane_opens_for_karibu_itself_only() {
    let running = Running::start(&[]).await;
    let almighty = Principal { permissions: PermissionSet::ALL, ..speaker() };
    for (principal, expected) in [(almighty, Code::PermissionDenied), (Principal::system("gateway"), Code::Ok)] {
        let token = running.minter().bearer(&principal, "echo").unwrap();
        let code = call(running.channel().await, "/karibu.hop.v1.LaneService/Batch", request(ask("", 0), &token)).await;
        let code = code.map_or_else(|status| status.code(), |_| Code::Ok);
        if expected == Code::PermissionDenied {
            assert_eq!(code, expected);
        } else {
            // A stream that ends without a message is no answer to a unary call, but the door was open.
            assert_ne!(code, Code::PermissionDenied);
        }
    }
    running.end().await;
}

#[tokio::test]
async fn one_token_serves_a_principal_and_an_audience() {
    let minter = Minter::new(SigningKeys::generate().unwrap());
    let first = minter.bearer(&speaker(), "echo").unwrap();
    assert_eq!(first, minter.bearer(&speaker(), "echo").unwrap());
    assert_ne!(first, minter.bearer(&speaker(), "other").unwrap());
    let demoted = Principal { permissions: PermissionSet::NONE, ..speaker() };
    assert_ne!(first, minter.bearer(&demoted, "echo").unwrap());
    assert!(first.is_sensitive());
}

#[tokio::test]
async fn a_token_is_for_one_service_for_a_minute_and_holds_nothing_of_the_call() {
    let running = Running::start(&[]).await;
    let replayed = running.minter().bearer(&speaker(), "other").unwrap();
    for service in [running.local(), running.remote()] {
        let status = call(service, SAY, request(ask("", 0), &replayed)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "a token for another service: {status:?}");
    }
    let token = running.bearer();
    let token = token.to_str().unwrap().trim_start_matches("Bearer ");
    let names = jsonwebtoken::dangerous::insecure_decode::<BTreeMap<String, IgnoredAny>>(token).unwrap().claims;
    // A request id or a trace in it would make every call sign a token of its own.
    let names: Vec<&str> = names.keys().map(String::as_str).collect();
    assert_eq!(names, ["aud", "branches", "exp", "iat", "iss", "kind", "permissions", "sub"]);
    let times = jsonwebtoken::dangerous::insecure_decode::<Times>(token).unwrap().claims;
    assert_eq!(times.exp - times.iat, 60);
    assert!(now().abs_diff(times.iat) < 30);
    running.end().await;
}

/// When a token begins and ends.
#[derive(serde::Deserialize)]
struct Times {
    iat: i64,
    exp: i64,
}

#[tokio::test]
async fn keys_survive_their_files_and_a_wrong_file_is_told_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (private, public) = (dir.path().join("key.pem"), dir.path().join("key.pub.pem"));
    let pem = SigningKeys::generate().unwrap().to_pem().unwrap();
    std::fs::write(&private, &pem.0).unwrap();
    std::fs::write(&public, &pem.1).unwrap();
    let minter = Minter::new(SigningKeys::read(&private).unwrap());
    let verifier = server::auth::Verifier::new(server::auth::VerifyingKeys::read(&[&public]).unwrap(), "echo");
    let token = minter.bearer(&speaker(), "echo").unwrap();
    let headers = http::HeaderMap::from_iter([(http::header::AUTHORIZATION, token)]);
    assert_eq!(verifier.principal(&headers), Some(speaker()));
    let wrong = SigningKeys::read(&public).unwrap_err().to_string();
    assert!(wrong.contains("key.pub.pem") && wrong.contains("private"), "{wrong}");
    assert!(!format!("{minter:?}{verifier:?}").contains("PRIVATE"));
}

#[tokio::test]
async fn a_caller_of_a_thousand_branches_fits_on_every_way() {
    let running = Running::start(&[]).await;
    let branches = (0..1_000_u128).map(|n| uuid::Uuid::from_u128(n << 64 | 0x7000));
    let regional = Principal { scope: kernel::BranchScope::only(branches), ..speaker() };
    let token = running.minter().bearer(&regional, "echo").unwrap();
    let headers = http::HeaderMap::from_iter([(http::header::AUTHORIZATION, token.clone())]);
    assert_eq!(running.house.kit("echo", "").verifier.principal(&headers), Some(regional));
    for service in [running.local(), running.remote()] {
        assert!(call(service, SAY, request(ask("", 0), &token)).await.is_ok());
    }
    assert!(call(running.channel().await, SAY, request(ask("", 0), &token)).await.is_ok());
    running.end().await;
}
