//! Historical cases: complaints that were handled elsewhere and are brought in, with how they were answered.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::code::codes;
use super::lifecycle::State;

codes! {
    /// How another office answered.
    pub enum CompanyResponse {
        /// Closed, with an explanation.
        ClosedWithExplanation = "CLOSED_WITH_EXPLANATION",
        /// Closed, with money.
        ClosedWithMonetaryRelief = "CLOSED_WITH_MONETARY_RELIEF",
        /// Closed, with something other than money.
        ClosedWithNonMonetaryRelief = "CLOSED_WITH_NON_MONETARY_RELIEF",
        /// Closed, with nothing said.
        Closed = "CLOSED",
        /// The answer came too late.
        Untimely = "UNTIMELY",
        /// Not answered yet.
        InProgress = "IN_PROGRESS",
    }
}

impl CompanyResponse {
    /// Where a complaint that was answered so stands: what is in progress goes on here.
    pub const fn state(self) -> State {
        match self {
            Self::InProgress => State::Investigating,
            _ => State::Closed,
        }
    }
}

/// What is known of a case that was handled elsewhere. The source and its reference name it for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoricalCase {
    /// Name of the system that it comes from.
    pub source_system: String,
    /// Number of the case in that system.
    pub source_ref: String,
    /// Product or service that it is about.
    pub product: String,
    /// Product, more precisely.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_product: String,
    /// What went wrong.
    pub issue: String,
    /// What went wrong, more precisely.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_issue: String,
    /// Organization that the complaint is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub organization: String,
    /// Region of the customer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// How it was answered.
    pub response: CompanyResponse,
    /// Whether the answer came in time, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timely: Option<bool>,
    /// Whether the customer disputed the answer, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed: Option<bool>,
    /// Day on which it came in, at the branch.
    pub received_on: Date,
    /// Day on which it was passed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_on: Option<Date>,
}

impl HistoricalCase {
    /// The natural key: the source and its reference, kept apart by a byte that neither holds.
    pub fn natural_key(&self) -> Vec<u8> {
        [self.source_system.as_bytes(), self.source_ref.as_bytes()].join(&0)
    }
}
