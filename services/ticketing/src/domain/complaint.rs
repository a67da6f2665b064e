//! The complaint: what queries find it by, and its story, which is only ever read with it. How it moves
//! stands in `lifecycle`; here is what it holds and how a step is told.

use commit::{DomainEvent, Log};
use serde::{Deserialize, Serialize};

use super::care::Care;
use super::class::{Class, Link, Priority};
use super::code::{Channel, codes};
use super::compensation::{Compensation, CompensationState};
use super::ending::Ending;
use super::finding::Finding;
use super::historical::HistoricalCase;
use super::history::HistoryEntry;
use super::lifecycle::State;
use super::merge::Merge;
use super::promise::Promise;
use super::proposal::{ProposalKind, ProposalSet, SetState};
use super::routing::Routing;
use super::sla::{Watch, watch};
use super::{BranchId, ComplaintId, CustomerId, Cx, Event, FollowUpId, ProposalId, PurchaseId, StaffId};

codes! {
    /// For whom a complaint waits; apart from its state.
    pub enum WaitingOn {
        /// For nobody: it is our turn.
        Nobody = "NONE",
        /// For the customer.
        Customer = "CUSTOMER",
        /// For a third party.
        ThirdParty = "THIRD_PARTY",
        /// For an approval.
        Approval = "APPROVAL",
    }

    /// How bad it is for the customer.
    pub enum Severity {
        /// Danger, grave loss, or a vulnerable person.
        Critical = "CRITICAL",
        /// Much harm or a spoiled occasion.
        High = "HIGH",
        /// Some harm.
        Medium = "MEDIUM",
        /// A nuisance.
        Low = "LOW",
    }

    /// What we decided.
    pub enum Decision {
        /// The customer is right.
        Upheld = "UPHELD",
        /// The customer is right in part.
        PartlyUpheld = "PARTLY_UPHELD",
        /// We see it differently, and say why.
        NotUpheld = "NOT_UPHELD",
        /// We make it good without deciding who is right.
        Goodwill = "GOODWILL",
    }
}

impl Severity {
    /// Graver by a step.
    pub const fn raised(self) -> Self {
        match self {
            Self::Critical | Self::High => Self::Critical,
            Self::Medium => Self::High,
            Self::Low => Self::Medium,
        }
    }

    /// The graver of the two.
    pub const fn graver(self, other: Self) -> Self {
        // In the order of the contract the gravest comes first.
        if (self as u8) <= (other as u8) { self } else { other }
    }
}

/// A complaint.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// Its id.
    pub id: ComplaintId,
    /// One up with every event about it: the etag.
    pub version: i64,
    /// Its number for people.
    pub number: String,
    /// Where it stands.
    pub state: State,
    /// Where it happened.
    pub branch: BranchId,
    /// Whose it is; nobody known if it came in without a name.
    pub customer: Option<CustomerId>,
    /// Who takes care of it.
    pub owner: Option<StaffId>,
    /// How it came in; not always known of imported ones.
    pub channel: Option<Channel>,
    /// When it came in.
    pub opened_at_us: i64,
    /// When we first had it on record; later than `opened_at_us` for imported ones.
    pub created_at_us: i64,
    /// When it last changed.
    pub updated_at_us: i64,
    /// Everything said and done about it.
    pub story: Story,
}

/// Everything said and done about a complaint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// For whom it waits.
    pub waiting_on: WaitingOn,
    /// How bad it is.
    pub severity: Severity,
    /// A line about it.
    pub subject: String,
    /// What the customer said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub narrative: String,
    /// What the customer wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired_outcome: Option<String>,
    /// Code of what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Code of the place in the customer's journey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touchpoint: Option<String>,
    /// Purchases that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purchases: Vec<PurchaseId>,
    /// When the customer was told that we have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at_us: Option<i64>,
    /// Our words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub understanding: Option<Understanding>,
    /// What kind of case it is, and who may work on it.
    #[serde(default, skip_serializing_if = "Class::is_usual")]
    pub class: Class,
    /// How the customer was heard.
    #[serde(default, skip_serializing_if = "Care::is_empty")]
    pub care: Care,
    /// How it came to whoever has it.
    #[serde(default, skip_serializing_if = "Routing::is_empty")]
    pub routing: Routing,
    /// How it was merged into another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Merge>,
    /// Cases that were merged into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<ComplaintId>,
    /// When the first of the cases that go on in it came in, if it was not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at_us: Option<i64>,
    /// Who must not work on it: the people whom it is about, and those who stepped back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recused: Vec<StaffId>,
    /// Cases that it belongs to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What was found out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What was offered, by round.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposal_sets: Vec<ProposalSet>,
    /// What was promised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promises: Vec<Promise>,
    /// What is given to make good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compensations: Vec<Compensation>,
    /// When we ask again; the follow-ups themselves stand apart, since they are found by their due time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follow_ups: Vec<FollowUpId>,
    /// How it was last resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Resolution>,
    /// How often it was resolved.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resolution_count: i32,
    /// Why it was taken up again, each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reopenings: Vec<Reopening>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at_us: Option<i64>,
    /// How many interactions are on record: the number of the last one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interaction_count: i64,
    /// How soon we said we would do what, and how far that is.
    #[serde(default, skip_serializing_if = "Watch::is_empty")]
    pub sla: Watch,
    /// Where it comes from, if it was handled elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<HistoricalCase>,
    /// When its words were erased with its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at_us: Option<i64>,
}

// By reference, as serde asks.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

/// Our words for a complaint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Understanding {
    /// The words.
    pub paraphrase: String,
    /// Why the customer did not confirm them; `None` = they were confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_reason: Option<String>,
}

/// How a complaint was resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What was decided.
    pub decision: Decision,
    /// Why, in words for the customer.
    pub reason: String,
    /// Code of the root cause; `None` = undetermined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// What came of it for the customer.
    pub ending: Ending,
    /// What else the customer had on their mind; empty if nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub anything_else: String,
    /// When.
    pub at_us: i64,
}

/// Why a complaint was taken up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Code of the reason.
    pub reason_code: String,
    /// The reason in words, if any were said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When.
    pub at_us: i64,
}

impl Story {
    /// A story that has only begun.
    pub fn new(subject: String, severity: Severity) -> Self {
        Self {
            waiting_on: WaitingOn::Nobody,
            severity,
            subject,
            narrative: String::new(),
            desired_outcome: None,
            category: None,
            touchpoint: None,
            purchases: Vec::new(),
            acknowledged_at_us: None,
            understanding: None,
            class: Class::default(),
            care: Care::default(),
            routing: Routing::default(),
            merge: None,
            absorbed: Vec::new(),
            received_at_us: None,
            recused: Vec::new(),
            links: Vec::new(),
            findings: Vec::new(),
            proposal_sets: Vec::new(),
            promises: Vec::new(),
            compensations: Vec::new(),
            follow_ups: Vec::new(),
            resolution: None,
            resolution_count: 0,
            reopenings: Vec::new(),
            closed_at_us: None,
            interaction_count: 0,
            sla: Watch::default(),
            origin: None,
            erased_at_us: None,
        }
    }

    /// How soon it is taken up.
    pub fn priority(&self) -> Priority {
        self.class.priority.unwrap_or_else(|| Priority::of(self.severity))
    }

    /// Code of its cause: the one it was resolved with, else the last that was found.
    pub fn cause(&self) -> Option<&str> {
        let resolved = self.resolution.as_ref().and_then(|resolution| resolution.root_cause.as_deref());
        resolved.or_else(|| self.findings.iter().rev().find_map(|finding| finding.cause.as_deref()))
    }

    /// When it was last resolved.
    pub fn resolved_at_us(&self) -> Option<i64> {
        self.resolution.as_ref().map(|resolution| resolution.at_us)
    }

    /// How often it was reopened.
    pub fn reopen_count(&self) -> i32 {
        i32::try_from(self.reopenings.len()).unwrap_or(i32::MAX)
    }

    /// The proposal that the customer chose last.
    pub fn chosen_proposal(&self) -> Option<ProposalId> {
        self.proposal_sets.iter().rev().find_map(|set| match &set.state {
            SetState::Chosen(choice) => Some(choice.proposal),
            _ => None,
        })
    }

    /// Its kind.
    pub fn chosen_kind(&self) -> Option<ProposalKind> {
        let chosen = self.chosen_proposal()?;
        let proposals = self.proposal_sets.iter().flat_map(|set| &set.proposals);
        proposals.into_iter().find(|proposal| proposal.id == chosen).map(|proposal| proposal.kind)
    }

    /// Whether something that we said we would do is not done.
    pub fn has_open_promise(&self) -> bool {
        self.promises.iter().any(|promise| promise.state.is_owed())
    }

    /// Whether something that was agreed has not reached the customer.
    pub fn has_pending_compensation(&self) -> bool {
        self.compensations.iter().any(|compensation| compensation.state == CompensationState::Approved)
    }
}

impl Complaint {
    /// Tells `event` about the complaint, which moves to `to`, and writes the step down. The only way in
    /// which a complaint changes its state.
    pub fn step(&mut self, to: State, event: Event, history: &mut Log<HistoryEntry>, cx: &mut Cx<'_>) {
        let now_us = cx.now_us;
        self.step_at(to, event, now_us, history, cx);
    }

    /// Tells `event` about the complaint, whose state stays.
    pub fn tell(&mut self, event: Event, history: &mut Log<HistoryEntry>, cx: &mut Cx<'_>) {
        self.step(self.state, event, history, cx);
    }

    /// Takes the complaint up again, at the wish of somebody or because the customer is not satisfied.
    pub fn take_up_again(&mut self, why: Reopening, history: &mut Log<HistoryEntry>, cx: &mut Cx<'_>) {
        let reason_code = why.reason_code.clone();
        self.story.reopenings.push(why);
        let event = Event::Reopened {
            complaint: self.id,
            reopen_count: self.story.reopen_count(),
            resolution_count: self.story.resolution_count,
            reason_code,
        };
        self.step(State::Investigating, event, history, cx);
    }

    /// Like [`Self::step`], for what happened at another time than it is put on record.
    pub fn step_at(
        &mut self,
        to: State,
        event: Event,
        occurred_at_us: i64,
        history: &mut Log<HistoryEntry>,
        cx: &mut Cx<'_>,
    ) {
        let from = (self.version > 0).then_some(self.state);
        let (kind, code) = (event.kind(), event.code().map(str::to_owned));
        self.state = to;
        self.updated_at_us = cx.now_us;
        watch::follow(self, &event, occurred_at_us, cx);
        cx.emit_at(self, event, occurred_at_us);
        history.push(HistoryEntry {
            complaint: self.id,
            version: self.version,
            kind: kind.to_owned(),
            actor: cx.by.to_owned(),
            from,
            to,
            code,
            occurred_at_us,
        });
    }
}
