//! Care: how a customer is heard. Questions and answers, empathy, apologies apart from liability, evidence by
//! reference, and what the matter means for the customer, which can only make it graver.

use commit::Log;
use kernel::Money;
use serde::{Deserialize, Serialize};

use super::code::{Channel, codes};
use super::complaint::{Complaint, Severity};
use super::history::HistoryEntry;
use super::{ClarificationId, ComplaintId, Cx, Event, EvidenceId};

codes! {
    /// What kind of evidence it is.
    pub enum EvidenceKind {
        /// An order or a receipt.
        Order = "ORDER",
        /// A document.
        Document = "DOCUMENT",
        /// What somebody stated.
        Statement = "STATEMENT",
        /// An image.
        Image = "IMAGE",
        /// A record of a machine.
        Log = "LOG",
    }
}

/// How a customer was heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Care {
    /// What we asked in order to understand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clarifications: Vec<Clarification>,
    /// When we said that we see how the customer feels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub empathies: Vec<Empathy>,
    /// When we said that we are sorry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apologies: Vec<Apology>,
    /// Why nobody apologized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unapologized_reason: Option<String>,
    /// The customer was asked, and wants nothing in particular.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_outcome_desired: bool,
    /// What shows what happened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<EvidenceItem>,
    /// What it means for the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Impact>,
}

impl Care {
    /// Whether nothing is on record.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clarification {
    /// Its id.
    pub id: ClarificationId,
    /// The question.
    pub question: String,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at_us: i64,
    /// What the customer answered, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<(String, i64)>,
}

/// We said that we see how the customer feels. It admits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empathy {
    /// What was said; empty if not written down.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub words: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at_us: i64,
}

/// We said that we are sorry. It stands apart from who is liable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apology {
    /// How it was said, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Code of the wording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wording: Option<String>,
    /// It admits that we are liable.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admits_liability: bool,
    /// Who said it.
    pub by: String,
    /// When.
    pub at_us: i64,
}

impl Apology {
    /// Puts it on record and tells of it.
    pub fn record(self, complaint: &mut Complaint, history: &mut Log<HistoryEntry>, cx: &mut Cx<'_>) {
        let Self { channel, admits_liability, .. } = self;
        complaint.story.care.apologies.push(self);
        complaint.tell(Event::Apologized { complaint: complaint.id, channel, admits_liability }, history, cx);
    }
}

/// Something that shows what happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceItem {
    /// Its id.
    pub id: EvidenceId,
    /// What it is.
    pub kind: EvidenceKind,
    /// Where it is kept, or its number there.
    pub reference: String,
    /// SHA-256 of its content in hexadecimal digits, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Who added it.
    pub by: String,
    /// When.
    pub at_us: i64,
}

/// What a matter means for the customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// Money lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// A special occasion was spoiled.
    #[serde(default)]
    pub occasion: bool,
    /// Somebody was or is in danger.
    #[serde(default)]
    pub safety: bool,
    /// A person who needs protection is concerned.
    #[serde(default)]
    pub vulnerable: bool,
    /// The case of which this is a repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<ComplaintId>,
}

impl Impact {
    /// How bad a matter of `stated` severity is with this impact: danger and vulnerable people make it
    /// critical, a spoiled occasion or a repeat at least high, lost money at least medium. It never falls.
    pub fn severity(&self, stated: Severity) -> Severity {
        let floor = match self {
            Self { safety: true, .. } | Self { vulnerable: true, .. } => Severity::Critical,
            Self { occasion: true, .. } | Self { repeat_of: Some(_), .. } => Severity::High,
            Self { money: Some(_), .. } => Severity::Medium,
            _ => Severity::Low,
        };
        stated.graver(floor)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn impact_makes_it_graver_and_never_lighter() {
        let money = Some(Money::new("RWF".parse().unwrap(), 5));
        let repeat_of = Some(ComplaintId(uuid::Uuid::from_u128(1)));
        for (impact, from_low, from_high) in [
            (Impact::default(), Severity::Low, Severity::High),
            (Impact { money, ..Impact::default() }, Severity::Medium, Severity::High),
            (Impact { occasion: true, ..Impact::default() }, Severity::High, Severity::High),
            (Impact { repeat_of, ..Impact::default() }, Severity::High, Severity::High),
            (Impact { safety: true, ..Impact::default() }, Severity::Critical, Severity::Critical),
            (Impact { vulnerable: true, money, ..Impact::default() }, Severity::Critical, Severity::Critical),
        ] {
            assert_eq!((impact.severity(Severity::Low), impact.severity(Severity::High)), (from_low, from_high));
            assert_eq!(impact.severity(Severity::Critical), Severity::Critical);
        }
    }
}
