//! A customer: a person, an organization, or a visitor of whom nothing is known yet.

use serde::{Deserialize, Serialize};

use super::{BranchId, CustomerId, Identifier, MAX_IDENTIFIERS, Refusal};

/// What a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerKind {
    /// A person.
    Person,
    /// A company or another organization.
    Organization,
    /// A visitor of whom nothing is known yet.
    Anonymous,
}

impl CustomerKind {
    /// The code in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Organization => "organization",
            Self::Anonymous => "anonymous",
        }
    }

    /// The kind with this code.
    pub fn find(code: &str) -> Option<Self> {
        [Self::Person, Self::Organization, Self::Anonymous].into_iter().find(|kind| kind.code() == code)
    }
}

/// What may be done with a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerState {
    /// Everything.
    Active,
    /// Only what the law or an open case needs.
    Restricted,
    /// It was merged into another customer.
    Merged,
    /// Its personal data is erased.
    Erased,
}

impl CustomerState {
    /// The code in the table.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Restricted => "restricted",
            Self::Merged => "merged",
            Self::Erased => "erased",
        }
    }

    /// The state with this code.
    pub fn find(code: &str) -> Option<Self> {
        [Self::Active, Self::Restricted, Self::Merged, Self::Erased].into_iter().find(|state| state.code() == code)
    }
}

/// A birthday without its year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BirthDay {
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

impl BirthDay {
    /// The day, if it occurs in any year: 29 February does, 30 February does not.
    pub fn new(month: u8, day: u8) -> Result<Self, Refusal> {
        let last = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            _ => return Err(Refusal::BirthdayInvalid),
        };
        if (1..=last).contains(&day) { Ok(Self { month, day }) } else { Err(Refusal::BirthdayInvalid) }
    }
}

/// What is known of a customer beside its place in the business. Personal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// How the customer wants to be called; empty if unknown.
    pub preferred_name: String,
    /// Handles by which it is found, in the order they came.
    pub identifiers: Vec<Identifier>,
    /// BCP 47 tag of its language; empty if unknown.
    pub locale: String,
    /// Birthday, if known.
    pub birthday: Option<BirthDay>,
    /// Codes that the business put on it, sorted, without repeats.
    pub tags: Vec<String>,
}

/// A customer of the business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Its id.
    pub id: CustomerId,
    /// Counts up with every change of the customer itself; visits and purchases do not change it.
    pub version: i64,
    /// What it is.
    pub kind: CustomerKind,
    /// What may be done with it.
    pub state: CustomerState,
    /// The branch that it belongs to.
    pub home_branch: BranchId,
    /// When it was created, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
    /// What is known of it.
    pub details: Details,
}

impl Customer {
    /// A customer whose data may still be used and added to.
    pub fn ensure_open(&self) -> Result<(), Refusal> {
        match self.state {
            CustomerState::Active | CustomerState::Restricted => Ok(()),
            CustomerState::Merged | CustomerState::Erased => Err(Refusal::CustomerErased),
        }
    }

    /// Checks the version that the caller knows; none does not check.
    pub const fn ensure_version(&self, expected: Option<i64>) -> Result<(), Refusal> {
        match expected {
            Some(expected) if expected != self.version => Err(Refusal::VersionMismatch { current: self.version }),
            _ => Ok(()),
        }
    }

    /// Adds a handle that it has claimed; one that it has already changes nothing.
    pub fn add_identifier(&mut self, identifier: Identifier) -> Result<(), Refusal> {
        if self.details.identifiers.iter().any(|known| known.lookup == identifier.lookup) {
            return Ok(());
        }
        if self.details.identifiers.len() >= MAX_IDENTIFIERS {
            return Err(Refusal::TooManyIdentifiers);
        }
        self.details.identifiers.push(identifier);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn birthdays_exist_in_some_year() {
        for (month, day) in [(2, 29), (12, 31), (4, 30)] {
            assert!(BirthDay::new(month, day).is_ok(), "{month}-{day}");
        }
        for (month, day) in [(2, 30), (4, 31), (0, 1), (13, 1), (1, 0), (1, 32)] {
            assert_eq!(BirthDay::new(month, day), Err(Refusal::BirthdayInvalid), "{month}-{day}");
        }
    }

    #[test]
    fn codes_lead_back_to_their_values() {
        for kind in [CustomerKind::Person, CustomerKind::Organization, CustomerKind::Anonymous] {
            assert_eq!(CustomerKind::find(kind.code()), Some(kind));
        }
        assert_eq!(CustomerState::find("gone"), None);
    }
}
