//! Class: what kind of case it is, how soon it is taken up, who may work on it, under which regulation it
//! falls, and to which other cases it belongs. All of it stands apart from the state.

use serde::{Deserialize, Serialize};

use super::ComplaintId;
use super::code::codes;
use super::complaint::Severity;

codes! {
    /// What kind of case it is.
    #[derive(Default)]
    pub enum CaseKind {
        /// Somebody is not satisfied.
        #[default]
        Complaint = "COMPLAINT",
        /// A question.
        Query = "QUERY",
        /// A wish.
        Request = "REQUEST",
        /// We found it before the customer did.
        Proactive = "PROACTIVE",
        /// Somebody is pleased.
        Praise = "PRAISE",
    }

    /// How soon it is taken up.
    pub enum Priority {
        /// When there is time.
        Low = "LOW",
        /// In its turn.
        Normal = "NORMAL",
        /// Before others.
        High = "HIGH",
        /// At once.
        Urgent = "URGENT",
    }

    /// Who may work on it.
    #[derive(Default)]
    pub enum Confidentiality {
        /// Whoever reaches the branch.
        #[default]
        Nothing = "NONE",
        /// Few people, over private channels.
        Discreet = "DISCREET",
        /// It is about the conduct of staff: nobody whom it is about, and none of their reports.
        Hr = "HR",
    }

    /// How one case belongs to another.
    pub enum LinkKind {
        /// It is the same matter.
        Duplicate = "DUPLICATE",
        /// It came up with it.
        Related = "RELATED",
        /// It came out of it.
        CausedBy = "CAUSED_BY",
        /// It is a part of it.
        Parent = "PARENT",
    }
}

impl Priority {
    /// The priority of a matter that nobody has set one for: severity comes first.
    pub const fn of(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::Urgent,
            Severity::High => Self::High,
            Severity::Medium => Self::Normal,
            Severity::Low => Self::Low,
        }
    }
}

/// That a case belongs to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The other one.
    pub other: ComplaintId,
    /// How.
    pub kind: LinkKind,
}

/// What kind of case it is, and who may work on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// What kind of case it is.
    #[serde(default)]
    pub kind: CaseKind,
    /// How soon it is taken up, if somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Who may work on it.
    #[serde(default)]
    pub confidentiality: Confidentiality,
    /// Code of the regulation that it falls under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<String>,
    /// Another kind that somebody asked for and a second person has not agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_for: Option<(CaseKind, String)>,
}

impl Class {
    /// Whether nothing was said that is not usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
