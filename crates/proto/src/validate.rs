//! Checks requests against the rules of their fields before a handler sees them. The build says which rule a field has;
//! here stands what a rule means. Rules over several fields or over stored data belong to the services.

use crate::karibu::options::v1::Pattern;

/// Most violations that are reported for one request: enough to repair a form, and a bound for the answer.
pub const MAX_VIOLATIONS: usize = 20;

/// One field that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// Path from the request, for example `purchase.lines[3].quantity`.
    pub field: String,
    /// Sentence for a person. It never repeats the value, which may be personal.
    pub description: String,
    /// Stable reason in UPPER_SNAKE form, for example `REQUIRED`.
    pub reason: &'static str,
}

/// A message whose fields have rules. Implemented by the build for every request and every message inside one.
pub trait Validate {
    /// Checks the message, which stands at `at`, and notes what is wrong.
    fn check(&self, at: &FieldPath<'_>, found: &mut Violations);

    /// Checks the message as a whole request.
    ///
    /// # Errors
    /// What is wrong, in the order of the fields, at most [`MAX_VIOLATIONS`].
    fn validate(&self) -> Result<(), Vec<FieldViolation>> {
        let mut found = Violations::default();
        self.check(&FieldPath::Root, &mut found);
        if found.list.is_empty() { Ok(()) } else { Err(found.list) }
    }
}

/// Where a value stands in its request. Nothing is written out until something is wrong.
#[derive(Debug, Clone, Copy)]
pub enum FieldPath<'a> {
    /// The request itself.
    Root,
    /// A field of a message.
    Field(&'a FieldPath<'a>, &'static str),
    /// An item of a repeated field, from 0.
    Item(&'a FieldPath<'a>, usize),
}

impl FieldPath<'_> {
    /// The field `name` of the message here.
    pub fn field<'a>(&'a self, name: &'static str) -> FieldPath<'a> {
        FieldPath::Field(self, name)
    }

    /// The item `index` of the list here.
    pub fn item(&self, index: usize) -> FieldPath<'_> {
        FieldPath::Item(self, index)
    }
}

impl std::fmt::Display for FieldPath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub struct Violations {
    list: Vec<FieldViolation>,
}

impl Violations {
    /// Notes that the value at `at` is wrong. `description` is a sentence that does not repeat the value.
    pub fn note(&mut self, at: &FieldPath<'_>, reason: &'static str, description: impl Into<String>) {
        if self.list.len() < MAX_VIOLATIONS {
            self.list.push(FieldViolation { field: at.to_string(), description: description.into(), reason });
        }
    }
}

/// Rule of a text.
#[derive(Debug)]
pub(crate) struct TextRule {
    pub(crate) required: bool,
    pub(crate) min_len: usize,
    pub(crate) max_len: usize,
    pub(crate) uuid: bool,
    pub(crate) pattern: i32,
}

/// Rule of a whole number.
#[derive(Debug)]
pub(crate) struct NumberRule {
    pub(crate) required: bool,
    pub(crate) min: i64,
    pub(crate) max: i64,
}

/// One function per kind of value. Only the generated code calls them.
pub(crate) mod check {
    use prost_types::{Duration, FieldMask, Timestamp};

    use super::{FieldPath, NumberRule, Pattern, TextRule, Violations, form};
    use crate::time::{ms_from_duration, us_from_timestamp};

    const REQUIRED: &str = "must be given";

    pub(crate) fn text(value: &str, rule: &TextRule, at: &FieldPath<'_>, found: &mut Violations) {
        if value.is_empty() {
            if rule.required {
                found.note(at, "REQUIRED", REQUIRED);
            }
            return;
        }
        if value.contains('\0') {
            found.note(at, "WRONG_FORM", "must not contain the NUL character");
        }
        // A text of n bytes has at most n characters, so most are not counted.
        if rule.max_len > 0 && value.len() > rule.max_len && value.chars().count() > rule.max_len {
            found.note(at, "TOO_LONG", format!("must have at most {} characters", rule.max_len));
        }
        if rule.min_len > 0 && value.chars().count() < rule.min_len {
            found.note(at, "TOO_SHORT", format!("must have at least {} characters", rule.min_len));
        }
        if rule.uuid && !form::is_uuid(value) {
            found.note(at, "NOT_A_UUID", "must be a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91");
        }
        let pattern = Pattern::try_from(rule.pattern).unwrap_or(Pattern::Unspecified);
        if !form::matches(pattern, value) {
            found.note(at, "WRONG_FORM", form::description(pattern));
        }
    }

    pub(crate) fn number(value: i64, rule: &NumberRule, at: &FieldPath<'_>, found: &mut Violations) {
        if rule.required && value == 0 {
            found.note(at, "REQUIRED", "must be given and not 0");
        } else if value < rule.min {
            found.note(at, "TOO_SMALL", format!("must be at least {}", rule.min));
        } else if value > rule.max {
            found.note(at, "TOO_GREAT", format!("must be at most {}", rule.max));
        }
    }

    pub(crate) fn enumeration(known: bool, value: i32, required: bool, at: &FieldPath<'_>, found: &mut Violations) {
        if !known {
            found.note(at, "UNKNOWN_VALUE", "must be one of the values of its enum");
        } else if required && value == 0 {
            found.note(at, "REQUIRED", REQUIRED);
        }
    }

    pub(crate) fn present(is_set: bool, at: &FieldPath<'_>, found: &mut Violations) {
        if !is_set {
            found.note(at, "REQUIRED", REQUIRED);
        }
    }

    pub(crate) fn items(count: usize, min: usize, max: usize, at: &FieldPath<'_>, found: &mut Violations) {
        if count == 0 && min == 1 {
            found.note(at, "REQUIRED", "must have at least one item");
        } else if count < min {
            found.note(at, "TOO_FEW", format!("must have at least {min} items"));
        } else if max > 0 && count > max {
            found.note(at, "TOO_MANY", format!("must have at most {max} items"));
        }
    }

    pub(crate) fn instant(value: &Timestamp, at: &FieldPath<'_>, found: &mut Violations) {
        if us_from_timestamp(value).is_err() {
            found.note(at, "INVALID_TIME", "must be an instant within the years 1 to 9999");
        }
    }

    pub(crate) fn duration(value: &Duration, min_s: i64, max_s: i64, at: &FieldPath<'_>, found: &mut Violations) {
        if ms_from_duration(value).is_err() {
            found.note(at, "INVALID_TIME", "must be a duration within 10000 years");
        } else if value.seconds < min_s || (value.seconds == min_s && value.nanos < 0) {
            found.note(at, "TOO_SMALL", format!("must be at least {min_s} seconds"));
        } else if value.seconds > max_s || (value.seconds == max_s && value.nanos > 0) {
            found.note(at, "TOO_GREAT", format!("must be at most {max_s} seconds"));
        }
    }

    pub(crate) fn mask(value: &FieldMask, fields: &[&str], at: &FieldPath<'_>, found: &mut Violations) {
        if value.paths.is_empty() {
            found.note(at, "REQUIRED", "must name at least one field");
        }
        if value.paths.iter().any(|path| path != "*" && !fields.contains(&path.as_str())) {
            found.note(at, "UNKNOWN_FIELD", format!("may name `*` or some of: {}", fields.join(", ")));
        }
    }
}

/// The named forms of a text.
mod form {
    use super::Pattern;

    const MAX_LOCALE_LEN: usize = 35;
    const MAX_TIME_ZONE_LEN: usize = 64;
    const MAX_EMAIL_LEN: usize = 254;
    const MAX_CODE_LEN: usize = 64;
    const MAX_ETAG_LEN: usize = 19;
    const MAX_REQUEST_ID_LEN: usize = 64;
    const MAX_EVENT_TYPE_LEN: usize = 128;
    const UUID_LEN: usize = 36;

    /// Whether `value` has the form. Any text has no form.
    pub(super) fn matches(pattern: Pattern, value: &str) -> bool {
        let bytes = value.as_bytes();
        match pattern {
            Pattern::Unspecified => true,
            Pattern::Currency => bytes.len() == 3 && bytes.iter().all(u8::is_ascii_uppercase),
            Pattern::Locale => is_locale(value),
            Pattern::TimeZone => is_time_zone(bytes),
            Pattern::Email => is_email(value),
            Pattern::Phone => is_phone(bytes),
            Pattern::Code => {
                bytes.len() <= MAX_CODE_LEN
                    && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
                    && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte))
            }
            Pattern::Etag => bytes.len() <= MAX_ETAG_LEN && bytes.iter().all(u8::is_ascii_digit),
            Pattern::RequestId => bytes.len() <= MAX_REQUEST_ID_LEN && bytes.iter().all(is_token_byte),
            Pattern::EventType => is_event_type(value),
            Pattern::Token => (16..=128).contains(&bytes.len()) && bytes.iter().all(is_token_byte),
        }
    }

    /// Sentence for a person about the form.
    pub(super) fn description(pattern: Pattern) -> &'static str {
        match pattern {
            Pattern::Unspecified => "must be a text",
            Pattern::Currency => "must be an ISO 4217 currency code such as RWF",
            Pattern::Locale => "must be a BCP 47 language tag such as rw or fr-RW",
            Pattern::TimeZone => "must be an IANA time zone such as Africa/Kigali",
            Pattern::Email => "must be an e-mail address",
            Pattern::Phone => "must be a phone number such as +250788123456",
            Pattern::Code => {
                "must be a code of at most 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"
            }
            Pattern::Etag => "must be the version of the resource as it was given",
            Pattern::RequestId => "must have at most 64 letters, digits, '_' or '-'",
            Pattern::EventType => {
                "must be an event type such as karibu.ticketing.complaint.opened.v1 or karibu.ticketing.*"
            }
            Pattern::Token => "must be the token of a link",
        }
    }

    /// Five groups of hexadecimal digits, 8-4-4-4-12.
    pub(super) fn is_uuid(value: &str) -> bool {
        value.len() == UUID_LEN
            && value.bytes().enumerate().all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
    }

    fn is_token_byte(byte: &u8) -> bool {
        byte.is_ascii_alphanumeric() || b"_-".contains(byte)
    }

    /// A language of two or three letters, then subtags of up to eight letters and digits.
    fn is_locale(value: &str) -> bool {
        let mut parts = value.split('-');
        let language = parts.next().unwrap_or_default();
        value.len() <= MAX_LOCALE_LEN
            && (2..=3).contains(&language.len())
            && language.bytes().all(|byte| byte.is_ascii_alphabetic())
            && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    }

    fn is_time_zone(bytes: &[u8]) -> bool {
        bytes.len() <= MAX_TIME_ZONE_LEN
            && bytes.first().is_some_and(u8::is_ascii_alphabetic)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(byte))
    }

    fn is_email(value: &str) -> bool {
        let Some((name, domain)) = value.split_once('@') else { return false };
        value.len() <= MAX_EMAIL_LEN
            && !name.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !value.chars().any(|letter| letter.is_whitespace() || letter.is_control())
    }

    fn is_phone(bytes: &[u8]) -> bool {
        bytes.first() == Some(&b'+')
            && (7..=15).contains(&(bytes.len() - 1))
            && bytes[1..].iter().all(u8::is_ascii_digit)
    }

    fn is_event_type(value: &str) -> bool {
        let stem = value.strip_suffix('*').unwrap_or(value);
        value.len() <= MAX_EVENT_TYPE_LEN
            && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte))
    }
}
