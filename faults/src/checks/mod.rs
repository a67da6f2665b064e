//! What must hold once everything is healed and quiet.

mod effects;
mod logs;
mod repeats;
mod writes;

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use crate::callers::Seen;
use crate::facts::Facts;
use crate::ledger::{Asked, Kind, Outcome};
use crate::place::Place;
use crate::report::Check;
use crate::world::World;

/// Type of the event that tells of a command.
pub(crate) const fn event_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Purchase => ("profile", "karibu.profile.purchase.recorded.v1"),
        Kind::Adjust => ("loyalty", "karibu.loyalty.points.adjusted.v1"),
        Kind::Open => ("ticketing", "karibu.ticketing.complaint.opened.v1"),
        Kind::Acknowledge => ("ticketing", "karibu.ticketing.complaint.acknowledged.v1"),
        Kind::Understand => ("ticketing", "karibu.ticketing.complaint.understood.v1"),
        Kind::Assign => ("ticketing", "karibu.ticketing.complaint.assigned.v1"),
        Kind::Investigate => ("ticketing", "karibu.ticketing.complaint.investigation_started.v1"),
        Kind::Find => ("ticketing", "karibu.ticketing.complaint.finding_recorded.v1"),
        Kind::Offer => ("ticketing", "karibu.ticketing.proposal.offered.v1"),
        Kind::Choose => ("ticketing", "karibu.ticketing.proposal.chosen.v1"),
    }
}

/// All that the checks look at.
pub(crate) struct Evidence<'a> {
    pub(crate) place: &'a Arc<Place>,
    pub(crate) world: &'a World,
    pub(crate) seen: &'a Seen,
    pub(crate) ledger: &'a [(Asked, Outcome)],
    pub(crate) facts: &'a Facts,
    /// How many events of a type are in the logs, by what they are about.
    pub(crate) told: HashMap<(&'a str, Uuid), u64>,
}

impl<'a> Evidence<'a> {
    pub(crate) fn new(
        place: &'a Arc<Place>,
        world: &'a World,
        seen: &'a Seen,
        ledger: &'a [(Asked, Outcome)],
        facts: &'a Facts,
    ) -> Self {
        let mut told = HashMap::new();
        for event in facts.logs.values().flatten() {
            *told.entry((event.kind.as_str(), event.aggregate_id)).or_default() += 1;
        }
        Self { place, world, seen, ledger, facts, told }
    }

    fn told(&self, kind: Kind, id: Uuid) -> u64 {
        self.told.get(&(event_of(kind).1, id)).copied().unwrap_or_default()
    }
}

/// Runs all of them; what repeats commands comes last, because it would write if a promise were broken.
pub(crate) async fn run(evidence: &Evidence<'_>) -> anyhow::Result<Vec<Check>> {
    let mut checks = vec![writes::answers(evidence), writes::acknowledged(evidence), writes::the_others(evidence)];
    checks.push(writes::readable(evidence).await?);
    checks.push(logs::without_gaps(evidence));
    checks.push(logs::streams(evidence).await?);
    checks.extend([effects::points(evidence), effects::timelines(evidence), effects::dead_letters(evidence)]);
    checks.push(effects::verified(evidence).await?);
    checks.push(repeats::same_answers(evidence).await?);
    Ok(checks)
}
