//! Findings: what an investigation found out, how sure it is, and on what evidence.

use serde::{Deserialize, Serialize};

use super::FindingId;
use super::code::codes;

codes! {
    /// How sure a finding is.
    pub enum FactStatus {
        /// Proven.
        Established = "ESTABLISHED",
        /// Likely.
        Probable = "PROBABLE",
        /// It could not be found out.
        Undetermined = "UNDETERMINED",
    }
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id.
    pub id: FindingId,
    /// What was found, in words.
    pub summary: String,
    /// Code of the cause; `None` only if undetermined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// How sure it is.
    pub status: FactStatus,
    /// References to the evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Who recorded it.
    pub recorded_by: String,
    /// When.
    pub recorded_at_us: i64,
}
