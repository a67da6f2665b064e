//! Access tokens of an issuer that runs beside the test: who is let in, who is not, and what happens when the issuer
//! changes its keys or goes away.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey};
use karibu_gateway::{Config, SignIn, limits};
use proto::Permission;
use serde_json::{Value, json};
use server::auth::Kind;

use crate::desk::KNOWN;
use crate::issuer::{AUDIENCE, Issuer, Signer, now_s};
use crate::stage::{Answer, Stage, pass};

async fn stage(issuer: &Issuer) -> Stage {
    let sign_in = SignIn {
        oidc_issuer: Some(issuer.name()),
        oidc_audiences: vec!["another-api".to_owned(), AUDIENCE.to_owned()],
        oidc_roots: None,
    };
    let config = Config { sign_in, rate_limits: "off".parse().unwrap(), ..Default::default() };
    let stage = Stage::with(config).await;
    stage.desk.person(&issuer.name(), "ann", [Permission::OrganizationRead]);
    stage
}

async fn show(stage: &Stage, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    stage.send("GET", &format!("/v1/branches/{KNOWN}"), &[("authorization", bearer.as_str())], b"").await
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn a_token_of_the_issuer_lets_its_holder_in() {
    let signers = [Signer::rsa("r"), Signer::p256("e"), Signer::ed25519("d")];
    let issuer = Issuer::new(&signers.each_ref()).await;
    let stage = stage(&issuer).await;
    let good = issuer.claims("ann");
    let mut tokens: Vec<String> = signers.iter().map(|signer| signer.sign(&good)).collect();
    let signer = &signers[2];
    tokens.extend([
        signer.sign(&with(good.clone(), "aud", json!(["someone", AUDIENCE]))),
        signer.sign(&with(good.clone(), "exp", json!(now_s() - 30))),
        signer.sign(&with(good.clone(), "exp", json!(now_s() as f64 + 100.5))),
        signer.sign(&with(good.clone(), "nbf", json!(now_s() + 30))),
        signer.sign(&without(good.clone(), "nbf")),
        signer.sign_as(|header| header.typ = Some("at+jwt".into()), &good),
        signer.sign_as(|header| header.typ = None, &good),
    ]);
    for (number, token) in tokens.iter().enumerate() {
        let answer = show(&stage, token).await;
        assert_eq!(answer.status, 200, "token {number}: {answer:?}");
        let seen = stage.desk.seen.lock().unwrap().pop().unwrap().caller;
        assert_eq!((&*seen.subject, seen.kind), ("staff-ann", Kind::Staff));
    }
    assert_eq!(issuer.fetched(), 1, "the keys are fetched once for all");
    let bearer = format!("Bearer {}", tokens[0]);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let close = stage.send("POST", &format!("/v1/branches/{KNOWN}:close"), &headers, b"{}").await;
    assert_eq!(close.status, 403, "ann may only read");
}

/// Everything that is not quite a token of the issuer, by what is wrong with it.
fn wrong_tokens(issuer: &Issuer, rsa: &Signer, p256: &Signer, ed25519: &Signer) -> Vec<(&'static str, String)> {
    let good = issuer.claims("ann");
    let honest = ed25519.sign(&good);
    let parts: Vec<&str> = honest.split('.').collect();
    let head = |json: Value| BASE64.encode(json.to_string());
    let stranger = Signer::ed25519("d");
    let by_hmac = |secret: &[u8], id: &str| {
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.kid = Some(id.to_owned());
        jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(secret)).unwrap()
    };
    let modulus = BASE64.decode(rsa.jwk["n"].as_str().unwrap()).unwrap();
    let point = BASE64.decode(ed25519.jwk["x"].as_str().unwrap()).unwrap();
    let claim = |name: &str, value: Value| ed25519.sign(&with(good.clone(), name, value));
    let more = head(with(good.clone(), "sub", json!("admin")));
    vec![
        ("expired", claim("exp", json!(now_s() - 120))),
        ("expired long ago", claim("exp", json!(1))),
        ("never-ending", ed25519.sign(&without(good.clone(), "exp"))),
        ("an end that is no number", claim("exp", json!("tomorrow"))),
        ("an end that is not finite", claim("exp", json!(-1.0))),
        ("not yet valid", claim("nbf", json!(now_s() + 120))),
        ("a beginning that is no number", claim("nbf", json!("now"))),
        ("foreign audience", claim("aud", json!("other"))),
        ("foreign audiences", claim("aud", json!(["other", "karibu-api2"]))),
        ("no audience", ed25519.sign(&without(good.clone(), "aud"))),
        ("empty audience", claim("aud", json!([]))),
        ("foreign issuer", claim("iss", json!("https://evil.example.com"))),
        ("almost the issuer", claim("iss", json!(format!("{}/", issuer.name())))),
        ("several issuers", claim("iss", json!([issuer.name(), "https://evil.example.com"]))),
        ("no issuer", ed25519.sign(&without(good.clone(), "iss"))),
        ("no subject", ed25519.sign(&without(good.clone(), "sub"))),
        ("empty subject", claim("sub", json!(""))),
        ("long subject", claim("sub", json!("x".repeat(300)))),
        ("a subject that is no text", claim("sub", json!(7))),
        ("nobody here", claim("sub", json!("bob"))),
        ("alg none", format!("{}.{}.", head(json!({"alg": "none", "kid": "d"})), parts[1])),
        ("alg none, signed", format!("{}.{}.{}", head(json!({"alg": "none", "kid": "d"})), parts[1], parts[2])),
        ("alg in another case", format!("{}.{}.{}", head(json!({"alg": "nOnE", "kid": "d"})), parts[1], parts[2])),
        ("HS256 with the public RSA key", by_hmac(rsa.jwk.to_string().as_bytes(), "r")),
        ("HS256 with the modulus", by_hmac(&modulus, "r")),
        ("HS256 with the public point", by_hmac(&point, "d")),
        ("RS512 by the key of RS256", rsa.sign_as(|header| header.alg = Algorithm::RS512, &good)),
        ("PS256 by the key of RS256", rsa.sign_as(|header| header.alg = Algorithm::PS256, &good)),
        ("unknown key", ed25519.sign_as(|header| header.kid = Some("x".into()), &good)),
        ("no key id", ed25519.sign_as(|header| header.kid = None, &good)),
        (
            "the id of another key of the type",
            Signer::ed25519("d2").sign_as(|header| header.kid = Some("d".into()), &good),
        ),
        ("wrong key type: EdDSA as RSA", ed25519.sign_as(|header| header.kid = Some("r".into()), &good)),
        ("wrong key type: ES256 as RSA", p256.sign_as(|header| header.kid = Some("r".into()), &good)),
        ("wrong key type: RS256 as EC", rsa.sign_as(|header| header.kid = Some("e".into()), &good)),
        ("a key that is too short", Signer::short_rsa("short").sign(&good)),
        ("a key for encryption", Signer::p256("enc").sign(&good)),
        ("a key that names another algorithm", Signer::rsa("ps").sign(&good)),
        ("a stranger's signature", stranger.sign(&good)),
        (
            "a key inside the token",
            stranger.sign_as(
                |header| {
                    header.kid = Some("mine".into());
                    header.jwk = Some(serde_json::from_value(stranger.jwk.clone()).unwrap());
                },
                &good,
            ),
        ),
        (
            "an extension that must be understood",
            ed25519.sign_as(|header| header.crit = Some(vec!["exp".into()]), &good),
        ),
        ("critical, and nothing said", ed25519.sign_as(|header| header.crit = Some(vec![]), &good)),
        ("an identity token", ed25519.sign_as(|header| header.typ = Some("logout+jwt".into()), &good)),
        ("changed claims", format!("{}.{more}.{}", parts[0], parts[2])),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("half a signature", format!("{}.{}.{}", parts[0], parts[1], &parts[2][..43])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{honest}.{}", parts[2])),
        ("no JSON", format!("{}.{}.{}", BASE64.encode("x"), parts[1], parts[2])),
        ("points", "..".to_owned()),
        ("oversized", claim("more", json!("x".repeat(limits::MAX_TOKEN_BYTES)))),
    ]
}

#[tokio::test]
async fn every_token_that_is_not_quite_right_gets_the_same_answer() {
    let (rsa, p256, ed25519) = (Signer::rsa("r"), Signer::p256("e"), Signer::ed25519("d"));
    let mut for_encryption = Signer::p256("enc");
    for_encryption.jwk["use"] = "enc".into();
    let mut other_algorithm = Signer::rsa("ps");
    other_algorithm.jwk["alg"] = "PS256".into();
    let mut odd = Signer::ed25519("odd");
    odd.jwk = json!({"kty": "unheard of", "kid": "odd"});
    let published = [&odd, &rsa, &p256, &ed25519, &Signer::short_rsa("short"), &for_encryption, &other_algorithm];
    let issuer = Issuer::new(&published).await;
    let stage = stage(&issuer).await;
    assert_eq!(show(&stage, &ed25519.sign(&issuer.claims("ann"))).await.status, 200);

    let mut first: Option<(Value, String)> = None;
    let tokens = wrong_tokens(&issuer, &rsa, &p256, &ed25519);
    for (what, token) in &tokens {
        let answer = show(&stage, token).await;
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        let told = (answer.json(), answer.headers["www-authenticate"].clone());
        assert_eq!(*first.get_or_insert_with(|| told.clone()), told, "{what}");
    }
    let as_key = stage.json("GET", &format!("/v1/branches/{KNOWN}"), &ed25519.sign(&issuer.claims("ann")), "").await;
    assert_eq!(as_key.status, 401, "a token is no API key");
    assert!(stage.desk.seen.lock().unwrap().len() == 1, "only the first got through");
    assert_eq!(issuer.fetched(), 1, "unknown keys do not make the issuer work");
    assert!(tokens.len() > 45);
}

#[tokio::test]
async fn the_issuer_changes_its_keys_and_nobody_notices() {
    let (old, new) = (Signer::ed25519("one"), Signer::ed25519("two"));
    let issuer = Issuer::new(&[&old]).await;
    let stage = stage(&issuer).await;
    let token = |signer: &Signer| signer.sign(&issuer.claims("ann"));
    assert_eq!(show(&stage, &token(&old)).await.status, 200);

    issuer.publish(&[&old, &new]);
    // Asked a moment ago: a flood of unknown keys must not become one of questions.
    for _ in 0..50 {
        assert_eq!(show(&stage, &token(&new)).await.status, 401);
    }
    assert_eq!(issuer.fetched(), 1);
    pass(limits::ISSUER_RETRY).await;
    assert_eq!(show(&stage, &token(&new)).await.status, 200);
    assert_eq!(show(&stage, &token(&old)).await.status, 200);
    assert_eq!(issuer.fetched(), 2);

    issuer.publish(&[&new]);
    pass(limits::ISSUER_KEYS_FRESH).await;
    assert_eq!(show(&stage, &token(&old)).await.status, 401, "a key that was withdrawn is forgotten in ten minutes");
    assert_eq!(show(&stage, &token(&new)).await.status, 200);
    assert_eq!(issuer.fetched(), 3);
}

#[tokio::test]
async fn while_the_issuer_is_away_its_last_keys_go_on() {
    let (old, new) = (Signer::p256("one"), Signer::ed25519("two"));
    let mut issuer = Issuer::new(&[&old]).await;
    let stage = stage(&issuer).await;
    let key = stage.desk.key("till", [Permission::OrganizationRead]);
    issuer.leave().await;
    let first = show(&stage, &old.sign(&issuer.claims("ann"))).await;
    assert_eq!((first.status, first.reason().as_str()), (503, "UNAVAILABLE"), "no keys were ever known");
    assert_eq!(stage.json("GET", &format!("/v1/branches/{KNOWN}"), &key, "").await.status, 200, "keys need no issuer");

    issuer.come_back().await;
    pass(limits::ISSUER_RETRY).await;
    assert_eq!(show(&stage, &old.sign(&issuer.claims("ann"))).await.status, 200);
    issuer.leave().await;
    for _ in 0..3 {
        pass(limits::ISSUER_KEYS_FRESH).await;
        assert_eq!(show(&stage, &old.sign(&issuer.claims("ann"))).await.status, 200);
        assert_eq!(show(&stage, &new.sign(&issuer.claims("ann"))).await.status, 401);
    }
    issuer.publish(&[&new]);
    issuer.come_back().await;
    pass(limits::ISSUER_RETRY).await;
    assert_eq!(show(&stage, &new.sign(&issuer.claims("ann"))).await.status, 200);
    assert_eq!(show(&stage, &old.sign(&issuer.claims("ann"))).await.status, 401);
}

#[tokio::test]
async fn whoever_leaves_the_business_is_out_within_half_a_minute() {
    let signer = Signer::ed25519("one");
    let issuer = Issuer::new(&[&signer]).await;
    let stage = stage(&issuer).await;
    let token = signer.sign(&issuer.claims("ann"));
    assert_eq!(show(&stage, &token).await.status, 200);
    stage.desk.people.lock().unwrap().clear();
    pass(limits::KEY_FRESH).await;
    assert_eq!(show(&stage, &token).await.status, 401);
    assert!(limits::KEY_FRESH + limits::RECHECK <= Duration::from_secs(30));
}

#[tokio::test]
async fn without_an_issuer_no_token_is_believed() {
    let signer = Signer::ed25519("one");
    let issuer = Issuer::new(&[&signer]).await;
    let stage = Stage::new().await;
    assert_eq!(show(&stage, &signer.sign(&issuer.claims("ann"))).await.status, 401);
    assert_eq!(issuer.fetched(), 0);
}

#[tokio::test]
async fn an_issuer_that_cannot_be_meant_stops_the_start() {
    let start = async |issuer: &str, audiences: &[&str], roots: Option<&str>| {
        let house = server::House::embedded(kernel::Clock::system()).unwrap();
        let sign_in = SignIn {
            oidc_issuer: Some(issuer.to_owned()),
            oidc_audiences: audiences.iter().map(|&name| name.to_owned()).collect(),
            oidc_roots: roots.map(Into::into),
        };
        let config = Config { sign_in, ..Default::default() };
        let kit = house.kit(karibu_gateway::NAME, "sqlite:unused");
        karibu_gateway::start(&kit, config).await.map(|_| ()).map_err(|error| format!("{error:#}"))
    };
    assert_eq!(start("https://login.example.com", &["karibu"], None).await, Ok(()));
    for (issuer, audiences, roots, part) in [
        ("http://login.example.com", &["karibu"][..], None, "is not https"),
        ("login", &["karibu"], None, "is not https"),
        ("https://login.example.com", &[], None, "--oidc-audience"),
        ("https://login.example.com", &[""], None, "--oidc-audience"),
        ("https://login.example.com", &["karibu"], Some("/nowhere.pem"), "/nowhere.pem"),
    ] {
        let refused = start(issuer, audiences, roots).await.unwrap_err();
        assert!(refused.contains(part), "{issuer}: {refused}");
    }
}
