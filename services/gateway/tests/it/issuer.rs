//! An issuer of access tokens as a business has one: discovery and keys over HTTP, keys that change, and days when it is
//! away. The keys in the files beside are for these tests alone and open nothing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use server::auth::SigningKeys;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub const AUDIENCE: &str = "karibu-api";

/// A key of the issuer, or of someone who would like to be it.
#[derive(Clone)]
pub struct Signer {
    pub header: Header,
    pub key: EncodingKey,
    pub jwk: Value,
}

impl Signer {
    pub fn rsa(id: &str) -> Self {
        let key = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa.test.pem")).unwrap();
        Self::new(id, key, Algorithm::RS256)
    }

    /// Too short to be believed.
    pub fn short_rsa(id: &str) -> Self {
        let key = EncodingKey::from_rsa_pem(include_bytes!("keys/rsa1024.test.pem")).unwrap();
        Self::new(id, key, Algorithm::RS256)
    }

    pub fn p256(id: &str) -> Self {
        let key = EncodingKey::from_ec_pem(include_bytes!("keys/p256.test.pem")).unwrap();
        Self::new(id, key, Algorithm::ES256)
    }

    /// A new one each time.
    pub fn ed25519(id: &str) -> Self {
        let (private, public) = SigningKeys::generate().unwrap().to_pem().unwrap();
        let body: String = public.lines().filter(|line| !line.starts_with("---")).collect();
        let der = STANDARD.decode(body).unwrap();
        let point = URL_SAFE_NO_PAD.encode(der.last_chunk::<32>().unwrap());
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": point, "alg": "EdDSA"});
        Self::with(id, EncodingKey::from_ed_pem(private.as_bytes()).unwrap(), Algorithm::EdDSA, jwk)
    }

    fn new(id: &str, key: EncodingKey, algorithm: Algorithm) -> Self {
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
        Self::with(id, key, algorithm, jwk)
    }

    fn with(id: &str, key: EncodingKey, algorithm: Algorithm, mut jwk: Value) -> Self {
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        let mut header = Header::new(algorithm);
        header.kid = Some(id.to_owned());
        Self { header, key, jwk }
    }

    pub fn sign(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&self.header, claims, &self.key).unwrap()
    }

    /// With another head, and whatever signature fits it.
    pub fn sign_as(&self, change: impl FnOnce(&mut Header), claims: &Value) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }
}

pub fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// What is served.
#[derive(Clone, Default)]
struct Served {
    keys: Arc<Mutex<Vec<Value>>>,
    fetched: Arc<AtomicUsize>,
}

pub struct Issuer {
    address: SocketAddr,
    served: Served,
    running: JoinHandle<()>,
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Issuer {
    pub async fn new(signers: &[&Signer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, served) = (listener.local_addr().unwrap(), Served::default());
        let issuer = Self { address, running: serve(listener, address, served.clone()), served };
        issuer.publish(signers);
        issuer
    }

    /// Its name, as it stands in its tokens.
    pub fn name(&self) -> String {
        format!("http://{}/realm", self.address)
    }

    /// From now on these are its keys.
    pub fn publish(&self, signers: &[&Signer]) {
        *self.served.keys.lock().unwrap() = signers.iter().map(|signer| signer.jwk.clone()).collect();
    }

    /// How often its keys were fetched.
    pub fn fetched(&self) -> usize {
        self.served.fetched.load(Ordering::SeqCst)
    }

    /// Nobody answers there any more.
    pub async fn leave(&mut self) {
        self.running.abort();
        while !self.running.is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// It answers again at the same place.
    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.running = serve(listener, self.address, self.served.clone());
    }

    /// Claims that are believed.
    pub fn claims(&self, subject: &str) -> Value {
        json!({
            "iss": self.name(), "sub": subject, "aud": AUDIENCE, "iat": now_s(), "nbf": now_s(), "exp": now_s() + 300,
            "jti": uuid::Uuid::now_v7().to_string(),
        })
    }
}

fn serve(listener: TcpListener, address: SocketAddr, served: Served) -> JoinHandle<()> {
    let discovery = json!({
        "issuer": format!("http://{address}/realm"), "jwks_uri": format!("http://{address}/keys"),
        "id_token_signing_alg_values_supported": ["RS256"],
    });
    let keys = move || {
        served.fetched.fetch_add(1, Ordering::SeqCst);
        let keys = served.keys.lock().unwrap().clone();
        async move { Json(json!({ "keys": keys })) }
    };
    let router = axum::Router::new()
        .route("/realm/.well-known/openid-configuration", get(move || async move { Json(discovery) }))
        .route("/keys", get(keys));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}
