//! Out: what this service tells, as types and payloads of the contract. In: what it makes of the events of others, by
//! their type.

use std::collections::BTreeMap;

use ::events::Poison;
use commit::{DomainEvent, Effect, LogEvent};
use prost::Message;
use proto::karibu::profile::v1 as wire;
use proto::karibu::{feedback::v1 as feedback, loyalty::v1 as loyalty};
use proto::karibu::{organization::v1 as organization, ticketing::v1 as ticketing};
use proto::timestamp_from_us;
use uuid::Uuid;

use crate::Profile;
use crate::domain::{BranchId, Change, CustomerId, Event, KeepBranch, NoteFact, Points, PurchaseFacts, TimelineEntry};
use crate::grpc::wire::{channel, customer_kind, identifier_type, money};

impl DomainEvent for Event {
    fn kind(&self) -> &'static str {
        match self {
            Self::CustomerCreated { .. } => "customer.created",
            Self::CustomerIdentified { .. } => "customer.identified",
            Self::CustomerUpdated { .. } => "customer.updated",
            Self::IdentifierAdded { .. } => "customer.identifier_added",
            Self::CustomerRestricted { .. } => "customer.restricted",
            Self::CustomerErased { .. } => "customer.erased",
            Self::VisitRecorded { .. } => "visit.recorded",
            Self::PurchaseRecorded(_) => "purchase.recorded",
            Self::PurchaseReturned(_) => "purchase.returned",
        }
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::CustomerCreated { customer, kind, home_branch, locale } => wire::CustomerCreated {
                customer_id: customer.to_string(),
                kind: customer_kind(*kind).into(),
                home_branch_id: home_branch.to_string(),
                locale: locale.clone(),
            }
            .encode_to_vec(),
            Self::CustomerIdentified { customer, kind, home_branch, locale, identifier_types } => {
                wire::CustomerIdentified {
                    customer_id: customer.to_string(),
                    kind: customer_kind(*kind).into(),
                    home_branch_id: home_branch.to_string(),
                    locale: locale.clone(),
                    identifier_types: identifier_types.iter().map(|kind| identifier_type(*kind).into()).collect(),
                }
                .encode_to_vec()
            }
            Self::CustomerUpdated { customer, changed, home_branch, locale } => wire::CustomerUpdated {
                customer_id: customer.to_string(),
                changed_fields: changed.iter().map(|&field| field.to_owned()).collect(),
                home_branch_id: home_branch.to_string(),
                locale: locale.clone(),
            }
            .encode_to_vec(),
            Self::IdentifierAdded { customer, identifier_type: kind } => wire::CustomerIdentifierAdded {
                customer_id: customer.to_string(),
                identifier_type: identifier_type(*kind).into(),
            }
            .encode_to_vec(),
            Self::CustomerRestricted { customer, erasure, reason_code } => wire::CustomerRestricted {
                customer_id: customer.to_string(),
                erasure_id: erasure.to_string(),
                reason_code: reason_code.clone(),
            }
            .encode_to_vec(),
            Self::CustomerErased { customer, erasure, reason_code } => wire::CustomerErased {
                customer_id: customer.to_string(),
                erasure_id: erasure.to_string(),
                reason_code: reason_code.clone(),
            }
            .encode_to_vec(),
            Self::VisitRecorded { visit, customer, branch, channel: code, touchpoint_code, occurred_at_us } => {
                wire::VisitRecorded {
                    visit_id: visit.to_string(),
                    customer_id: customer.to_string(),
                    branch_id: branch.to_string(),
                    channel: channel(code).into(),
                    touchpoint_code: touchpoint_code.clone(),
                    occur_time: Some(timestamp_from_us(*occurred_at_us)),
                }
                .encode_to_vec()
            }
            Self::PurchaseRecorded(facts) => recorded(facts).encode_to_vec(),
            Self::PurchaseReturned(facts) => returned(facts).encode_to_vec(),
        }
    }
}

fn recorded(facts: &PurchaseFacts) -> wire::PurchaseRecorded {
    wire::PurchaseRecorded {
        purchase_id: facts.purchase.to_string(),
        source_system: facts.source_system.clone(),
        source_ref: facts.source_ref.clone(),
        customer_id: facts.customer.map(|id| id.to_string()).unwrap_or_default(),
        branch_id: facts.branch.to_string(),
        total: Some(money(facts.total)),
        earning_total: Some(money(facts.earning_total)),
        line_count: i32::try_from(facts.line_count).unwrap_or(i32::MAX),
        occur_time: Some(timestamp_from_us(facts.occurred_at_us)),
    }
}

fn returned(facts: &PurchaseFacts) -> wire::PurchaseReturned {
    wire::PurchaseReturned {
        purchase_id: facts.purchase.to_string(),
        source_system: facts.source_system.clone(),
        source_ref: facts.source_ref.clone(),
        original_source_ref: facts.original_source_ref.clone(),
        customer_id: facts.customer.map(|id| id.to_string()).unwrap_or_default(),
        branch_id: facts.branch.to_string(),
        total: Some(money(facts.total)),
        earning_total: Some(money(facts.earning_total)),
        line_count: i32::try_from(facts.line_count).unwrap_or(i32::MAX),
        occur_time: Some(timestamp_from_us(facts.occurred_at_us)),
    }
}

/// The full type of an event of a service, such as `complaint.opened` of `ticketing`.
pub(crate) fn full_type(service: &str, kind: &str) -> String {
    format!("karibu.{service}.{kind}.v1")
}

type Reaction = Result<Option<Effect<Profile>>, Poison>;

/// What this service makes of an event; `None` when it means nothing here.
pub(crate) fn react(event: &LogEvent) -> Reaction {
    match event.kind.as_str() {
        kind if kind.starts_with("karibu.organization.") => of_organization(kind, event),
        kind if kind.starts_with("karibu.ticketing.") => of_ticketing(kind, event),
        kind if kind.starts_with("karibu.loyalty.") => of_loyalty(kind, event),
        kind if kind.starts_with("karibu.feedback.") => of_feedback(kind, event),
        _ => Ok(None),
    }
}

/// Where the business is.
fn of_organization(kind: &str, event: &LogEvent) -> Reaction {
    match kind {
        "karibu.organization.branch.created.v1" => {
            let told: organization::BranchCreated = decode(event)?;
            keep_branch(&told.branch_id, told.locale)
        }
        "karibu.organization.branch.updated.v1" => {
            let told: organization::BranchUpdated = decode(event)?;
            keep_branch(&told.branch_id, told.locale)
        }
        "karibu.organization.branch.closed.v1" => {
            let told: organization::BranchClosed = decode(event)?;
            Ok(Some(Effect::of(KeepBranch::Closed { branch: BranchId(id(&told.branch_id)?) })))
        }
        _ => Ok(None),
    }
}

/// What is wrong, and what is done about it.
fn of_ticketing(kind: &str, event: &LogEvent) -> Reaction {
    match kind {
        "karibu.ticketing.complaint.opened.v1" => {
            let told: ticketing::ComplaintOpened = decode(event)?;
            let severity = told.severity().as_str_name();
            let facts = [("number", told.number), ("severity", severity.into()), ("category_code", told.category_code)];
            note(event, facts, Change::ComplaintOpened(id(&told.complaint_id)?))
        }
        "karibu.ticketing.complaint.reopened.v1" => {
            let told: ticketing::ComplaintReopened = decode(event)?;
            let facts = [("reason_code", told.reason_code)];
            note(event, facts, Change::ComplaintReopened(id(&told.complaint_id)?))
        }
        "karibu.ticketing.complaint.resolved.v1" => {
            let told: ticketing::ComplaintResolved = decode(event)?;
            let decision = told.decision().as_str_name();
            let facts = [("decision", decision.into()), ("root_cause_code", told.root_cause_code)];
            note(event, facts, Change::ComplaintEnded(id(&told.complaint_id)?))
        }
        "karibu.ticketing.complaint.closed.v1" => {
            let told: ticketing::ComplaintClosed = decode(event)?;
            note(event, [], Change::ComplaintClosed(id(&told.complaint_id)?))
        }
        "karibu.ticketing.complaint.withdrawn.v1" => {
            let told: ticketing::ComplaintWithdrawn = decode(event)?;
            note(event, [], Change::ComplaintClosed(id(&told.complaint_id)?))
        }
        // It goes on in another complaint, which is counted by itself.
        "karibu.ticketing.complaint.merged.v1" => {
            let told: ticketing::ComplaintMerged = decode(event)?;
            note(
                event,
                [("into_complaint_id", told.into_complaint_id)],
                Change::ComplaintClosed(id(&told.complaint_id)?),
            )
        }
        "karibu.ticketing.complaint.merge_undone.v1" => {
            let told: ticketing::ComplaintMergeUndone = decode(event)?;
            note(event, [], Change::ComplaintReopened(id(&told.complaint_id)?))
        }
        "karibu.ticketing.proposal.chosen.v1" => {
            let told: ticketing::ProposalChosen = decode(event)?;
            note(event, [("kind", told.kind().as_str_name().into())], Change::Nothing)
        }
        "karibu.ticketing.compensation.approved.v1" => {
            let told: ticketing::CompensationApproved = decode(event)?;
            let worth = match &told.value {
                Some(ticketing::compensation_approved::Value::Points(points)) => points.to_string(),
                Some(ticketing::compensation_approved::Value::Amount(amount)) => amount.minor_units.to_string(),
                None => String::new(),
            };
            note(event, [("kind", told.kind().as_str_name().into()), ("worth", worth)], Change::Nothing)
        }
        "karibu.ticketing.complaint.acknowledged.v1"
        | "karibu.ticketing.complaint.understood.v1"
        | "karibu.ticketing.complaint.assigned.v1"
        | "karibu.ticketing.complaint.investigation_started.v1"
        | "karibu.ticketing.complaint.finding_recorded.v1"
        | "karibu.ticketing.complaint.follow_up_due.v1"
        | "karibu.ticketing.complaint.follow_up_completed.v1"
        | "karibu.ticketing.complaint.imported.v1"
        | "karibu.ticketing.proposal.offered.v1"
        | "karibu.ticketing.promise.made.v1"
        | "karibu.ticketing.promise.kept.v1"
        | "karibu.ticketing.promise.broken.v1"
        | "karibu.ticketing.promise.waived.v1"
        | "karibu.ticketing.complaint.apologized.v1"
        | "karibu.ticketing.complaint.escalated.v1"
        | "karibu.ticketing.complaint.transferred.v1"
        | "karibu.ticketing.compensation.reversed.v1"
        | "karibu.ticketing.compensation.issued.v1"
        | "karibu.ticketing.compensation.failed.v1" => note(event, [], Change::Nothing),
        _ => Ok(None),
    }
}

/// What the customer earned.
fn of_loyalty(kind: &str, event: &LogEvent) -> Reaction {
    match kind {
        "karibu.loyalty.account.enrolled.v1" => note(event, [], Change::Nothing),
        "karibu.loyalty.points.accrued.v1" => {
            let told: loyalty::PointsAccrued = decode(event)?;
            let held = held(&told.account_id, told.seq, told.balances)?;
            note(event, [("points", told.points.to_string())], held)
        }
        "karibu.loyalty.points.activated.v1" => {
            let told: loyalty::PointsActivated = decode(event)?;
            let held = held(&told.account_id, told.seq, told.balances)?;
            count(event, held)
        }
        "karibu.loyalty.points.clawed_back.v1" => {
            let told: loyalty::PointsClawedBack = decode(event)?;
            let held = held(&told.account_id, told.seq, told.balances)?;
            note(event, [("points", told.points.to_string())], held)
        }
        "karibu.loyalty.points.adjusted.v1" => {
            let told: loyalty::PointsAdjusted = decode(event)?;
            let held = held(&told.account_id, told.seq, told.balances)?;
            note(event, [("points", told.points.to_string()), ("reason_code", told.reason_code)], held)
        }
        "karibu.loyalty.goodwill.granted.v1" => {
            let told: loyalty::GoodwillGranted = decode(event)?;
            let held = held(&told.account_id, told.seq, told.balances)?;
            note(event, [("points", told.points.to_string())], held)
        }
        "karibu.loyalty.goodwill.refused.v1" => {
            let told: loyalty::GoodwillRefused = decode(event)?;
            note(event, [("points", told.points.to_string()), ("reason", told.reason)], Change::Nothing)
        }
        _ => Ok(None),
    }
}

/// What the customer was asked and said.
fn of_feedback(kind: &str, event: &LogEvent) -> Reaction {
    match kind {
        "karibu.feedback.invitation.sent.v1" => note(event, [], Change::Nothing),
        "karibu.feedback.response.completed.v1" => {
            let told: feedback::ResponseCompleted = decode(event)?;
            let score = told.score.map(|score| score.to_string()).unwrap_or_default();
            note(event, [("kind", told.kind().as_str_name().into()), ("score", score)], Change::ResponseGiven)
        }
        _ => Ok(None),
    }
}

fn decode<M: Message + Default>(event: &LogEvent) -> Result<M, Poison> {
    M::decode(event.payload.as_ref()).map_err(|error| Poison::new(format!("the payload does not decode: {error}")))
}

fn id(text: &str) -> Result<Uuid, Poison> {
    text.parse().map_err(|_| Poison::new("an id in the payload is no UUID"))
}

fn keep_branch(branch: &str, locale: String) -> Reaction {
    Ok(Some(Effect::of(KeepBranch::Stands { branch: BranchId(id(branch)?), locale })))
}

fn held(account: &str, seq: i64, balances: Option<loyalty::Balances>) -> Result<Change, Poison> {
    let available = balances.map_or(0, |balances| balances.available);
    Ok(Change::PointsHeld(Points { account: id(account)?, seq, available }))
}

/// Shows the event on the timeline of its customer, and counts it. Facts without a value are left out.
fn note<const N: usize>(event: &LogEvent, facts: [(&str, String); N], change: Change) -> Reaction {
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(fact(event, facts.map(|(name, value)| (name.to_owned(), value)).collect(), true, change).map(Effect::of))
}

/// Counts the event without showing it.
fn count(event: &LogEvent, change: Change) -> Reaction {
    Ok(fact(event, BTreeMap::new(), false, change).map(Effect::of))
}

/// What to note of an event; none if it is about no customer.
fn fact(event: &LogEvent, facts: BTreeMap<String, String>, shown: bool, change: Change) -> Option<NoteFact> {
    let customer = CustomerId(event.customer_id?);
    let (service, kind) = event.kind.strip_prefix("karibu.")?.strip_suffix(".v1")?.split_once('.')?;
    let entry = TimelineEntry {
        customer,
        occurred_at_us: event.occurred_at_us,
        id: event.event_id,
        service: service.to_owned(),
        kind: kind.to_owned(),
        subject_type: event.aggregate_type.clone(),
        subject_id: event.aggregate_id,
        branch: event.branch_id.map(BranchId),
        facts,
    };
    Some(NoteFact { entry, shown, change })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use prost::bytes::Bytes;
    use proto::event_types;

    use super::*;
    use crate::domain::{CustomerKind, IdentifierType, VisitId, purchase_id};

    /// Of the organization a profile hears where the business is, and nothing else.
    const BRANCHES: [&str; 3] = [
        "karibu.organization.branch.created.v1",
        "karibu.organization.branch.updated.v1",
        "karibu.organization.branch.closed.v1",
    ];
    /// Types of the other sources that mean nothing to a customer's profile, on purpose.
    const IGNORED: [&str; 42] = [
        "karibu.ticketing.compensation.released.v1",
        "karibu.ticketing.compensation.reserved.v1",
        "karibu.ticketing.complaint.absorbed.v1",
        "karibu.ticketing.complaint.ask_ended.v1",
        "karibu.ticketing.complaint.asked.v1",
        "karibu.ticketing.complaint.empathy_shown.v1",
        "karibu.ticketing.complaint.escalation_accepted.v1",
        "karibu.ticketing.complaint.evidence_added.v1",
        "karibu.ticketing.complaint.impact_recorded.v1",
        "karibu.ticketing.complaint.interaction_added.v1",
        "karibu.ticketing.complaint.linked.v1",
        "karibu.ticketing.complaint.owner_left.v1",
        "karibu.ticketing.complaint.priority_changed.v1",
        "karibu.ticketing.complaint.question_answered.v1",
        "karibu.ticketing.complaint.question_asked.v1",
        "karibu.ticketing.complaint.queued.v1",
        "karibu.ticketing.complaint.reclassification_requested.v1",
        "karibu.ticketing.complaint.reclassified.v1",
        "karibu.ticketing.complaint.recused.v1",
        "karibu.ticketing.complaint.released.v1",
        "karibu.ticketing.complaint.stale.v1",
        "karibu.ticketing.complaint.stepped_back.v1",
        "karibu.ticketing.complaint.waiting_changed.v1",
        "karibu.ticketing.promise.due.v1",
        "karibu.ticketing.proposal.approval_requested.v1",
        "karibu.ticketing.proposal.approved.v1",
        "karibu.ticketing.proposal.countered.v1",
        "karibu.ticketing.proposal.declined.v1",
        "karibu.ticketing.proposal.expired.v1",
        "karibu.ticketing.sla.breached.v1",
        "karibu.ticketing.sla.recalculated.v1",
        "karibu.ticketing.sla.warning.v1",
        "karibu.ticketing.sla_policy.changed.v1",
        "karibu.loyalty.program.created.v1",
        "karibu.loyalty.program.updated.v1",
        "karibu.feedback.survey.activated.v1",
        "karibu.feedback.survey.paused.v1",
        "karibu.feedback.survey.closed.v1",
        "karibu.feedback.invitation.scheduled.v1",
        "karibu.feedback.invitation.suppressed.v1",
        "karibu.feedback.invitation.cancelled.v1",
        "karibu.feedback.invitation.expired.v1",
    ];

    fn event(kind: &str) -> LogEvent {
        LogEvent {
            seq: 1,
            event_id: Uuid::from_u128(1),
            kind: kind.to_owned(),
            aggregate_type: "thing".to_owned(),
            aggregate_id: Uuid::from_u128(2),
            aggregate_version: 1,
            branch_id: None,
            customer_id: Some(Uuid::from_u128(3)),
            occurred_at_us: 4,
            recorded_at_us: 5,
            trace_context: None,
            payload: Bytes::new(),
        }
    }

    #[test]
    fn every_type_of_the_sources_is_taken_in_or_ignored_on_purpose() {
        for kind in event_types().iter().filter(|kind| crate::SOURCES.contains(&kind.service.as_str())) {
            // An empty payload lacks the ids that some need: a type that is poisoned by it is one that is taken in.
            let ignored = matches!(react(&event(&kind.type_name)), Ok(None));
            let name = kind.type_name.as_str();
            let is_strange = kind.service == "organization" && !BRANCHES.contains(&name);
            assert_eq!(ignored, is_strange || IGNORED.contains(&name), "{name}");
        }
    }

    #[test]
    fn what_is_told_fits_the_contract() {
        let (customer, branch) = (CustomerId(Uuid::from_u128(1)), BranchId(Uuid::from_u128(2)));
        let rwf = |minor| kernel::Money::new("RWF".parse().unwrap(), minor);
        let facts = PurchaseFacts {
            purchase: purchase_id("till", "1"),
            source_system: "till".to_owned(),
            source_ref: "1".to_owned(),
            original_source_ref: "0".to_owned(),
            customer: Some(customer),
            branch,
            total: rwf(5),
            earning_total: rwf(4),
            line_count: 3,
            occurred_at_us: 2,
        };
        let (kind, home_branch, locale) = (CustomerKind::Person, branch, "rw".to_owned());
        let identifier_types = vec![IdentifierType::Email];
        let told = [
            Event::CustomerCreated { customer, kind, home_branch, locale: locale.clone() },
            Event::CustomerIdentified { customer, kind, home_branch, locale: locale.clone(), identifier_types },
            Event::CustomerUpdated { customer, changed: vec!["tags"], home_branch, locale },
            Event::IdentifierAdded { customer, identifier_type: IdentifierType::Phone },
            Event::CustomerRestricted { customer, erasure: Uuid::from_u128(4), reason_code: "asked".to_owned() },
            Event::CustomerErased { customer, erasure: Uuid::from_u128(4), reason_code: "asked".to_owned() },
            Event::VisitRecorded {
                visit: VisitId(Uuid::from_u128(3)),
                customer,
                branch,
                channel: "IN_PERSON".to_owned(),
                touchpoint_code: "entrance".to_owned(),
                occurred_at_us: 2,
            },
            Event::PurchaseRecorded(facts.clone()),
            Event::PurchaseReturned(facts),
        ];
        let mut types: Vec<String> = told.iter().map(|event| full_type(crate::NAME, event.kind())).collect();
        types.sort();
        let known = event_types().iter().filter(|kind| kind.service == crate::NAME);
        assert_eq!(types, known.map(|kind| kind.type_name.clone()).collect::<Vec<_>>());
        for event in &told {
            let kind = event_types().find(&full_type(crate::NAME, event.kind())).unwrap();
            let payload =
                prost_reflect::DynamicMessage::decode(kind.payload.clone(), event.encode().as_slice()).unwrap();
            for field in kind.payload.fields() {
                assert!(payload.has_field(&field), "{}: {} is not told", kind.type_name, field.name());
            }
        }
    }
}
