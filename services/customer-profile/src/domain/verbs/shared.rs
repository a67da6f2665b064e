//! Rules that several verbs share: who may reach a customer or a branch, how handles are claimed, how a customer and
//! its timeline begin.

use std::collections::BTreeMap;

use commit::{DomainEvent, Service, ensure, refuse};
use kernel::BranchScope;
use uuid::Uuid;

use crate::Profile;
use crate::domain::{
    Branch, BranchId, Customer, CustomerId, CustomerKind, CustomerState, Cx, Desk, Details, Event, Identifier,
    Presence, Refusal, Stop, Tally, TimelineEntry, identifier,
};

/// A customer as a verb left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerReply(pub Customer);

/// The branch, if the caller works there and it is known here.
pub(super) fn reach_branch<'w>(w: &'w mut Desk, scope: &BranchScope, id: BranchId) -> Result<&'w Branch, Stop> {
    ensure!(scope.allows(id.uuid()), Refusal::BranchNotFound);
    match w.branches.get(id)? {
        Some(branch) => Ok(branch),
        None => refuse!(Refusal::BranchUnknown),
    }
}

/// The branch, if it also still does business.
pub(super) fn reach_open_branch<'w>(w: &'w mut Desk, scope: &BranchScope, id: BranchId) -> Result<&'w Branch, Stop> {
    let branch = reach_branch(w, scope, id)?;
    ensure!(!branch.closed, Refusal::BranchClosed);
    Ok(branch)
}

/// Checks that the customer is there, that the caller may see it (it was seen at a branch of the caller's), and that
/// it may still be worked with. The only way of a verb of a caller to an existing customer by its id.
pub(super) fn reach_customer(w: &mut Desk, scope: &BranchScope, id: CustomerId) -> Result<(), Stop> {
    // Both are asked for before either is missed, so that one round of loading brings both.
    let tally = w.tallies.get(id);
    let customer = w.customers.get(id)?;
    let (Some(customer), Some(tally)) = (customer, tally?) else { refuse!(Refusal::CustomerNotFound) };
    let is_seen = scope.is_all() || tally.totals.branches.iter().any(|branch| scope.allows(branch.uuid()));
    ensure!(is_seen, Refusal::CustomerNotFound);
    customer.ensure_open().map_err(Stop::Refused)
}

/// A draft of a customer that was reached before.
pub(super) fn edit_customer(w: &mut Desk, id: CustomerId) -> Result<&mut Customer, Stop> {
    match w.customers.edit(id)? {
        Some(customer) => Ok(customer),
        None => refuse!(Refusal::CustomerNotFound),
    }
}

/// A draft of the totals of a customer that was reached before.
pub(super) fn edit_tally(w: &mut Desk, id: CustomerId) -> Result<&mut Tally, Stop> {
    match w.tallies.edit(id)? {
        Some(tally) => Ok(tally),
        None => refuse!(Refusal::CustomerNotFound),
    }
}

/// Notes that the customer was seen at a branch.
pub(super) fn arrive(w: &mut Desk, id: CustomerId, branch: BranchId) -> Result<(), Stop> {
    if let Some(presence) = edit_tally(w, id)?.arrive(branch) {
        w.presences.push(presence);
    }
    Ok(())
}

/// Claims handles for a customer; one that another holds is refused.
pub(super) fn claim(w: &mut Desk, id: CustomerId, identifiers: &[Identifier]) -> Result<(), Stop> {
    // All are asked for before one is missed.
    let taken: Vec<_> = identifiers.iter().map(|each| w.claims.take(identifier::CLAIM, each.claim(), id)).collect();
    for (at, taken) in taken.into_iter().enumerate() {
        ensure!(taken?.is_ok(), Refusal::IdentifierTaken { at: Some(at) });
    }
    Ok(())
}

/// A new customer to be.
pub(super) struct Newcomer {
    pub kind: CustomerKind,
    pub home_branch: BranchId,
    pub details: Details,
    /// When it was first seen, microseconds since the Unix epoch.
    pub first_seen_at_us: i64,
}

/// Creates a customer with its totals, presence, first timeline entry and event. Its handles are claimed already.
pub(super) fn create(w: &mut Desk, cx: &mut Cx<'_>, id: CustomerId, newcomer: Newcomer) {
    let Newcomer { kind, home_branch, details, first_seen_at_us } = newcomer;
    let locale = details.locale.clone();
    let event = Event::CustomerCreated { customer: id, kind, home_branch, locale };
    let (created_at_us, updated_at_us) = (cx.now_us, cx.now_us);
    let customer = w.customers.insert(Customer {
        id,
        version: 0,
        kind,
        state: CustomerState::Active,
        home_branch,
        created_at_us,
        updated_at_us,
        details,
    });
    w.tallies.insert(Tally::new(id, first_seen_at_us, home_branch));
    w.presences.push(Presence { customer: id, branch: home_branch });
    w.timeline.push(own_entry(cx, &event, id, "customer", id.uuid(), Some(home_branch), first_seen_at_us));
    cx.emit(customer, event);
}

/// A timeline entry about an event of this service.
pub(super) fn own_entry(
    cx: &mut Cx<'_>,
    event: &Event,
    customer: CustomerId,
    subject_type: &str,
    subject_id: Uuid,
    branch: Option<BranchId>,
    occurred_at_us: i64,
) -> TimelineEntry {
    TimelineEntry {
        customer,
        occurred_at_us,
        id: cx.new_id(),
        service: Profile::NAME.to_owned(),
        kind: event.kind().to_owned(),
        subject_type: subject_type.to_owned(),
        subject_id,
        branch,
        facts: BTreeMap::new(),
    }
}
