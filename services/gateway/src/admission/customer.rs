//! Tokens of customers: `kc_…` names one thing of one customer, until when, and carries a mark that only the gateway can
//! make. It opens that thing and nothing else; nothing is stored for it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use kernel::BranchScope;
use proto::Permission;
use server::auth::{Kind, Principal};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::credential::{Credential, Form};

/// How every customer's token begins.
pub(super) const PREFIX: &str = "kc_";
/// What the marks are for: no other mark of the gateway is made with the same key.
pub const PURPOSE: &str = "customer tokens";
/// First byte of every token.
const VERSION: u8 = 1;
/// Bytes of the mark.
const MARK_BYTES: usize = 16;
/// Bytes before the mark: version, kind, customer, record, end.
const BODY_BYTES: usize = 1 + 1 + 16 + 16 + 8;

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// The complaint with this id.
    Complaint(Uuid),
    /// The loyalty account with this id.
    Card(Uuid),
}

/// One thing of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// The customer.
    pub customer: Uuid,
    /// What it is.
    pub thing: Thing,
}

impl Own {
    /// The customer as a caller: may call the methods for customers, and sees no branch.
    pub fn principal(&self) -> Principal {
        Principal {
            subject: format!("customer:{}", self.customer).into(),
            kind: Kind::Customer,
            permissions: [Permission::CustomerOwn].into_iter().collect(),
            scope: BranchScope::only([]),
        }
    }
}

/// Makes and reads tokens. Clones believe the same.
#[derive(Clone)]
pub struct CustomerTokens {
    /// The first makes marks, all of them are believed.
    keys: Vec<[u8; 32]>,
}

impl fmt::Debug for CustomerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerTokens").field("keys", &self.keys.len()).finish()
    }
}

impl CustomerTokens {
    /// Tokens under these secrets: the first makes marks, all are believed. Without any, `own` takes their place.
    pub fn new(secrets: &[String], own: [u8; 32]) -> Self {
        let key = |secret: &String| {
            Sha256::new().chain_update(PURPOSE).chain_update([0]).chain_update(secret.as_bytes()).finalize().into()
        };
        let keys: Vec<[u8; 32]> = secrets.iter().map(key).collect();
        Self { keys: if keys.is_empty() { vec![own] } else { keys } }
    }

    /// The token that opens `own` until `end_s`, seconds since the Unix epoch by the wall clock.
    pub fn make(&self, own: &Own, end_s: u64) -> String {
        let (kind, record) = match own.thing {
            Thing::Complaint(id) => (1, id),
            Thing::Card(id) => (2, id),
        };
        let mut bytes = Vec::with_capacity(BODY_BYTES + MARK_BYTES);
        bytes.extend_from_slice(&[VERSION, kind]);
        bytes.extend_from_slice(own.customer.as_bytes());
        bytes.extend_from_slice(record.as_bytes());
        bytes.extend_from_slice(&end_s.to_be_bytes());
        let mark = hmac(&self.keys[0], &bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mark[..MARK_BYTES]);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a token opens, if it was made here and has not ended.
    pub fn read(&self, credential: &Credential) -> Option<Own> {
        if credential.form() != Form::Customer {
            return None;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.opens(credential.secret(), now)
    }

    fn opens(&self, text: &str, now: Duration) -> Option<Own> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (body, mark) = bytes.split_last_chunk::<MARK_BYTES>()?;
        // Compared in constant time: a mark must not be found byte by byte.
        let ours = self.keys.iter().any(|key| hmac(key, body).verify_truncated_left(mark).is_ok());
        let body: &[u8; BODY_BYTES] = body.try_into().ok().filter(|_| ours)?;
        let (head, rest) = body.split_first_chunk::<2>()?;
        let (customer, rest) = rest.split_first_chunk::<16>()?;
        let (record, end) = rest.split_first_chunk::<16>()?;
        let record = Uuid::from_bytes(*record);
        let thing = match *head {
            [VERSION, 1] => Thing::Complaint(record),
            [VERSION, 2] => Thing::Card(record),
            _ => return None,
        };
        let end = Duration::from_secs(u64::from_be_bytes(end.try_into().ok()?));
        (now < end).then_some(Own { customer: Uuid::from_bytes(*customer), thing })
    }
}

fn hmac(key: &[u8; 32], bytes: &[u8]) -> Hmac<Sha256> {
    // A key shorter than a block is filled up with zeros (RFC 2104, section 2).
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let mut hmac = Hmac::<Sha256>::new(&block.into());
    hmac.update(bytes);
    hmac
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_795_000_000);

    fn own() -> Own {
        Own { customer: Uuid::from_u128(7), thing: Thing::Complaint(Uuid::from_u128(8)) }
    }

    #[test]
    fn a_token_opens_its_thing_until_its_end() {
        let tokens = CustomerTokens::new(&[], [1; 32]);
        for own in [own(), Own { thing: Thing::Card(Uuid::max()), ..own() }] {
            let token = tokens.make(&own, NOW.as_secs());
            assert_eq!(Credential::read(&token).unwrap().form(), Form::Customer);
            assert_eq!(tokens.opens(&token, NOW - Duration::from_secs(1)), Some(own));
            assert_eq!(tokens.opens(&token, NOW), None);
        }
    }

    #[test]
    fn a_changed_token_opens_nothing() {
        let tokens = CustomerTokens::new(&[], [1; 32]);
        let token = tokens.make(&own(), u64::MAX);
        assert_eq!(tokens.opens(&token, NOW), Some(own()));
        let body = token.strip_prefix(PREFIX).unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
        for place in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[place] ^= 1;
            let broken = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(broken));
            assert_eq!(tokens.opens(&broken, NOW), None, "byte {place}");
        }
        for length in 0..bytes.len() {
            let short = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes[..length]));
            assert_eq!(tokens.opens(&short, NOW), None, "{length} bytes");
        }
        for wrong in ["", "kc_", "kc_x", body, "kb_x"] {
            assert_eq!(tokens.opens(wrong, NOW), None, "{wrong:?}");
        }
    }

    #[test]
    fn secrets_change_without_a_gap_and_serve_one_purpose() {
        let secret = |name: &str| name.repeat(16);
        let old = CustomerTokens::new(&[secret("a")], [1; 32]);
        let both = CustomerTokens::new(&[secret("b"), secret("a")], [1; 32]);
        let new = CustomerTokens::new(&[secret("b")], [1; 32]);
        let token = old.make(&own(), u64::MAX);
        assert!(both.opens(&token, NOW).is_some() && new.opens(&token, NOW).is_none());
        assert!(new.opens(&both.make(&own(), u64::MAX), NOW).is_some());
        assert!(CustomerTokens::new(&[], [1; 32]).opens(&token, NOW).is_none());
        let plain: [u8; 32] = Sha256::digest(secret("a").as_bytes()).into();
        assert_ne!(old.keys[0], plain, "resume tokens are marked with that one");
    }

    #[test]
    fn a_customer_may_nothing_but_what_is_for_customers() {
        let principal = own().principal();
        assert_eq!(principal.kind, Kind::Customer);
        assert_eq!(principal.permissions.iter().collect::<Vec<_>>(), [i32::from(Permission::CustomerOwn)]);
        assert!(!principal.scope.is_all() && principal.scope.branches().is_empty());
    }
}
