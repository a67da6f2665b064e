//! Every event took effect exactly once at each consumer, and points are neither made nor lost.

use std::collections::{HashMap, HashSet};

use anyhow::Context;
use prost::Message;
use proto::karibu::loyalty::v1::VerifyLedgerRequest;
use proto::karibu::ticketing::v1::CompensationApproved;
use proto::karibu::ticketing::v1::compensation_approved::Value;
use uuid::Uuid;

use super::{Evidence, event_of};
use crate::asks::PER_POINT;
use crate::ledger::{Kind, Outcome};
use crate::report::Check;

/// Types of ticketing and loyalty that a timeline does not show.
const NOT_SHOWN: [&str; 34] = [
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
    "karibu.loyalty.points.activated.v1",
];

/// Every purchase and every promised compensation earned its points once, and balances are the sums of the ledger.
pub(super) fn points(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("each purchase and compensation gave its points once; balances are their sums (R5, R14)");
    let facts = evidence.facts;
    let (mut earned, mut granted): (HashMap<Uuid, Vec<i64>>, HashMap<Uuid, Vec<i64>>) =
        (HashMap::new(), HashMap::new());
    for entry in &facts.entries {
        if let Some(purchase) = entry.purchase_id {
            earned.entry(purchase).or_default().push(entry.points);
        }
        if let Some(compensation) = entry.compensation_id {
            granted.entry(compensation).or_default().push(entry.points);
        }
    }
    for purchase in &facts.purchases {
        let (due, is) = (purchase.earning_minor / PER_POINT, earned.remove(&purchase.id).unwrap_or_default());
        check.that(is == [due], || format!("purchase {} earned {is:?}, due are {due}", purchase.source_ref));
    }
    check.that(earned.is_empty(), || format!("points for purchases that are not there: {:?}", earned.keys()));
    let approved = facts.logs.get("ticketing").into_iter().flatten();
    for event in approved.filter(|event| event.kind == "karibu.ticketing.compensation.approved.v1") {
        let Ok(told) = CompensationApproved::decode(event.payload.as_slice()) else {
            check.that(false, || format!("event {} of ticketing does not decode", event.seq));
            continue;
        };
        let due = if let Some(Value::Points(points)) = told.value { points } else { 0 };
        let is = told.compensation_id.parse().ok().and_then(|id: Uuid| granted.remove(&id)).unwrap_or_default();
        check.that(is == [due], || format!("complaint {} was granted {is:?}, due are {due}", told.complaint_id));
    }
    check.that(granted.is_empty(), || format!("points for compensations that nobody approved: {:?}", granted.keys()));
    let expected = expected(evidence);
    for account in &facts.accounts {
        let due = expected.get(&account.customer_id).copied().unwrap_or_default();
        let (customer, is) = (account.customer_id, account.available);
        check.that(is == due, || format!("customer {customer} has {is} points, the ledger of this run says {due}"));
    }
    check
}

/// What each customer must have: what was acknowledged, and what was given up and happened all the same.
fn expected(evidence: &Evidence<'_>) -> HashMap<Uuid, i64> {
    let receipts: HashSet<&str> =
        evidence.facts.purchases.iter().map(|purchase| purchase.source_ref.as_str()).collect();
    let reasons: HashSet<&str> = evidence.facts.entries.iter().map(|entry| entry.reason_code.as_str()).collect();
    let mut expected: HashMap<Uuid, i64> = HashMap::new();
    for (asked, outcome) in evidence.ledger {
        let happened = match (outcome, asked.kind) {
            (Outcome::Acknowledged { .. }, _) => true,
            (Outcome::Refused(_), _) => false,
            (Outcome::GivenUp, Kind::Purchase) => receipts.contains(asked.key.as_str()),
            (Outcome::GivenUp, Kind::Adjust) => reasons.contains(asked.key.as_str()),
            (Outcome::GivenUp, kind) => {
                let id = asked.complaint_id.parse().unwrap_or_default();
                evidence.told.contains_key(&(event_of(kind).1, id))
            }
        };
        if happened {
            *expected.entry(asked.customer_id.parse().unwrap_or_default()).or_default() += asked.points;
        }
    }
    expected
}

/// The timelines show every event of ticketing and loyalty, and nothing else.
pub(super) fn timelines(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("the timelines are the fold of the logs (R13)");
    for service in ["ticketing", "loyalty"] {
        let shown = evidence.facts.timeline.iter().filter(|shown| shown.service == service);
        let shown: HashSet<Uuid> = shown.map(|shown| shown.id).collect();
        let log = evidence.facts.logs.get(service).into_iter().flatten();
        let due: HashSet<Uuid> = log
            .filter(|event| event.customer_id.is_some() && !NOT_SHOWN.contains(&event.kind.as_str()))
            .map(|event| event.event_id)
            .collect();
        check.looked_at += due.len() as u64;
        for id in due.symmetric_difference(&shown) {
            let is = if due.contains(id) { "is not shown" } else { "is shown and not in the log" };
            let log = evidence.facts.logs.get(service).into_iter().flatten();
            let kind = log.clone().find(|event| event.event_id == *id).map_or("", |event| event.kind.as_str());
            check.findings.push(format!("{service}: event {id} {kind} {is}"));
        }
    }
    check
}

/// No event was put aside.
pub(super) fn dead_letters(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("no event was put aside as poison (R15)");
    for (service, dead) in &evidence.facts.dead {
        check.that(*dead == 0, || format!("{service} has {dead} dead letters or parked aggregates"));
    }
    check
}

/// The service's own audit of all accounts and entries.
pub(super) async fn verified(evidence: &Evidence<'_>) -> anyhow::Result<Check> {
    let mut check = Check::of("VerifyLedger finds every account in order (R14)");
    let karibu = evidence.place.client(0).await?;
    let request = VerifyLedgerRequest { program_id: evidence.world.program.clone() };
    let reply = client::patiently(crate::callers::ANSWER_AFTER_HEALING, || {
        let (mut client, request) = (karibu.loyalty(), request.clone());
        async move { client.verify_ledger(request).await }
    });
    let reply = reply.await.context("verify_ledger")?.into_inner();
    check.that(reply.ok, || format!("{:?}", reply.violations));
    check.looked_at = u64::try_from(reply.entry_count)?;
    Ok(check)
}
