//! Handles by which a customer is found: their normal form decides whether two are the same.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use vault::LookupKey;

/// Least and most digits of a phone number in international form (ITU-T E.164, 6.2).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// The name under which handles are claimed.
pub(crate) const CLAIM: &str = "identifier";

/// What kind of handle it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierType {
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Number of a loyalty card.
    LoyaltyCard,
    /// Id in another system.
    External,
    /// Id of a device.
    Device,
}

/// What is wrong with a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierFault {
    /// Nothing is left of the value in its normal form.
    Empty,
    /// Not an e-mail address.
    Email,
    /// Not a phone number with its country code.
    Phone,
    /// An external id needs the name of the system that gave it.
    IssuerMissing,
    /// Only an external id has an issuer.
    IssuerUnexpected,
}

/// A handle in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identifier {
    /// What kind of handle it is.
    #[serde(rename = "type")]
    pub kind: IdentifierType,
    /// The value: an e-mail address with its domain in lower case, a phone number as `+` and digits, a card number in
    /// capitals without blanks and dashes, anything else as given.
    pub value: String,
    /// Name of the system that gave an external id; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer: String,
    /// The keyed hash by which it is claimed and looked up: two handles with the same one are the same handle.
    pub lookup: Uuid,
}

impl Identifier {
    /// Brings a handle into its normal form; `key` is that of the look-ups of this installation.
    pub fn new(kind: IdentifierType, value: &str, issuer: &str, key: &LookupKey) -> Result<Self, IdentifierFault> {
        match (kind, issuer.is_empty()) {
            (IdentifierType::External, true) => return Err(IdentifierFault::IssuerMissing),
            (IdentifierType::External, false) | (_, true) => {}
            (_, false) => return Err(IdentifierFault::IssuerUnexpected),
        }
        let value = match kind {
            IdentifierType::Email => email(value.trim())?,
            IdentifierType::Phone => phone(value)?,
            IdentifierType::LoyaltyCard => card(value),
            IdentifierType::External | IdentifierType::Device => value.trim().to_owned(),
        };
        if value.is_empty() {
            return Err(IdentifierFault::Empty);
        }
        let lookup = lookup(key, &natural_key(kind, &value, issuer));
        Ok(Self { kind, value, issuer: issuer.to_owned(), lookup })
    }

    /// What the handle is claimed under. Without the key of the installation it tells nothing.
    pub const fn claim(&self) -> &[u8] {
        self.lookup.as_bytes()
    }
}

/// The natural key. E-mail addresses are compared without regard to case, since hardly any mail server tells capitals
/// apart and people do not.
fn natural_key(kind: IdentifierType, value: &str, issuer: &str) -> Vec<u8> {
    let tag: u8 = match kind {
        IdentifierType::Email => 1,
        IdentifierType::Phone => 2,
        IdentifierType::LoyaltyCard => 3,
        IdentifierType::External => 4,
        IdentifierType::Device => 5,
    };
    let mut key = vec![tag];
    key.extend_from_slice(issuer.as_bytes());
    key.push(0);
    match kind {
        IdentifierType::Email => key.extend_from_slice(value.to_lowercase().as_bytes()),
        _ => key.extend_from_slice(value.as_bytes()),
    }
    key
}

/// Half of the keyed hash: 128 bits never meet by chance.
fn lookup(key: &LookupKey, natural: &[u8]) -> Uuid {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = key.blind(natural);
    Uuid::from_bytes(first)
}

/// The key of the claim on a handle, by which its owner is found.
pub(crate) fn claim_key(identifier: &Identifier) -> Uuid {
    commit::key(&[CLAIM.as_bytes(), identifier.claim()])
}

fn email(value: &str) -> Result<String, IdentifierFault> {
    let (name, domain) = value.rsplit_once('@').ok_or(IdentifierFault::Email)?;
    let strange = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || domain.is_empty() || name.contains('@') || value.contains(strange) {
        return Err(IdentifierFault::Email);
    }
    Ok(format!("{name}@{}", domain.to_lowercase()))
}

/// `+` and digits. Blanks and the marks that people write between digits are dropped, and the international prefix
/// `00` is read as `+`; a number without its country code is refused, since it names different phones in different
/// countries.
fn phone(value: &str) -> Result<String, IdentifierFault> {
    let kept: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}')).collect();
    let digits = kept.strip_prefix('+').or_else(|| kept.strip_prefix("00")).ok_or(IdentifierFault::Phone)?;
    if !PHONE_DIGITS.contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(IdentifierFault::Phone);
    }
    Ok(format!("+{digits}"))
}

fn card(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn new(kind: IdentifierType, value: &str, issuer: &str) -> Result<Identifier, IdentifierFault> {
        Identifier::new(kind, value, issuer, &LookupKey::of(&vault::DataKey::from_bytes(&[1; 32])))
    }

    #[test]
    fn handles_take_their_normal_form() {
        use IdentifierType::{Device, Email, External, LoyaltyCard, Phone};
        for (kind, given, issuer, normal) in [
            (Email, " Aline.U@Example.RW ", "", "Aline.U@example.rw"),
            (Phone, "+250 (788) 123-456", "", "+250788123456"),
            (Phone, "00250.788.123.456", "", "+250788123456"),
            (LoyaltyCard, "kb-12 34", "", "KB1234"),
            (External, " 12923 ", "erp", "12923"),
            (Device, "a8:1b", "", "a8:1b"),
        ] {
            assert_eq!(new(kind, given, issuer).unwrap().value, normal, "{given}");
        }
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        use IdentifierType::{Device, Email, External, LoyaltyCard, Phone};
        for (kind, given, issuer, fault) in [
            (Email, "aline", "", IdentifierFault::Email),
            (Email, "a@b@c", "", IdentifierFault::Email),
            (Email, "@example.rw", "", IdentifierFault::Email),
            (Email, "a b@example.rw", "", IdentifierFault::Email),
            (Phone, "0788123456", "", IdentifierFault::Phone),
            (Phone, "+12345", "", IdentifierFault::Phone),
            (Phone, "+2507881234567890", "", IdentifierFault::Phone),
            (Phone, "+25078812x456", "", IdentifierFault::Phone),
            (LoyaltyCard, " - ", "", IdentifierFault::Empty),
            (External, "12923", "", IdentifierFault::IssuerMissing),
            (Device, "x", "erp", IdentifierFault::IssuerUnexpected),
        ] {
            assert_eq!(new(kind, given, issuer), Err(fault), "{given}");
        }
    }

    #[test]
    fn case_of_an_address_does_not_make_another_handle_but_type_and_issuer_do() {
        let key = |kind, value, issuer| new(kind, value, issuer).unwrap().lookup;
        use IdentifierType::{Device, Email, External, LoyaltyCard};
        assert_eq!(key(Email, "A@b.c", ""), key(Email, "a@B.C", ""));
        assert_ne!(key(External, "1", "erp"), key(External, "1", "crm"));
        assert_ne!(key(Device, "1", ""), key(LoyaltyCard, "1", ""));
    }
}
