//! What a caller shows: an API key, an access token or a customer's token, as `authorization: Bearer …`; a key also as
//! `x-api-key`. Only its form is judged here.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};
use server::status;
use sha2::{Digest, Sha256};
use tonic::Status;

use super::customer;
use crate::limits;

/// The other header that may carry a key, for tools that keep `authorization` to themselves.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// How every API key begins.
const KEY_PREFIX: &str = "kb_";
/// What an access token is made of, beside the letters of a key: three parts with a point between.
const TOKEN_PARTS: usize = 3;

/// What kind of credential it is, by its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An API key of Karibu.
    Key,
    /// An access token of the business's own issuer.
    Token,
    /// A token that a customer got for one thing of theirs.
    Customer,
}

/// A credential that nobody has checked yet. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    form: Form,
    text: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("form", &self.form).finish_non_exhaustive()
    }
}

impl Credential {
    /// Reads a text; `None` when it has the form of no credential.
    pub fn read(text: &str) -> Option<Self> {
        let form = if text.starts_with(KEY_PREFIX) {
            Form::Key
        } else if text.starts_with(customer::PREFIX) {
            Form::Customer
        } else {
            Form::Token
        };
        let longest = match form {
            Form::Key => limits::MAX_KEY_BYTES,
            Form::Token => limits::MAX_TOKEN_BYTES,
            Form::Customer => limits::MAX_CUSTOMER_TOKEN_BYTES,
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let fits = match form {
            Form::Key | Form::Customer => text.bytes().all(plain),
            // A signature is never empty: that would be `alg: none`.
            Form::Token => {
                text.split('.').count() == TOKEN_PARTS
                    && text.split('.').all(|part| !part.is_empty() && part.bytes().all(plain))
            }
        };
        (text.len() <= longest && fits).then(|| Self { form, text: text.to_owned() })
    }

    /// What kind it is.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Its text, for whoever checks it.
    pub fn secret(&self) -> &str {
        &self.text
    }

    /// What it is remembered by.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.text.as_bytes()).into()
    }
}

/// The one credential in these headers. Several of them, or none, are UNAUTHENTICATED, as is what cannot be one.
pub fn presented(headers: &HeaderMap) -> Result<Credential, Status> {
    let bearer = headers.get_all(AUTHORIZATION).iter().map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Credential::read(token.trim()))?
    });
    let plain = headers.get_all(X_API_KEY).iter().map(|value| {
        let key = Credential::read(value.to_str().ok()?.trim())?;
        (key.form == Form::Key).then_some(key)
    });
    let mut shown = bearer.chain(plain);
    match (shown.next(), shown.next()) {
        (Some(Some(credential)), None) => Ok(credential),
        _ => Err(status::unauthenticated()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn shown(headers: &[(HeaderName, &'static str)]) -> Option<(Form, String)> {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        presented(&headers).ok().map(|credential| (credential.form(), credential.secret().to_owned()))
    }

    fn refuses(text: String) -> bool {
        let headers: HeaderMap = [(AUTHORIZATION, HeaderValue::try_from(text).unwrap())].into_iter().collect();
        presented(&headers).is_err()
    }

    #[test]
    fn a_credential_is_known_by_its_form_and_nothing_else_is_one() {
        let key = |text: &str| Some((Form::Key, text.to_owned()));
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer kb_dev_a_b_c")]), key("kb_dev_a_b_c"));
        assert_eq!(shown(&[(AUTHORIZATION, "bearer   kb_x ")]), key("kb_x"));
        assert_eq!(shown(&[(X_API_KEY, "kb_x")]), key("kb_x"));
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer e30.e30.c2ln")]), Some((Form::Token, "e30.e30.c2ln".into())));
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer kc_abc")]), Some((Form::Customer, "kc_abc".into())));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "kb_x",
            "Basic kb_x",
            "Bearer nonsense",
            "Bearer eyJhbGciOiJub25lIn0.e30.",
            "Bearer a.b",
            "Bearer a.b.c.d",
            "Bearer a.b=.c",
            "Bearer kb_a kb_b",
            "Bearer kc_a.b.c",
        ] {
            assert_eq!(shown(&[(AUTHORIZATION, wrong)]), None, "{wrong:?}");
        }
        for wrong in ["e30.e30.c2ln", "kc_abc"] {
            assert_eq!(shown(&[(X_API_KEY, wrong)]), None, "{wrong:?} is no key");
        }
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        assert!(refuses(format!("Bearer kb_{}", "a".repeat(limits::MAX_KEY_BYTES))));
        assert!(refuses(format!("Bearer kc_{}", "a".repeat(limits::MAX_CUSTOMER_TOKEN_BYTES))));
        assert!(refuses(format!("Bearer e30.e30.{}", "a".repeat(limits::MAX_TOKEN_BYTES))));
    }

    #[test]
    fn two_credentials_are_none() {
        assert_eq!(shown(&[(AUTHORIZATION, "Bearer kb_x"), (X_API_KEY, "kb_y")]), None);
        let mut headers = HeaderMap::new();
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer kb_x"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer kb_x"));
        assert!(presented(&headers).is_err());
    }

    #[test]
    fn a_credential_is_not_printed() {
        assert!(!format!("{:?}", Credential::read("kb_secret").unwrap()).contains("secret"));
    }
}
