//! What a caller shows: an API key, as `authorization: Bearer …` or as `x-api-key`. Only its form is judged here.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use server::status;
use sha2::{Digest, Sha256};
use tonic::Status;

use crate::limits;

/// The other header that may carry a key, for tools that keep `authorization` to themselves.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How every API key begins.
const PREFIX: &str = "kb_";

/// An API key that nobody has checked yet. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(…)")
    }
}

impl Credential {
    /// The text of the key, for the service that knows it.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// What the key is remembered by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

/// The one key in these headers. Several of them, or none, are UNAUTHENTICATED, as is what cannot be a key.
pub fn presented(headers: &HeaderMap) -> Result<Credential, Status> {
    let bearer = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let plain = headers.get_all(X_API_KEY).iter().map(|value| value.to_str().ok().map(str::trim));
    let mut shown = bearer.chain(plain);
    match (shown.next(), shown.next()) {
        (Some(Some(key)), None) if is_key(key) => Ok(Credential(key.to_owned())),
        _ => Err(status::unauthenticated()),
    }
}

fn is_key(text: &str) -> bool {
    text.len() <= limits::MAX_KEY_BYTES
        && text.starts_with(PREFIX)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn shown(headers: &[(HeaderName, &'static str)]) -> Option<String> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        presented(&headers).ok().map(|credential| credential.secret().to_owned())
    }

    #[test]
    fn a_key_is_found_in_either_header_and_nothing_else_is_one() {
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer kb_dev_a_b_c")]).as_deref(), Some("kb_dev_a_b_c"));
        assert_eq!(shown(&[(AUTHORIZATION, "bearer   kb_x ")]).as_deref(), Some("kb_x"));
        assert_eq!(shown(&[(X_API_KEY, "kb_x")]).as_deref(), Some("kb_x"));
        for wrong in
            ["", "Bearer", "Bearer ", "kb_x", "Basic kb_x", "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer kb_a kb_b"]
        {
            assert_eq!(shown(&[(AUTHORIZATION, wrong)]), None, "{wrong:?}");
        }
        let long = format!("Bearer kb_{}", "a".repeat(limits::MAX_KEY_BYTES));
        let headers: HeaderMap = [(AUTHORIZATION, HeaderValue::try_from(long).unwrap())].into_iter().collect();
        assert!(presented(&headers).is_err());
    }

    #[test]
    fn two_keys_are_none() {
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer kb_x"), (X_API_KEY, "kb_y")]), None);
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer kb_x"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer kb_x"));
        assert!(presented(&headers).is_err());
    }

    #[test]
    fn a_key_is_not_printed() {
        assert!(!format!("{:?}", Credential("kb_secret".to_owned())).contains("secret"));
    }
}
