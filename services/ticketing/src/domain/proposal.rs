//! Proposals: solutions that are offered together, of which the customer chooses one.

use kernel::Money;
use serde::{Deserialize, Serialize};

use super::budget::Hold;
use super::code::codes;
use super::compensation::Terms;
use super::{ProposalId, ProposalSetId};

codes! {
    /// What kind of solution it is.
    pub enum ProposalKind {
        /// The right or a sound article.
        Replacement = "REPLACEMENT",
        /// Money back.
        Refund = "REFUND",
        /// Repair or doing the work again.
        Repair = "REPAIR",
        /// A voucher or a discount.
        Credit = "CREDIT",
        /// Loyalty points.
        Points = "POINTS",
        /// An explanation.
        Explanation = "EXPLANATION",
        /// An apology.
        Apology = "APOLOGY",
        /// A change in how we work.
        Improvement = "IMPROVEMENT",
        /// Something else.
        Other = "OTHER",
    }

    /// Who chose.
    pub enum ChoiceMaker {
        /// The customer, directly.
        Customer = "CUSTOMER",
        /// Someone on the customer's behalf.
        Representative = "REPRESENTATIVE",
        /// An agent recorded what the customer said.
        AgentWithConsent = "AGENT_WITH_CONSENT",
    }
}

/// A solution before it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Solution {
    /// What kind it is.
    pub kind: ProposalKind,
    /// What the customer gets, in words.
    pub description: String,
    /// What it costs the business, if known.
    pub cost: Option<Money>,
    /// What is given beside it.
    pub compensation: Option<Terms>,
    /// Until when it will be done, if that is promised.
    pub fulfil_by_us: Option<i64>,
}

/// A solution that was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// What kind it is.
    pub kind: ProposalKind,
    /// What the customer gets, in words.
    pub description: String,
    /// What it costs the business, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// What is given beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<Terms>,
    /// Until when it will be done, if that is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fulfil_by_us: Option<i64>,
}

/// How far a set is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SetState {
    /// The customer may choose.
    Offered,
    /// The customer chose.
    Chosen(Choice),
    /// Its time ran out, and another set took its place.
    Expired,
    /// Another set took its place.
    Withdrawn,
    /// Somebody with more authority must agree first.
    Pending {
        /// How many still must.
        missing: u8,
    },
    /// Somebody with more authority did not agree.
    Declined {
        /// Who.
        by: String,
    },
    /// The customer wants something else.
    Countered {
        /// What; empty if nothing was said.
        wish: String,
        /// When.
        at_us: i64,
    },
}

/// What the customer chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The proposal.
    pub proposal: ProposalId,
    /// Who chose.
    pub by: ChoiceMaker,
    /// How the customer agreed, if an agent records it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub consent_note: String,
    /// When.
    pub at_us: i64,
}

/// Solutions offered together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalSet {
    /// Its id.
    pub id: ProposalSetId,
    /// Number of the round, from 1.
    pub round: i32,
    /// How far it is.
    pub state: SetState,
    /// The solutions.
    pub proposals: Vec<Proposal>,
    /// When it was offered.
    pub offered_at_us: i64,
    /// From when on the customer may not choose any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_us: Option<i64>,
    /// Who offers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub offered_by: String,
    /// Who agreed to what the offering person may not promise alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_by: Vec<String>,
    /// What was given before counts together with it: it had been split.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub split: bool,
    /// What is reserved for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
}

impl ProposalSet {
    /// Whether its time has run out at `now_us`.
    pub fn is_expired(&self, now_us: i64) -> bool {
        self.expires_at_us.is_some_and(|end_us| end_us <= now_us)
    }

    /// Makes room for another set: a set that was not chosen is over. Hands back what was reserved for it.
    pub fn give_way(&mut self, now_us: i64) -> Vec<Hold> {
        match self.state {
            SetState::Offered if self.is_expired(now_us) => self.state = SetState::Expired,
            SetState::Offered | SetState::Pending { .. } => self.state = SetState::Withdrawn,
            _ => return Vec::new(),
        }
        std::mem::take(&mut self.holds)
    }
}
