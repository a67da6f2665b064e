//! Acknowledged means there, once; refused means absent; given up means one or the other.

use std::collections::HashMap;

use anyhow::Context;
use client::patiently;
use prost::Message;
use proto::karibu::loyalty::v1::PointsAdjusted;
use proto::karibu::profile::v1::GetPurchaseRequest;
use proto::karibu::ticketing::v1::GetComplaintRequest;
use uuid::Uuid;

use super::{Evidence, event_of};
use crate::callers::{ANSWER_AFTER_HEALING, locked};
use crate::ledger::{Asked, Kind, Outcome};
use crate::report::Check;

/// At most so many purchases are read through the gateway; all are looked for in the database.
const PURCHASES_READ: usize = 400;

/// What the callers saw while it went on.
pub(super) fn answers(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("every answer is one that may be given, and reads show what was acknowledged (R12)");
    check.looked_at = evidence.ledger.len() as u64 + *locked(&evidence.seen.read_back);
    check.findings.clone_from(&locked(&evidence.seen.wrong));
    check
}

/// How often each thing of a key is there.
struct There<'a> {
    purchases: HashMap<&'a str, Vec<Uuid>>,
    entries: HashMap<&'a str, Vec<i64>>,
    complaints: HashMap<&'a str, Vec<Uuid>>,
    /// Events of adjustments, by their reason.
    adjusted: HashMap<String, u64>,
}

impl<'a> There<'a> {
    fn of(evidence: &'a Evidence<'_>) -> Self {
        let (mut purchases, mut entries, mut complaints) = (HashMap::new(), HashMap::new(), HashMap::new());
        for purchase in &evidence.facts.purchases {
            purchases.entry(purchase.source_ref.as_str()).or_insert_with(Vec::new).push(purchase.id);
        }
        for entry in &evidence.facts.entries {
            entries.entry(entry.reason_code.as_str()).or_insert_with(Vec::new).push(entry.points);
        }
        for (id, subject) in &evidence.facts.complaints {
            complaints.entry(subject.as_str()).or_insert_with(Vec::new).push(*id);
        }
        let mut adjusted: HashMap<String, u64> = HashMap::new();
        for event in evidence.facts.logs.get("loyalty").into_iter().flatten() {
            if event.kind == event_of(Kind::Adjust).1
                && let Ok(told) = PointsAdjusted::decode(event.payload.as_slice())
            {
                *adjusted.entry(told.reason_code).or_default() += 1;
            }
        }
        Self { purchases, entries, complaints, adjusted }
    }

    /// How often the command took effect in the state, and how many events tell of it.
    fn count(&self, evidence: &Evidence<'_>, asked: &Asked) -> (u64, u64) {
        let told = |ids: &Vec<Uuid>| ids.iter().map(|id| evidence.told(asked.kind, *id)).sum();
        match asked.kind {
            Kind::Purchase => {
                self.purchases.get(asked.key.as_str()).map_or((0, 0), |ids| (ids.len() as u64, told(ids)))
            }
            Kind::Open => self.complaints.get(asked.key.as_str()).map_or((0, 0), |ids| (ids.len() as u64, told(ids))),
            Kind::Adjust => {
                let found = self.entries.get(asked.key.as_str()).map_or(0, Vec::len) as u64;
                (found, self.adjusted.get(&asked.key).copied().unwrap_or_default())
            }
            _ => {
                let id = asked.complaint_id.parse().unwrap_or_default();
                let told = evidence.told(asked.kind, id);
                (told, told)
            }
        }
    }
}

/// Every acknowledged command is in the state and in the log, exactly once.
pub(super) fn acknowledged(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("what was acknowledged is there, and in the log exactly once (R1, R2)");
    let there = There::of(evidence);
    for (asked, outcome) in evidence.ledger {
        if let Outcome::Acknowledged { id, .. } = outcome {
            let (found, told) = there.count(evidence, asked);
            check.that(found == 1 && told == 1, || format!("{asked:?} -> {id}: {found} times there, {told} events"));
        }
    }
    check
}

/// Refused commands left nothing; those that were given up left all or nothing.
pub(super) fn the_others(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::of("what was refused is absent; what was given up is absent or complete (R2)");
    let there = There::of(evidence);
    for (asked, outcome) in evidence.ledger {
        let (found, told) = there.count(evidence, asked);
        match outcome {
            Outcome::Acknowledged { .. } => {}
            Outcome::Refused(why) => {
                check.that(found == 0, || format!("{asked:?} was refused ({why}), yet it is there {found} times"));
            }
            Outcome::GivenUp => check.that(found <= 1 && found == told, || {
                format!("{asked:?} was given up: {found} times there, {told} events")
            }),
        }
    }
    check
}

/// What was acknowledged can be read through the gateway, at least as new as it was told.
pub(super) async fn readable(evidence: &Evidence<'_>) -> anyhow::Result<Check> {
    let mut check = Check::of("what was acknowledged is read through the gateway, as new as it was told (R1)");
    let karibu = evidence.place.client(0).await?;
    let mut newest: HashMap<&str, i64> = HashMap::new();
    let mut purchases = Vec::new();
    for (asked, outcome) in evidence.ledger {
        let Outcome::Acknowledged { id, etag } = outcome else { continue };
        match asked.kind {
            Kind::Purchase => purchases.push(id),
            Kind::Adjust => {}
            _ => {
                let known = newest.entry(id).or_default();
                *known = (*known).max(etag.parse().unwrap_or_default());
            }
        }
    }
    for id in purchases.iter().rev().take(PURCHASES_READ) {
        let request = GetPurchaseRequest { purchase_id: (*id).clone() };
        let found = patiently(ANSWER_AFTER_HEALING, || {
            let (mut client, request) = (karibu.profile(), request.clone());
            async move { client.get_purchase(request).await }
        });
        check.that(found.await.is_ok_and(|reply| reply.into_inner().purchase.is_some()), || format!("purchase {id}"));
    }
    for (id, version) in newest {
        let request = GetComplaintRequest { complaint_id: id.to_owned() };
        let found = patiently(ANSWER_AFTER_HEALING, || {
            let (mut client, request) = (karibu.ticketing(), request.clone());
            async move { client.get_complaint(request).await }
        });
        let found = found.await.with_context(|| format!("complaint {id}"))?.into_inner().complaint.unwrap_or_default();
        let is: i64 = found.etag.parse().unwrap_or_default();
        check.that(is >= version, || format!("complaint {id} is read in version {is}, {version} was acknowledged"));
    }
    Ok(check)
}
