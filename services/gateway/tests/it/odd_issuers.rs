//! Issuers that are not what they should be: certificates that prove nothing, documents of someone else, redirects, floods.
//! None of them lets anybody in, and none stops the door.

use std::sync::Arc;

use karibu_gateway::{Config, SignIn, limits};
use proto::Permission;
use serde_json::json;
use testkit::{Authority, Issued};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::desk::KNOWN;
use crate::issuer::{AUDIENCE, Signer, now_s};
use crate::stage::{Answer, Stage};

const DISCOVERY: &str = "/.well-known/openid-configuration";

/// What is answered to a path.
type Say = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Another answer to a path than the usual one of the issuer with this name.
type Change = Box<dyn Fn(&str, &Say, &str) -> String + Send + Sync>;

fn ok(body: &serde_json::Value) -> String {
    let body = body.to_string();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Answers one request.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, say: Say) {
    let mut head = vec![0; 4096];
    let read = stream.read(&mut head).await.unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    // Who has heard enough may close before everything is sent.
    let _ = stream.write_all(say(path).as_bytes()).await;
    let _ = stream.shutdown().await;
}

/// A listener, and its port.
async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// An honest answer of the issuer `name` with the key of `signer`.
fn honest(name: &str, signer: &Signer) -> Say {
    let discovery = ok(&json!({ "issuer": name, "jwks_uri": format!("{name}/keys") }));
    let keys = ok(&json!({ "keys": [signer.jwk] }));
    Arc::new(move |path| if path == "/keys" { keys.clone() } else { discovery.clone() })
}

async fn show(name: &str, roots: Option<std::path::PathBuf>, signer: &Signer) -> Answer {
    let sign_in =
        SignIn { oidc_issuer: Some(name.to_owned()), oidc_audiences: vec![AUDIENCE.to_owned()], oidc_roots: roots };
    let stage = Stage::with(Config { sign_in, ..Default::default() }).await;
    stage.desk.person(name, "ann", [Permission::OrganizationRead]);
    let claims = json!({ "iss": name, "sub": "ann", "aud": AUDIENCE, "exp": now_s() + 300 });
    let bearer = format!("Bearer {}", signer.sign(&claims));
    let key = stage.desk.key("till", [Permission::OrganizationRead]);
    let address = format!("/v1/branches/{KNOWN}");
    let answer = stage.send("GET", &address, &[("authorization", bearer.as_str())], b"").await;
    assert_eq!(stage.json("GET", &address, &key, "").await.status, 200, "the door is open to others");
    answer
}

/// An issuer over TLS that shows `certificate`.
async fn over_tls(certificate: Issued, signer: &Signer) -> String {
    let (listener, port) = listen().await;
    let name = format!("https://localhost:{port}");
    let say = honest(&name, signer);
    let chain = CertificateDer::pem_slice_iter(certificate.certificate.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, say.clone()).await;
            }
        }
    });
    name
}

#[tokio::test]
async fn only_an_issuer_that_proves_its_name_is_believed() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let roots = ours.write(&folder.path().join("roots.pem"));
    let signer = Signer::ed25519("one");
    for (what, certificate, expected) in [
        ("its own certificate", ours.issue(&["localhost"]), 200),
        ("a certificate of a stranger", theirs.issue(&["localhost"]), 503),
        ("a certificate of another name", ours.issue(&["login.example.com"]), 503),
        ("a certificate whose time is over", ours.issue_expired(&["localhost"]), 503),
    ] {
        let name = over_tls(certificate, &signer).await;
        let answer = show(&name, Some(roots.clone()), &signer).await;
        assert_eq!(answer.status, expected, "{what}: {answer:?}");
    }
    let name = over_tls(ours.issue(&["localhost"]), &signer).await;
    let answer = show(&name, None, &signer).await;
    assert_eq!(answer.status, 503, "the roots of the machine do not know our authority: {answer:?}");
}

/// An issuer on this machine that says what `say` makes of its name.
async fn over_http(say: impl FnOnce(String) -> Say) -> String {
    let (listener, port) = listen().await;
    let name = format!("http://127.0.0.1:{port}");
    let say = say(name.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let stream: TcpStream = stream;
            answer(stream, say.clone()).await;
        }
    });
    name
}

#[tokio::test]
async fn an_issuer_that_says_odd_things_lets_nobody_in() {
    let signer = Signer::ed25519("one");
    let with = |change: Change| {
        let signer = signer.clone();
        move |name: String| -> Say {
            let usual = honest(&name, &signer);
            Arc::new(move |path| change(path, &usual, &name))
        }
    };
    let discovery = |change: fn(&str) -> String| {
        with(Box::new(move |path, usual, name| if path == DISCOVERY { change(name) } else { usual(path) }))
    };
    let keys = |change: fn() -> String| {
        with(Box::new(move |path, usual, _| if path == "/keys" { change() } else { usual(path) }))
    };
    let name = over_http(with(Box::new(|path, usual, _| usual(path)))).await;
    assert_eq!(show(&name, None, &signer).await.status, 200, "the honest one");
    let odd = [
        (
            "a document of another issuer",
            over_http(discovery(|name| {
                ok(&json!({ "issuer": "https://evil.example.com", "jwks_uri": format!("{name}/keys") }))
            }))
            .await,
        ),
        (
            "keys over plain HTTP elsewhere",
            over_http(discovery(|name| ok(&json!({ "issuer": name, "jwks_uri": "http://192.0.2.1/keys" })))).await,
        ),
        (
            "keys in a file",
            over_http(discovery(|name| ok(&json!({ "issuer": name, "jwks_uri": "file:///etc/passwd" })))).await,
        ),
        ("a document that is none", over_http(discovery(|_| ok(&json!("hello")))).await),
        (
            "a redirect",
            over_http(discovery(|name| {
                format!(
                    "HTTP/1.1 302 Found\r\nlocation: {name}/elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                )
            }))
            .await,
        ),
        (
            "a failure",
            over_http(keys(|| "HTTP/1.1 500 Oh\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}".to_owned())).await,
        ),
        ("no keys", over_http(keys(|| ok(&json!({ "keys": [] })))).await),
        (
            "no key that can be used",
            over_http(keys(|| ok(&json!({ "keys": [{ "kty": "oct", "kid": "one", "k": "AAAA" }] })))).await,
        ),
        ("a flood", over_http(keys(|| ok(&json!({ "keys": [], "more": "x".repeat(limits::MAX_ISSUER_BYTES) })))).await),
        ("half an answer", over_http(keys(|| "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{".to_owned())).await),
        ("no HTTP", over_http(keys(|| "220 mail.example.com ESMTP\r\n".to_owned())).await),
    ];
    for (what, name) in odd {
        let answer = show(&name, None, &signer).await;
        assert_eq!((answer.status, answer.reason().as_str()), (503, "UNAVAILABLE"), "{what}: {answer:?}");
        let told = answer.json().to_string();
        assert!(!told.contains("127.0.0.1") && !told.contains("evil"), "{what}: {told}");
    }
}
