//! A branch: a node in the tree of the business. Its code never changes, its place may.

use kernel::Currency;
use serde::{Deserialize, Serialize};

use super::{BranchId, Refusal};

/// Language of a branch that names none.
const DEFAULT_LOCALE: &str = "en";

/// Level in the tree, from the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BranchKind {
    /// The business as a whole: the root.
    Business,
    /// A region or a country.
    Region,
    /// A place where customers are served.
    Branch,
    /// A desk or department of a branch.
    Desk,
}

impl BranchKind {
    /// Every level, from the top.
    pub const ALL: [Self; 4] = [Self::Business, Self::Region, Self::Branch, Self::Desk];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Region => "region",
            Self::Branch => "branch",
            Self::Desk => "desk",
        }
    }

    /// Whether one of this level may lie below one of that level. Regions may hold regions: a country holds provinces.
    pub fn fits_below(self, above: Self) -> bool {
        self > above || (self == Self::Region && above == Self::Region)
    }

    /// The level with this stored word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its id.
    pub id: BranchId,
    /// Its version.
    pub version: i64,
    /// The branch above; `None` for the root.
    pub parent: Option<BranchId>,
    /// Code chosen by the business, unique.
    pub code: String,
    /// Level in the tree.
    pub kind: BranchKind,
    /// Name for people.
    pub display_name: String,
    /// IANA time zone, spelled as in the database.
    pub time_zone: String,
    /// Currency in which it sells.
    pub currency: Currency,
    /// Language that it speaks first, BCP 47.
    pub locale: String,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// When it was suspended, microseconds since the Unix epoch.
    pub suspended_at_us: Option<i64>,
    /// When it was closed, microseconds since the Unix epoch.
    pub closed_at_us: Option<i64>,
}

impl Branch {
    /// Whether it was not closed for good; it may be suspended.
    pub const fn is_open(&self) -> bool {
        self.closed_at_us.is_none()
    }

    /// Whether it works just now: neither closed nor suspended.
    pub const fn works(&self) -> bool {
        self.is_open() && self.suspended_at_us.is_none()
    }

    /// For tests: a working branch of that level, at version 3.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(crate) fn sample(id: BranchId, kind: BranchKind) -> Self {
        Self {
            id,
            version: 3,
            parent: None,
            code: "X".to_owned(),
            kind,
            display_name: "X".to_owned(),
            time_zone: "Africa/Kigali".to_owned(),
            currency: "RWF".parse().unwrap(),
            locale: "rw".to_owned(),
            created_at_us: 1,
            updated_at_us: 1,
            suspended_at_us: None,
            closed_at_us: None,
        }
    }
}

/// Which branches work below one. Apart from the branch, so that a new desk does not make the etag of its branch
/// stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Children {
    /// The upper branch.
    pub id: BranchId,
    /// Branches directly below it that work.
    pub ids: Vec<BranchId>,
    /// Version of this count; not stored, nobody outside sees it.
    pub version: i64,
}

/// The zone as the IANA database spells it.
pub(super) fn check_time_zone(name: &str) -> Result<String, Refusal> {
    let zone = jiff::tz::TimeZone::get(name).map_err(|_| Refusal::UnknownTimeZone)?;
    zone.iana_name().map(str::to_owned).ok_or(Refusal::UnknownTimeZone)
}

/// The currency with this code.
pub(super) fn check_currency(code: &str) -> Result<Currency, Refusal> {
    code.parse().map_err(|_| Refusal::UnknownCurrency)
}

/// The language, or the default for an empty text.
pub(super) fn locale_or_default(locale: &str) -> String {
    if locale.is_empty() { DEFAULT_LOCALE.to_owned() } else { locale.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_those_of_the_iana_database() {
        for name in ["Africa/Kigali", "Europe/London", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"] {
            assert_eq!(check_time_zone(name), Ok(name.to_owned()));
        }
        assert_eq!(check_time_zone("africa/kigali"), Ok("Africa/Kigali".to_owned()));
        for name in ["", "Kigali", "Africa/Atlantis", "+02:00", "../etc/passwd"] {
            assert_eq!(check_time_zone(name), Err(Refusal::UnknownTimeZone), "{name}");
        }
    }

    #[test]
    fn stored_words_lead_back_to_their_level() {
        for kind in BranchKind::ALL {
            assert_eq!(BranchKind::find(kind.as_str()), Some(kind));
        }
        assert_eq!(BranchKind::find("planet"), None);
        assert!(BranchKind::ALL.is_sorted());
    }
}
