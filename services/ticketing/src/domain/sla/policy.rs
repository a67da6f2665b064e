//! Policies: which targets hold for which cases. The first that fits counts, by position.

use serde::{Deserialize, Serialize};

use super::Metric;
use crate::domain::class::{CaseKind, Priority};
use crate::domain::complaint::{Severity, WaitingOn};
use crate::domain::{BranchId, SlaPolicyId};

/// Share of a target, in percent, after which a warning is told if a policy says nothing else.
pub const DEFAULT_WARN_PERCENT: i64 = 75;

/// How much time there is for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What is measured.
    pub metric: Metric,
    /// Milliseconds of time that counts.
    pub target_ms: i64,
    /// Day and night count, not only open hours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub around_the_clock: bool,
}

/// What holds for a case: a copy of what its policy said, so that a clock can be explained when the policy has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The policy and its version; `None` when none fits and nothing is owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<(SlaPolicyId, i64)>,
    /// Its code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// How much time there is for what; each metric at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// Waiting for these stops the clocks that are not regulatory.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pause_on: Vec<WaitingOn>,
    /// Share of a target after which a warning is told, in percent; 0 tells none.
    #[serde(default)]
    pub warn_percent: i64,
    /// A case that is taken up again begins its time of resolution anew instead of going on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restart_on_reopen: bool,
}

impl Terms {
    /// The target of `metric`.
    pub fn find(&self, metric: Metric) -> Option<&Target> {
        self.targets.iter().find(|target| target.metric == metric)
    }
}

/// For which cases a policy holds; what is empty holds for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// At these branches and below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<BranchId>,
    /// Of these kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<CaseKind>,
    /// Of these severities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<Severity>,
    /// Of these priorities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<Priority>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlaPolicy {
    /// Its id.
    pub id: SlaPolicyId,
    /// One up with every change: the etag.
    pub version: i64,
    /// Code chosen by the business, unique.
    pub code: String,
    /// Those with a lower position are tried first; of equal ones the code decides.
    pub position: i64,
    /// For which cases it holds.
    pub scope: Scope,
    /// What holds for them; its own id, version and code are filled in when it is applied.
    pub terms: Terms,
    /// It no longer holds for anything.
    pub retired: bool,
    /// When it was made, microseconds since the Unix epoch.
    pub created_at_us: i64,
    /// When it was last changed, microseconds since the Unix epoch.
    pub updated_at_us: i64,
}

/// What a policy asks about a case.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The branch that handles it, then those above it.
    pub branches: &'a [BranchId],
    /// What kind of case it is.
    pub kind: CaseKind,
    /// How bad it is.
    pub severity: Severity,
    /// How soon it is taken up.
    pub priority: Priority,
}

impl SlaPolicy {
    /// Whether it holds for such a case.
    pub fn fits(&self, subject: Subject<'_>) -> bool {
        fn any<T: PartialEq>(wanted: &[T], given: &[T]) -> bool {
            wanted.is_empty() || given.iter().any(|given| wanted.contains(given))
        }
        let Scope { branches, kinds, severities, priorities } = &self.scope;
        !self.retired
            && any(branches, subject.branches)
            && any(kinds, &[subject.kind])
            && any(severities, &[subject.severity])
            && any(priorities, &[subject.priority])
    }

    /// What holds for a case from now on.
    pub fn terms(&self) -> Terms {
        Terms { policy: Some((self.id, self.version)), code: self.code.clone(), ..self.terms.clone() }
    }
}
