//! What an access token must be: its head, the key that may have signed it, and its claims. Nothing here asks anybody,
//! and no reason for a refusal leaves: to a caller all bad tokens are the same.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::limits;

/// The algorithms that are believed, each with one type of key only.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// Types of token that may be an access token (RFC 7519 5.1, RFC 9068 2.1). Most issuers still say `JWT` or nothing.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];
/// Shortest RSA modulus, bytes: 2048 bits (RFC 7518 3.3).
const MIN_MODULUS_BYTES: usize = 256;
/// Longest id of a key, bytes.
const MAX_KEY_ID_BYTES: usize = 256;
/// Longest subject, bytes (OpenID Connect Core 2).
const MAX_SUBJECT_BYTES: usize = 255;

/// What a token says of the key that signed it. It picks a key and nothing else: the algorithm is that of the key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key_id: String,
    algorithm: Algorithm,
}

impl Head {
    /// The head of a token; `None` when no token with such a head could be believed.
    pub(super) fn read(token: &str) -> Option<Self> {
        if token.len() > limits::MAX_TOKEN_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        // Whatever is critical here is not understood here (RFC 7515 4.1.11), and nothing is encrypted or packed.
        let plain = header.crit.is_none() && header.enc.is_none() && header.zip.is_none();
        let typed = header.typ.is_none_or(|typ| TYPES.iter().any(|known| typ.eq_ignore_ascii_case(known)));
        let key_id = header.kid.filter(|id| (1..=MAX_KEY_ID_BYTES).contains(&id.len()))?;
        (plain && typed && ALGORITHMS.contains(&header.alg)).then_some(Self { key_id, algorithm: header.alg })
    }
}

/// A key of the issuer, with the one algorithm that it is used with.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) id: String,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl Key {
    /// The key, if it may sign tokens by an algorithm that is believed. The algorithm follows from the type of the key;
    /// one that the key names itself must be the same.
    pub(super) fn of(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        let signs = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let verifies = common.key_operations.as_ref().is_none_or(|all| all.contains(&KeyOperations::Verify));
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(key) if modulus_bytes(&key.n) >= MIN_MODULUS_BYTES => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            _ => return None,
        };
        let agrees = common.key_algorithm.is_none_or(|named| named == KeyAlgorithm::from(algorithm));
        let id = common.key_id.clone().filter(|id| (1..=MAX_KEY_ID_BYTES).contains(&id.len()))?;
        let key = DecodingKey::from_jwk(jwk).ok()?;
        (signs && verifies && agrees).then_some(Self { id, algorithm, key })
    }
}

/// Bytes of a modulus without its leading zeros; 0 for what is no base64url.
fn modulus_bytes(text: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    bytes.len() - bytes.iter().take_while(|byte| **byte == 0).count()
}

/// What the claims of every token must say.
#[derive(Debug)]
pub(super) struct Rules {
    issuer: String,
    audiences: Vec<String>,
}

/// Who a token was made for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The issuer's name for them.
    pub(super) subject: String,
    /// How long the token still holds.
    pub(super) left: Duration,
}

/// The claims that are looked at beside those that the library checks. The issuer must be one text, not a list.
#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "iss")]
    _issuer: String,
    sub: String,
    exp: f64,
}

impl Rules {
    /// Tokens of this issuer for one of these audiences.
    pub(super) fn new(issuer: &str, audiences: &[String]) -> Self {
        Self { issuer: issuer.to_owned(), audiences: audiences.to_vec() }
    }

    /// The holder of a token that `key` signed; `now_s` is the wall clock, seconds since the Unix epoch.
    pub(super) fn check(&self, token: &str, head: &Head, key: &Key, now_s: u64) -> Option<Holder> {
        if head.algorithm != key.algorithm {
            return None;
        }
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&self.audiences);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = limits::TOKEN_LEEWAY.as_secs();
        let claims = jsonwebtoken::decode::<Claims>(token, &key.key, &validation).ok()?.claims;
        if !(1..=MAX_SUBJECT_BYTES).contains(&claims.sub.len()) {
            return None;
        }
        // Cut to a century, so that it can be added to any instant.
        let seconds = claims.exp - now_s as f64;
        let left = Duration::from_secs(seconds.clamp(0.0, limits::CENTURY.as_secs_f64()) as u64);
        Some(Holder { subject: claims.sub, left: left + limits::TOKEN_LEEWAY })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::LazyLock;
    use std::time::{SystemTime, UNIX_EPOCH};

    use base64::engine::general_purpose::STANDARD;
    use jsonwebtoken::{EncodingKey, Header};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use server::auth::SigningKeys;

    use super::*;

    fn now_s() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
    }

    /// A key of the issuer and a token that it signed.
    static MADE: LazyLock<(Key, String)> = LazyLock::new(|| {
        let (private, public) = SigningKeys::generate().unwrap().to_pem().unwrap();
        let body: String = public.lines().filter(|line| !line.starts_with("---")).collect();
        let point = URL_SAFE_NO_PAD.encode(STANDARD.decode(body).unwrap().last_chunk::<32>().unwrap());
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some("one".to_owned());
        let claims = json!({ "iss": "https://issuer", "sub": "ann", "aud": "karibu", "exp": now_s() + 86_400 });
        let signer = EncodingKey::from_ed_pem(private.as_bytes()).unwrap();
        (key(ed25519(&point)).unwrap(), jsonwebtoken::encode(&header, &claims, &signer).unwrap())
    });

    fn ed25519(point: &str) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": point })
    }

    fn key(jwk: Value) -> Option<Key> {
        Key::of(&serde_json::from_value::<Jwk>(jwk).unwrap())
    }

    fn rules() -> Rules {
        Rules::new("https://issuer", &["karibu".to_owned()])
    }

    fn believed(token: &str) -> Option<Holder> {
        let head = Head::read(token).filter(|head| head.key_id == "one")?;
        rules().check(token, &head, &MADE.0, now_s())
    }

    #[test]
    fn a_key_says_which_algorithm_it_is_for() {
        let point = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let changed = |name: &str, value: Value| {
            let mut jwk = ed25519(point);
            jwk[name] = value;
            key(jwk).map(|key| key.algorithm)
        };
        let rsa = |bytes: usize, first: u8| {
            let mut modulus = vec![0xAB; bytes];
            modulus[0] = first;
            let jwk = json!({ "kty": "RSA", "kid": "r", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus) });
            key(jwk).map(|key| key.algorithm)
        };
        assert_eq!(changed("use", json!("sig")), Some(Algorithm::EdDSA));
        assert_eq!(changed("alg", json!("EdDSA")), Some(Algorithm::EdDSA));
        assert_eq!(changed("key_ops", json!(["verify"])), Some(Algorithm::EdDSA));
        assert_eq!(rsa(256, 0x80), Some(Algorithm::RS256));
        assert_eq!(rsa(257, 0), Some(Algorithm::RS256));
        let refused = [
            changed("use", json!("enc")),
            changed("alg", json!("ES256")),
            changed("alg", json!("HS256")),
            changed("alg", json!("unheard of")),
            changed("key_ops", json!(["encrypt"])),
            changed("kid", json!("")),
            changed("kid", json!("x".repeat(257))),
            rsa(255, 0x80),
            // A leading zero makes a number no longer.
            rsa(256, 0),
            key(json!({ "kty": "oct", "kid": "s", "k": "AAAA" })).map(|key| key.algorithm),
            key(json!({ "kty": "EC", "crv": "P-384", "kid": "e", "x": "AA", "y": "AA" })).map(|key| key.algorithm),
            key(json!({ "kty": "OKP", "crv": "Ed25519", "x": point })).map(|key| key.algorithm),
        ];
        for (number, algorithm) in refused.into_iter().enumerate() {
            assert_eq!(algorithm, None, "key {number}");
        }
    }

    #[test]
    fn a_holder_is_known_until_the_token_ends() {
        let holder = believed(&MADE.1).unwrap();
        assert_eq!(holder.subject, "ann");
        let expected = Duration::from_secs(86_400) + limits::TOKEN_LEEWAY;
        assert!(holder.left <= expected && expected - holder.left < Duration::from_secs(60), "{:?}", holder.left);
        assert!(!format!("{:?}", MADE.0).contains("11qY"));
    }

    proptest! {
        /// Whatever is done to a token, it is believed as it was signed or not at all.
        #[test]
        fn a_changed_token_is_not_believed(changes in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9_.-]"), 1..4)) {
            let mut letters: Vec<char> = MADE.1.chars().collect();
            for (place, letter) in &changes {
                let place = place.index(letters.len());
                letters[place] = letter.chars().next().unwrap();
            }
            let token: String = letters.into_iter().collect();
            if token != MADE.1 {
                prop_assert_eq!(believed(&token), None);
            }
        }

        #[test]
        fn no_text_is_a_token_by_chance(text in "\\PC{0,200}") {
            prop_assert_eq!(believed(&text), None);
        }
    }
}
